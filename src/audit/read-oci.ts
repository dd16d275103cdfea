/** `config.json` of a bundle (OCI runtime-spec config.md, config-linux.md): nothing has a default here, what is not said is not there. */
import type { Json, JsonObject } from '../image/index.ts';
import { ALL_CAPABILITIES } from './capabilities.ts';
import { field, fieldAt, listAt, numberAt, objectAt, pairsAt, textAt, textsAt } from './fields.ts';
import { rewriteTree } from './input.ts';
import type { AuditInput } from './input.ts';
import { PLAIN } from './model.ts';
import type { Configuration, Device, Mount, NamespaceName, NamespaceUse } from './model.ts';
import type { Path, Tree } from './tree.ts';
import { capabilityList } from './values.ts';
import { changeBundle } from './write-oci.ts';

/** Files that every engine puts in from its own directory. */
const ENGINE_FILES: ReadonlySet<string> = new Set(['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/etc/passwd', '/etc/group', '/run/.containerenv', '/dev/shm', '/dev/termination-log']);
/** Devices that every container has (config-linux.md "Default Devices"), `type major:minor`. */
const DEFAULT_DEVICES: ReadonlySet<string> = new Set(['c 1:3', 'c 1:5', 'c 1:7', 'c 1:8', 'c 1:9', 'c 5:0', 'c 5:1', 'c 5:2']);
const NAMESPACES: readonly NamespaceName[] = ['pid', 'network', 'ipc', 'uts', 'user', 'cgroup'];
const FILE_SYSTEMS: ReadonlyMap<string, string> = new Map([['sysfs', '/sys'], ['cgroup', '/sys/fs/cgroup'], ['debugfs', '/sys/kernel/debug']]);

/** An engine has fewer where the kernel is older, or it has fewer itself. */
const MOST_OF_THEM = ALL_CAPABILITIES.length - 5;

function mountsOf(config: Json, isPrivileged: boolean): readonly Mount[] {
  return listAt(config, 'mounts').flatMap((mount): readonly Mount[] => {
    const [type, source, destination, options] = [textAt(mount, 'type'), textAt(mount, 'source'), textAt(mount, 'destination'), textsAt(mount, 'options')];
    const common = { destination, readOnly: options.includes('ro'), propagation: options.find((option) => /^r?(?:private|shared|slave)$/.test(option)) ?? '', volumeType: '' };
    if (type === 'bind' || options.includes('bind') || options.includes('rbind')) return ENGINE_FILES.has(destination) && (source !== destination || destination === '/dev/shm') ? [] : [{ kind: 'bind', source, ...common }];
    // These show the host's kernel. Engines mount them read-only unless the container is privileged.
    const shown = FILE_SYSTEMS.get(type);
    if (shown !== undefined && !common.readOnly && !isPrivileged) return [{ kind: 'bind', source: shown, ...common }];
    return type === 'tmpfs' && !['/dev', '/run', '/tmp', '/var/tmp', '/dev/shm'].includes(destination) ? [{ kind: 'tmpfs', source: '', ...common }] : [];
  });
}

function numberOf(device: Json): string {
  return `${textAt(device, 'type')} ${textAt(device, 'major')}:${textAt(device, 'minor')}`;
}

function devicesOf(config: Json): readonly Device[] {
  return listAt(config, 'linux', 'devices').filter((device) => !DEFAULT_DEVICES.has(numberOf(device))).map((device) => ({ path: textAt(device, 'path'), permissions: 'rwm', isBlock: textAt(device, 'type') === 'b' }));
}

/** Rules that give more than the devices that are listed: without numbers, or for whole kinds. */
function deviceRules(config: Json): readonly string[] {
  return listAt(config, 'linux', 'resources', 'devices').flatMap((rule) => {
    const [type, access] = [textAt(rule, 'type') || 'a', textAt(rule, 'access') || 'rwm'];
    const isWide = (numberAt(rule, 'major') ?? -1) < 0;
    return field(rule, 'allow') === true && isWide && /[rw]/.test(access) ? [`${type} *:* ${access}`] : [];
  });
}

function namespacesOf(config: Json): Configuration['namespaces'] {
  const given = new Map(listAt(config, 'linux', 'namespaces').map((namespace) => [textAt(namespace, 'type'), textAt(namespace, 'path')]));
  // Engines make a network namespace first and give its path; one of a process is that of another container.
  const use = (name: NamespaceName): NamespaceUse => (!given.has(name) ? 'host' : /^\/proc\/1\//.test(given.get(name) ?? '') ? 'host' : /^\/proc\/\d+\//.test(given.get(name) ?? '') ? 'shared' : 'own');
  return Object.fromEntries(NAMESPACES.map((name) => [name, use(name)])) as Configuration['namespaces'];
}

function selinuxOf(label: string): Configuration['selinux'] {
  const [user = '', role = '', type = ''] = label.split(':');
  if (label === '' || type === 'container_t') return PLAIN.selinux;
  return { state: type === 'spc_t' || type === 'unconfined_t' ? 'disabled' : 'custom', type, user: user === 'system_u' ? '' : user, role: role === 'system_r' ? '' : role };
}

function resourcesOf(config: Json): Pick<Configuration, 'memory' | 'cpuBounded' | 'pids' | 'ulimits'> {
  const resources = objectAt(config, 'linux', 'resources');
  return {
    memory: Math.max(0, numberAt(resources, 'memory', 'limit') ?? 0), pids: numberAt(resources, 'pids', 'limit') ?? 0,
    cpuBounded: ['shares', 'quota', 'cpus'].some((name) => fieldAt(resources, 'cpu', name) !== undefined),
    // Engines write their own defaults here, so a limit that is there need not be one that somebody chose.
    ulimits: listAt(config, 'process', 'rlimits').length > 0 ? undefined : [],
  };
}

function configurationOf(config: JsonObject): Configuration {
  const process = objectAt(config, 'process');
  const capabilities = capabilityList(textsAt(process, 'capabilities', 'bounding'));
  const hasFilter = fieldAt(config, 'linux', 'seccomp') !== undefined && textAt(config, 'linux', 'seccomp', 'defaultAction') !== '';
  const rules = deviceRules(config);
  const isOpen = listAt(config, 'linux', 'maskedPaths').length === 0;
  const privileged = capabilities.length >= MOST_OF_THEM && capabilities.includes('SYS_ADMIN') && !hasFilter && isOpen && rules.some((rule) => rule.startsWith('a '));
  const profile = textAt(process, 'apparmorProfile');
  const annotations = objectAt(config, 'annotations');
  return {
    ...PLAIN, kind: 'oci', engine: 'oci', name: textAt(annotations, 'io.kubernetes.cri-o.Name') || textAt(annotations, 'io.kubernetes.cri.container-name') || textAt(config, 'hostname') || 'container',
    image: textAt(annotations, 'io.kubernetes.cri-o.ImageName') || textAt(annotations, 'io.kubernetes.cri.image-name') || undefined,
    privileged, capabilities: { base: 'none', add: capabilities, drop: [] }, user: String(numberAt(process, 'user', 'uid') ?? 0), namespaces: namespacesOf(config),
    mounts: mountsOf(config, privileged), devices: privileged ? [] : devicesOf(config), deviceRules: privileged ? [] : rules,
    seccomp: hasFilter ? (textAt(config, 'linux', 'seccomp', 'defaultAction') === 'SCMP_ACT_ALLOW' ? 'custom' : 'default') : 'unconfined',
    apparmor: profile === '' ? 'unset' : profile === 'unconfined' ? 'unconfined' : 'default', selinux: selinuxOf(textAt(process, 'selinuxLabel')), noNewPrivileges: field(process, 'noNewPrivileges') === true,
    unmaskedPaths: isOpen, readOnlyRoot: fieldAt(config, 'root', 'readonly') === true, ...resourcesOf(config), restart: undefined, healthCheck: undefined, defaultBridge: false,
    sysctls: pairsAt(config, 'linux', 'sysctl'), environment: pairsAt(process, 'env'), command: textsAt(process, 'args'), workingDirectory: textAt(process, 'cwd'),
  };
}

export function readBundle(tree: Tree, path: Path, value: JsonObject): AuditInput {
  const configuration = configurationOf(value);
  return {
    kind: 'oci', configurations: [configuration], lines: [undefined], notes: [],
    rewrite: (changes) => rewriteTree(tree, [configuration], changes, (_, current, change) => changeBundle(tree, path, current, change)),
  };
}

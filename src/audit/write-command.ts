/** Changes as edits of a command line: flags are taken out, replaced, and put in behind `run`; all else stays as it was typed. */
import { applyChange, describeChange } from './change.ts';
import type { Change } from './change.ts';
import type { CommandLine, GivenFlag } from './command-line.ts';
import type { RefusedChange } from './input.ts';
import type { Configuration } from './model.ts';
import { quoteWord } from './shell-words.ts';
import { capabilityList, parseDevice, parseMount, parsePort, parseVolume, withLocalAddress, withVolumeOption } from './values.ts';

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly insert: string;
}

/** What becomes of a flag that is there. Undefined: it stays; null: it goes. */
type Judge = (flag: GivenFlag) => string | null | undefined;

interface Plan {
  readonly judge?: Judge;
  /** Flags to add. */
  readonly add?: readonly string[];
  readonly why?: string;
}

const named = (...names: readonly string[]): Judge => ({ name }) => (names.includes(name) ? null : undefined);
const optioned = (...keys: readonly string[]): Judge => ({ name, value }) => (name === 'security-opt' && keys.includes(value.split(/[=:]/)[0] ?? '') ? null : undefined);
const NAMESPACE_FLAGS = { pid: 'pid', network: 'network', ipc: 'ipc', uts: 'uts', user: 'userns', cgroup: 'cgroupns' } as const;

function destinationOf({ name, value }: GivenFlag): string | undefined {
  if (name === 'volume') return parseVolume(value).destination;
  return name === 'mount' ? parseMount(value).destination : undefined;
}

/** `ro` in the options of a volume, `readonly` in those of a mount. */
function readOnly({ name, value }: GivenFlag): string {
  return name === 'mount' ? `${value.split(',').filter((field) => !/^(?:ro|readonly|rw)(?:=|$)/.test(field)).join(',')},readonly` : withVolumeOption(value, 'read-only-mount');
}

function privatePropagation({ name, value }: GivenFlag): string {
  return name === 'mount' ? value.split(',').filter((field) => !field.startsWith('bind-propagation')).join(',') : withVolumeOption(value, 'private-mount');
}

function mountPlan(destination: string, change: (flag: GivenFlag) => string | null): Plan {
  return { judge: (flag) => (destinationOf(flag) === destination ? change(flag) : undefined) };
}

function capabilityPlan(name: string, configuration: Configuration): Plan {
  const { capabilities } = configuration;
  const judge: Judge = (flag) => {
    if (flag.name !== 'cap-add') return undefined;
    const names = capabilityList([flag.value]);
    if (!names.includes(name)) return undefined;
    return names.length === 1 ? null : names.filter((other) => other !== name).join(',');
  };
  const after = applyChange(configuration, { kind: 'remove-capability', name }).capabilities.drop;
  return { judge, add: after.includes(name) && !capabilities.drop.includes(name) ? [`--cap-drop=${name}`] : [] };
}

/** For each change, what becomes of the flags. */
function planOf(change: Change, configuration: Configuration): Plan {
  switch (change.kind) {
    case 'unprivileged': return { judge: named('privileged') };
    case 'drop-all-capabilities': return { judge: (flag) => (flag.name === 'cap-drop' || (flag.name === 'cap-add' && capabilityList([flag.value]).includes('ALL')) ? null : undefined), add: ['--cap-drop=ALL'] };
    case 'remove-capability': return capabilityPlan(change.name, configuration);
    case 'own-namespace': return change.namespace === 'user' && configuration.engine === 'docker' ? { judge: named('userns'), why: 'Docker maps users for the whole daemon: set "userns-remap" in daemon.json' } : { judge: named(NAMESPACE_FLAGS[change.namespace]), ...(change.namespace === 'user' ? { add: ['--userns=auto'] } : {}) };
    case 'remove-mount': return mountPlan(change.destination, () => null);
    case 'read-only-mount': return mountPlan(change.destination, readOnly);
    case 'private-mount': return mountPlan(change.destination, privatePropagation);
    case 'remove-device': return { judge: ({ name, value }) => (name === 'device' && parseDevice(value).path === change.path ? null : undefined) };
    case 'remove-device-rules': return { judge: named('device-cgroup-rule') };
    case 'remove-gpus': return { judge: (flag) => (flag.name === 'gpus' || (flag.name === 'runtime' && flag.value === 'nvidia') ? null : undefined) };
    case 'default-seccomp': return { judge: optioned('seccomp') };
    case 'default-apparmor': return { judge: optioned('apparmor') };
    case 'default-selinux': return { judge: optioned('label', 'label-disable') };
    case 'mask-paths': return { judge: optioned('systempaths', 'unmask') };
    case 'no-new-privileges': return { judge: optioned('no-new-privileges'), add: ['--security-opt=no-new-privileges'] };
    case 'read-only-root': return { judge: named('read-only'), add: ['--read-only'] };
    case 'set-user': return { judge: named('user'), add: [`--user=${change.user}`] };
    case 'bound-memory': return { judge: named('memory'), add: [`--memory=${change.bytes / 2 ** 20}m`] };
    case 'bound-pids': return { judge: named('pids-limit'), add: [`--pids-limit=${change.count}`] };
    case 'bound-cpu': return { judge: named('cpus'), add: [`--cpus=${change.cpus}`] };
    case 'bound-restart': return { judge: named('restart'), add: ['--restart=on-failure:5'] };
    case 'remove-variable': return { judge: ({ name, value }) => (name === 'env' && value.split('=')[0] === change.name ? null : undefined) };
    case 'remove-sysctl': return { judge: ({ name, value }) => (name === 'sysctl' && value.split('=')[0] === change.name ? null : undefined) };
    case 'local-port': return { judge: (flag) => (hasPort(flag, change) ? withLocalAddress(flag.value) : undefined) };
    case 'remove-port': return { judge: (flag) => (hasPort(flag, change) ? null : undefined) };
    case 'unpublish-all': return { judge: named('publish-all') };
    case 'health-check': return configuration.healthCheck === 'off' ? { judge: named('no-healthcheck', 'health-cmd') } : { why: 'only the image\'s author knows how to check it: use --health-cmd' };
    case 'content-trust': return { judge: named('disable-content-trust') };
    case 'remove-cgroup-parent': return { judge: named('cgroup-parent') };
    case 'default-limits': return { add: ['--ulimit=nofile=1024:4096'] };
    case 'plain-directory': return { judge: named('workdir') };
    case 'set-image': return { why: 'choose the version, and name its digest' };
    case 'no-token': case 'no-host-process': case 'no-probe-hosts': case 'unprivileged-exec': return {};
  }
}

function hasPort({ name, value }: GivenFlag, { containerPort, hostPort }: { readonly containerPort: number; readonly hostPort: number }): boolean {
  if (name !== 'publish') return false;
  const port = parsePort(value);
  return port.containerPort === containerPort && port.hostPort === hostPort;
}

function execPlan({ name }: GivenFlag): string | null | undefined {
  return name === 'privileged' || name === 'user' ? null : undefined;
}

class Editor {
  readonly edits: Edit[] = [];
  readonly #values = new Map<GivenFlag, string | null>();
  readonly #added = new Set<string>();

  /** False: the flag has no place of its own. */
  apply(flags: readonly GivenFlag[], judge: Judge): boolean {
    let whole = true;
    for (const flag of flags) {
      const before = this.#values.get(flag);
      if (before === null) continue;
      const after = judge(before === undefined ? flag : { ...flag, value: before });
      if (after === undefined) continue;
      if (flag.place === undefined) whole = false;
      else this.#values.set(flag, after);
    }
    return whole;
  }

  add(flags: readonly string[]): void {
    for (const flag of flags) this.#added.add(flag);
  }

  finish({ flagsAt }: CommandLine): readonly Edit[] {
    for (const [{ written, place }, value] of this.#values) {
      if (place === undefined) continue;
      this.edits.push({ start: place.start, end: place.end, insert: value === null ? '' : `${written}${quoteWord(value)}` });
    }
    if (this.#added.size > 0) this.edits.push({ start: flagsAt, end: flagsAt, insert: [...this.#added].map((flag) => ` ${flag}`).join('') });
    return this.edits;
  }
}

/** @returns edits of the whole text, and what cannot be written. */
export function flagEdits(line: CommandLine, execs: readonly CommandLine[], configuration: Configuration, changes: readonly Change[]): { readonly edits: readonly Edit[]; readonly refused: readonly RefusedChange[] } {
  const editor = new Editor();
  const refused: RefusedChange[] = [];
  let current = configuration;
  for (const change of changes) {
    const { judge, add = [], why } = planOf(change, current);
    current = applyChange(current, change);
    if (why !== undefined) refused.push({ container: configuration.name, change, why });
    if (judge !== undefined && !editor.apply(line.flags, judge)) refused.push({ container: configuration.name, change, why: `the flag shares its word with others, or comes from a variable: ${describeChange(change)} by hand` });
    editor.add(add);
    if (change.kind === 'unprivileged-exec') for (const exec of execs) editor.apply(exec.flags, execPlan);
  }
  return { edits: editor.finish(line), refused };
}

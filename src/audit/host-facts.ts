/** What is known of the machine that a configuration will run on: given by hand, or read from what engines and clusters say of themselves. */
import { isObject } from '../image/index.ts';
import type { Json } from '../image/index.ts';
import { nearest } from '../image/nearest.ts';
import { AuditInputError } from './errors.ts';
import { fieldAt, listAt, textAt, textsAt } from './fields.ts';
import { readJson } from './tree.ts';

export type Component = 'kernel' | 'runc' | 'containerd' | 'docker' | 'crio' | 'nvidia-toolkit' | 'docker-desktop';

/** What is not known is undefined. */
export interface HostFacts {
  readonly versions: ReadonlyMap<Component, string>;
  readonly cgroup: 1 | 2 | undefined;
  readonly apparmor: boolean | undefined;
  readonly selinux: boolean | undefined;
  /** Root of containers is not root of the host: a rootless engine, or one that maps users. */
  readonly mapsUsers: boolean | undefined;
  /** Users may make user namespaces. */
  readonly userNamespaces: boolean | undefined;
}

export const NO_FACTS: HostFacts = { versions: new Map(), cgroup: undefined, apparmor: undefined, selinux: undefined, mapsUsers: undefined, userNamespaces: undefined };

const COMPONENTS: readonly Component[] = ['kernel', 'runc', 'containerd', 'docker', 'crio', 'nvidia-toolkit', 'docker-desktop'];
const SWITCHES = { 'apparmor': 'apparmor', 'selinux': 'selinux', 'maps-users': 'mapsUsers', 'user-namespaces': 'userNamespaces' } as const;
const VERSION = /^v?\d{1,6}(?:\.\d{1,6}){1,3}(?:[-+~_.][\w.+~-]{1,60})?$/;

/** What `--host KEY=VALUE` may say. */
export const FACT_NAMES: readonly string[] = [...COMPONENTS, 'cgroup', ...Object.keys(SWITCHES)];

/** `runc=1.1.11`, `cgroup=1`, `apparmor=no`. @throws AuditInputError */
export function withFact(facts: HostFacts, text: string): HostFacts {
  const equals = text.indexOf('=');
  const [key, value] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
  const component = COMPONENTS.find((name) => name === key);
  if (component !== undefined) {
    if (!VERSION.test(value)) throw new AuditInputError(`"${value}" is no version of ${key}`, `such as ${key}=1.2.3`);
    return { ...facts, versions: new Map([...facts.versions, [component, value]]) };
  }
  if (key === 'cgroup') {
    if (value !== '1' && value !== '2') throw new AuditInputError(`"${value}" is no version of cgroups`, 'it is 1 or 2');
    return { ...facts, cgroup: value === '1' ? 1 : 2 };
  }
  if (Object.hasOwn(SWITCHES, key)) {
    if (value !== 'yes' && value !== 'no') throw new AuditInputError(`"${value}" is not understood for ${key}`, 'it is yes or no');
    return { ...facts, [SWITCHES[key as keyof typeof SWITCHES]]: value === 'yes' };
  }
  const guess = nearest(key, FACT_NAMES);
  throw new AuditInputError(`nothing about a host is called "${key}"`, guess === undefined ? `there are ${FACT_NAMES.join(', ')}` : `did you mean ${guess}?`);
}

type Found = readonly (readonly [Component, string])[];

/** `docker info --format json`. */
function fromDockerInfo(value: Json, facts: HostFacts): HostFacts {
  const options = textsAt(value, 'SecurityOptions');
  const commit = textAt(value, 'RuncCommit', 'ID');
  const found: Found = [['kernel', textAt(value, 'KernelVersion')], ['docker', textAt(value, 'ServerVersion')], ['runc', VERSION.test(commit) ? commit : ''], ['containerd', textAt(value, 'ContainerdCommit', 'ID')]];
  const version = textAt(value, 'CgroupVersion');
  const has = (name: string): boolean => options.some((option) => option.startsWith(`name=${name}`));
  return { ...withVersions(facts, found), cgroup: version === '1' ? 1 : version === '2' ? 2 : facts.cgroup, apparmor: has('apparmor'), selinux: has('selinux'), mapsUsers: has('userns') || has('rootless') };
}

/** `docker version --format json`: the parts of the server. */
function fromDockerVersion(value: Json, facts: HostFacts): HostFacts {
  const components = listAt(value, 'Server', 'Components').map((part) => [textAt(part, 'Name').toLowerCase(), textAt(part, 'Version')] as const);
  const versionOf = (name: string): string => components.find(([known]) => known === name)?.[1] ?? '';
  const desktop = /Docker Desktop (\S+)/.exec(textAt(value, 'Server', 'Platform', 'Name'))?.[1] ?? '';
  return withVersions(facts, [['docker', versionOf('engine')], ['containerd', versionOf('containerd')], ['runc', versionOf('runc')], ['docker-desktop', desktop], ['kernel', textAt(value, 'Server', 'KernelVersion')]]);
}

/** `podman info --format json`. */
function fromPodmanInfo(value: Json, facts: HostFacts): HostFacts {
  const runtime = textAt(value, 'host', 'ociRuntime', 'name');
  const version = /version (\S+)/.exec(textAt(value, 'host', 'ociRuntime', 'version'))?.[1] ?? '';
  const security = (name: string): boolean | undefined => {
    const known = fieldAt(value, 'host', 'security', name);
    return typeof known === 'boolean' ? known : undefined;
  };
  const cgroup = textAt(value, 'host', 'cgroupVersion');
  return { ...withVersions(facts, [['kernel', textAt(value, 'host', 'kernel')], ...(runtime === 'runc' ? [['runc', version] as const] : [])]), cgroup: cgroup === 'v1' ? 1 : cgroup === 'v2' ? 2 : facts.cgroup, apparmor: security('apparmorEnabled'), selinux: security('selinuxEnabled'), mapsUsers: security('rootless') };
}

/** `kubectl get nodes -o json`, or one of them: the oldest of each counts. */
function fromNodes(nodes: readonly Json[], facts: HostFacts): HostFacts {
  return nodes.reduce<HostFacts>((known, node) => {
    const [, name = '', version = ''] = /^(docker|containerd|cri-o):\/\/(.+)$/.exec(textAt(node, 'status', 'nodeInfo', 'containerRuntimeVersion')) ?? [];
    const component = name === 'cri-o' ? 'crio' : name === 'docker' || name === 'containerd' ? name : undefined;
    const found: Found = [['kernel', textAt(node, 'status', 'nodeInfo', 'kernelVersion')], ...(component === undefined ? [] : [[component, version] as const])];
    return withVersions(known, found.filter(([key, value]) => !known.versions.has(key) || compareVersions(value, known.versions.get(key) ?? '') < 0));
  }, facts);
}

function withVersions(facts: HostFacts, found: Found): HostFacts {
  return { ...facts, versions: new Map([...facts.versions, ...found.filter(([, version]) => VERSION.test(version))]) };
}

/** What a document says of its host. @throws AuditInputError */
export function withFactsOf(facts: HostFacts, text: string): HostFacts {
  const [value] = readJson(text).documents;
  if (value !== undefined && isObject(value)) {
    if (isObject(fieldAt(value, 'host', 'ociRuntime'))) return fromPodmanInfo(value, facts);
    if (fieldAt(value, 'ServerVersion') !== undefined) return fromDockerInfo(value, facts);
    if (isObject(fieldAt(value, 'Server'))) return fromDockerVersion(value, facts);
    if (textAt(value, 'kind') === 'Node') return fromNodes([value], facts);
    const nodes = listAt(value, 'items').filter((item) => isObject(fieldAt(item, 'status', 'nodeInfo')));
    if (nodes.length > 0) return fromNodes(nodes, facts);
  }
  throw new AuditInputError('it says nothing of a host', 'give the output of "docker info --format json", "docker version --format json", "podman info --format json" or "kubectl get nodes -o json"');
}

/** Numbers first; `1.0.0-rc5` is before `1.0.0`. What a distribution adds (`-91-generic`, `+deb12u1`, `-amzn`) does not count. */
export function compareVersions(one: string, other: string): number {
  const parts = (version: string): readonly number[] => {
    const [, numbers = '', rest = ''] = /^v?(\d+(?:\.\d+)*)(.*)$/.exec(version) ?? [];
    const three = numbers.split('.').map(Number);
    const candidate = /^[-~.]?rc\.?(\d+)/.exec(rest)?.[1];
    const early = /^[-~.]?(?:alpha|beta)/.test(rest);
    return [...[0, 1, 2, 3].map((index) => three[index] ?? 0), early ? -2 : candidate === undefined ? 0 : -1, Number(candidate ?? 0)];
  };
  const [left, right] = [parts(one), parts(other)];
  for (const [index, value] of left.entries()) if (value !== right[index]) return value - (right[index] ?? 0);
  return 0;
}

/** Short forms of a service's settings (compose-spec 05-services.md). What is in a long form already is answered as it is. */
import { ComposeError } from './errors.ts';
import { MOST_RANGE } from './limits.ts';
import { shellWords } from './shell-words.ts';
import { isList, isObject } from './shape.ts';
import type { Json } from './shape.ts';

const LAST_PORT = 65_535;
const PORT_EXAMPLES = 'such as "8080:80", "127.0.0.1:8080:80", "53:53/udp" or "80"';

/** A command: a list, or one text that is taken apart as a shell does it. */
export function commandWords(value: Json, where: string): Json {
  return typeof value === 'string' ? shellWords(value, where) : value;
}

/** `healthcheck.test`: a text is for the shell. */
export function healthTest(value: Json): Json {
  return typeof value === 'string' ? ['CMD-SHELL', value] : value;
}

function rangeOf(text: string): readonly [first: number, last: number] | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === undefined || Number(last) > LAST_PORT || Number(first) > Number(last)) return undefined;
  return [Number(first), Number(last)];
}

/** `[[IP:][HOST]:]CONTAINER[/PROTOCOL]`, with ranges: each port of the container by itself. */
function portsOf(text: string, where: string): readonly Json[] {
  const wrong = (why: string): ComposeError => new ComposeError(`${where}: cannot publish "${text}": ${why}`, PORT_EXAMPLES);
  const [, whole = '', protocol = 'tcp'] = /^([^/]*)(?:\/(.*))?$/s.exec(text) ?? [];
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw wrong(`"${protocol}" is no protocol`);
  const [, bracketed, rest = whole] = /^\[([^\]]+)\]:(.*)$/.exec(whole) ?? [];
  const parts = rest.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const address = bracketed ?? (parts.length === 0 ? undefined : parts.join(':'));
  const inner = rangeOf(container);
  if (inner === undefined || inner[0] === 0) throw wrong(`"${container}" is no port from 1 to ${LAST_PORT}`);
  const outer = host === '' ? undefined : rangeOf(host);
  if (host !== '' && outer === undefined) throw wrong(`"${host}" is no port`);
  const count = inner[1] - inner[0] + 1;
  if (count > MOST_RANGE) throw wrong(`it is more than ${MOST_RANGE} ports`);
  if (outer !== undefined && count > 1 && outer[1] - outer[0] + 1 !== count) throw wrong('the two ranges are not of one size');
  const common = { mode: 'ingress', protocol, ...(address === undefined || address === '' ? {} : { host_ip: address }) };
  return Array.from({ length: count }, (_, index) => ({
    ...common, target: inner[0] + index, ...(outer === undefined ? {} : { published: count > 1 ? String(outer[0] + index) : host }),
  }));
}

/** A list of ports, each a number, a text or a mapping. */
export function publishedPorts(value: Json, where: string): Json {
  if (!isList(value)) return value;
  return value.flatMap((port, index) => {
    if (typeof port === 'number' || typeof port === 'string') return portsOf(String(port), `${where}.${index}`);
    return isObject(port) ? [{ mode: 'ingress', protocol: 'tcp', ...port }] : [port];
  });
}

/** Of long forms. */
export function portKey(port: Json): string {
  if (!isObject(port)) return JSON.stringify(port);
  return [port['host_ip'], port['published'], port['target'], port['protocol']].map((part) => String(part ?? '')).join('|');
}

const VOLUME_FLAGS: ReadonlyMap<string, readonly [section: string, key: string, value: Json]> = new Map<string, readonly [string, string, Json]>([
  ['ro', ['', 'read_only', true]], ['nocopy', ['volume', 'nocopy', true]], ['z', ['bind', 'selinux', 'z']], ['Z', ['bind', 'selinux', 'Z']],
  ...['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'].map((name) => [name, ['bind', 'propagation', name]] as const),
]);
/** What is so anyway, and Docker Desktop's hints, which mean nothing on Linux. */
const NO_FLAGS = ['rw', 'cached', 'delegated', 'consistent'];

/** `[SOURCE:]TARGET[:FLAGS]`. */
export function volumeMount(value: Json, where: string): Json {
  if (typeof value !== 'string') return value;
  const wrong = (why: string): ComposeError => new ComposeError(`${where}: cannot mount "${value}": ${why}`, 'it is [SOURCE:]TARGET[:FLAGS], such as ./data:/data:ro');
  const parts = value.split(':');
  const [source, target = '', flags = ''] = parts.length === 1 ? ['', ...parts] : parts;
  if (parts.length > 3 || value === '') throw wrong('it has too many or too few parts');
  if (!target.startsWith('/')) throw wrong(`"${target}" is not absolute`);
  const isBind = /^[./~]/.test(source ?? '');
  const mount: Record<string, Json> = { type: isBind ? 'bind' : 'volume', ...(source === '' || source === undefined ? {} : { source }), target };
  if (isBind) mount['bind'] = { create_host_path: true };
  for (const name of flags.split(',').filter((one) => one !== '' && !NO_FLAGS.includes(one))) {
    const known = VOLUME_FLAGS.get(name);
    if (known === undefined) throw wrong(`there is no flag "${name}"`);
    const [section, key, setting] = known;
    if (section === '') mount[key] = setting;
    else mount[section] = { ...(isObject(mount[section]) ? mount[section] : {}), [key]: setting };
  }
  return mount;
}

export function targetKey(item: Json): string {
  return isObject(item) ? String(item['target'] ?? item['source'] ?? '').replace(/(?<=.)\/+$/, '') : String(item);
}

/** `depends_on` as a list of names. */
export function dependencies(value: Json): Json {
  return isList(value) ? Object.fromEntries(value.map((name) => [String(name), { condition: 'service_started', required: true }])) : value;
}

/** `extra_hosts`: a list of `NAME=IP` or `NAME:IP`, or a mapping. Answered as `NAME=IP`. */
export function extraHosts(value: Json, where: string): Json {
  const entries = isObject(value) ? Object.entries(value).flatMap(([name, address]) => (isList(address) ? address : [address]).map((one) => `${name}=${String(one)}`)) : isList(value) ? value.map(String) : undefined;
  if (entries === undefined) return value;
  return entries.map((entry) => {
    const [, name, address] = /^([^=:]+)[=:](.+)$/.exec(entry) ?? [];
    if (name === undefined || address === undefined) throw new ComposeError(`${where}: "${entry}" is no NAME=ADDRESS`, 'such as "somehost=162.242.195.82"');
    return `${name}=${address.replace(/^\[(.*)\]$/, '$1')}`;
  });
}

/** `env_file`: a path, or a list of paths and mappings. */
export function environmentFiles(value: Json): Json {
  const items = isList(value) ? value : [value];
  return items.map((item) => (isObject(item) ? { required: true, ...item } : { path: item, required: true }));
}

/** A secret or a config by its name. */
export function grant(value: Json): Json {
  return typeof value === 'string' ? { source: value } : value;
}

/** `tmpfs`: a text or a list of them. */
export function oneOrMore(value: Json): Json {
  return typeof value === 'string' ? [value] : value;
}

/** `ulimits.nofile: 1024`. */
export function ulimit(value: Json): Json {
  return typeof value === 'number' || typeof value === 'string' ? { soft: value, hard: value } : value;
}

/** `build: DIRECTORY`. */
export function buildContext(value: Json): Json {
  return typeof value === 'string' ? { context: value } : value;
}

/** `extends: SERVICE`. */
export function extended(value: Json): Json {
  return typeof value === 'string' ? { service: value } : value;
}

/** `external: {name: NAME}`, of long ago. */
export function withExternalName(value: Json): Json {
  if (!isObject(value) || !isObject(value['external'])) return value;
  return { ...value, external: true, name: value['external']['name'] ?? value['name'] ?? null };
}

/** Values as Docker's flags, its API's documents and Compose write them. What cannot be read is taken at its worst, so that nothing is hidden by a form that is not known here. */
import { capabilityName } from './capabilities.ts';
import { MOST_VALUE } from './limits.ts';
import type { Configuration, Confinement, Device, Mount, NamespaceUse, Port, RestartPolicy } from './model.ts';

const PROPAGATIONS: ReadonlySet<string> = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable']);

/** `SRC:DST[:OPTIONS]`, or `DST` for an anonymous volume. A source without a slash is a volume's name. */
export function parseVolume(text: string): Mount {
  const parts = text.split(':');
  const [source, destination, options] = parts.length === 1 ? ['', parts[0] ?? '', ''] : [parts[0] ?? '', parts[1] ?? '', parts.slice(2).join(':')];
  const words = options.split(',');
  const isPath = /^[/.~$]/.test(source);
  return { kind: isPath ? 'bind' : 'volume', source, destination, readOnly: words.includes('ro') || words.includes('readonly'), propagation: words.find((word) => PROPAGATIONS.has(word)) ?? '', volumeType: '' };
}

/** Options of a volume, with `ro` or without shared propagation. */
export function withVolumeOption(text: string, change: 'read-only-mount' | 'private-mount'): string {
  const [source = '', destination = '', options = ''] = text.split(':');
  const given = options.split(',').filter((option) => option !== '');
  const kept = change === 'read-only-mount' ? [...given.filter((option) => option !== 'rw'), 'ro'] : given.filter((option) => !/^r?(?:shared|slave)$/.test(option));
  return [source, destination, ...(kept.length === 0 ? [] : [kept.join(',')])].join(':');
}

/** `type=bind,source=/x,target=/y,readonly`, fields in quotes as in CSV. */
export function parseMount(given: string): Mount {
  const text = given.slice(0, MOST_VALUE);
  const fields = new Map(splitCsv(text).map((field) => {
    const equals = field.indexOf('=');
    return equals < 0 ? [field.toLowerCase(), 'true'] : [field.slice(0, equals).toLowerCase(), field.slice(equals + 1)];
  }));
  const first = (...names: readonly string[]): string => names.map((name) => fields.get(name)).find((value) => value !== undefined) ?? '';
  const type = first('type') || 'volume';
  const isBindVolume = type === 'volume' && /(?:^|[\s,"])o=[^"]*\bbind\b/.test(text.replaceAll('volume-opt=', ''));
  const device = /volume-opt=device=([^,"]+)/.exec(text)?.[1] ?? '';
  const kind = type === 'bind' || isBindVolume ? 'bind' : type === 'tmpfs' ? 'tmpfs' : type === 'volume' ? 'volume' : 'other';
  const readOnly = isTrue(first('readonly', 'ro') || 'false') || first('rw') === 'false';
  return { kind, source: isBindVolume ? device : first('source', 'src'), destination: first('destination', 'dst', 'target'), readOnly, propagation: first('bind-propagation'), volumeType: '' };
}

/** RFC 4180, one record. */
export function splitCsv(text: string): readonly string[] {
  const fields = [''];
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) fields.push('');
    else fields[fields.length - 1] += character;
  }
  return fields;
}

/** Go's strconv.ParseBool, as the flags of Docker use it. */
export function isTrue(text: string): boolean {
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text);
}

/** `/dev/sda[:/dev/xvda[:rwm]]`; names of the Container Device Interface (`vendor.com/class=name`) have no path of their own. */
export function parseDevice(text: string): Device {
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const hasPermissions = parts.length > 1 && /^[rwm]+$/.test(last);
  return { path: parts[0] ?? '', permissions: hasPermissions ? last : 'rwm', isBlock: false };
}

/** `[ADDRESS:][HOST:]CONTAINER[/udp]`; of a range, the first. */
export function parsePort(text: string): Port {
  const body = text.replace(/\/(?:tcp|udp|sctp)$/i, '');
  const containerAt = body.lastIndexOf(':');
  const before = containerAt < 0 ? '' : body.slice(0, containerAt);
  const hostAt = /^\d[\d-]*$|^$/.test(before) ? -1 : before.lastIndexOf(':');
  const [address, host] = hostAt < 0 ? (/^[\d-]*$/.test(before) ? ['', before] : [before, '']) : [before.slice(0, hostAt), before.slice(hostAt + 1)];
  return { hostAddress: address.replace(/^\[|\]$/g, ''), hostPort: firstPort(host), containerPort: firstPort(body.slice(containerAt + 1)) };
}

/** As Caisson publishes a port where no address is written out. */
export function atLoopback(port: Port): Port {
  return port.hostAddress === '' ? { ...port, hostAddress: '127.0.0.1' } : port;
}

function firstPort(text: string): number {
  const [first = ''] = text.split('-');
  return /^\d{1,5}$/.test(first) ? Number(first) : 0;
}

/** `8080:80` or `0.0.0.0:8080:80`: the same on this machine only. */
export function withLocalAddress(value: string): string {
  const [, container = value] = /:(\d[\d-]*(?:\/\w+)?)$/.exec(value) ?? [];
  const before = value.slice(0, Math.max(0, value.length - container.length - 1));
  const host = before.slice(before.lastIndexOf(':') + 1);
  return `127.0.0.1:${/^\d[\d-]*$/.test(host) ? host : ''}:${container}`;
}

/** Bytes of `512m`, `1.5g`, `1073741824`; of Kubernetes' `512Mi` as well. Undefined for what is no size. */
export function parseBytes(text: string): number | undefined {
  const [, number = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(text) ?? [];
  if (number === '') return undefined;
  const power = ['', 'k', 'm', 'g', 't', 'p', 'e'].indexOf(unit.toLowerCase().replace(/i?b?$/, ''));
  return power < 0 ? undefined : Number(number) * 1024 ** power;
}

/** `no`, `always`, `on-failure:5`, `unless-stopped`. */
export function parseRestart(text: string): RestartPolicy {
  const [name = '', retries = '0'] = text.split(':');
  return { name: name === '' ? 'no' : name, retries: /^\d{1,9}$/.test(retries) ? Number(retries) : 0 };
}

/** `host`, `container:NAME`, `private`, … */
export function namespaceUse(text: string): NamespaceUse {
  if (text === 'host') return 'host';
  return /^(?:container|service|pod|ns):/.test(text) ? 'shared' : 'own';
}

export interface SecurityOptions {
  readonly seccomp: Confinement;
  readonly apparmor: Confinement;
  readonly selinux: Configuration['selinux'];
  readonly noNewPrivileges: boolean;
  readonly unmaskedPaths: boolean;
}

function confinement(value: string, defaults: readonly string[]): Confinement {
  return value === 'unconfined' ? 'unconfined' : value === '' || defaults.includes(value) ? 'default' : 'custom';
}

/** The values of `--security-opt`: `seccomp=unconfined`, `label:disable`, `no-new-privileges`, `systempaths=unconfined`, Podman's `unmask=ALL`. */
export function parseSecurityOptions(texts: readonly string[]): SecurityOptions {
  let [seccomp, apparmor, noNewPrivileges, unmaskedPaths]: [Confinement, Confinement, boolean, boolean] = ['default', 'default', false, false];
  let selinux: Configuration['selinux'] = { state: 'default', type: '', user: '', role: '' };
  for (const text of texts) {
    const [, key = '', value = ''] = /^([^=:]*)(?:[=:]([\s\S]*))?$/.exec(text) ?? [];
    if (key === 'seccomp') seccomp = confinement(value, ['builtin', 'default']);
    else if (key === 'apparmor') apparmor = confinement(value, ['docker-default', 'containers-default', 'runtime/default']);
    else if (key === 'no-new-privileges') noNewPrivileges = value === '' || isTrue(value);
    else if (key === 'systempaths') unmaskedPaths ||= value === 'unconfined';
    else if (key === 'unmask') unmaskedPaths ||= value !== '';
    else if (key === 'label' || key === 'label-disable') selinux = labelOption(selinux, key === 'label' ? value : 'disable');
  }
  return { seccomp, apparmor, selinux, noNewPrivileges, unmaskedPaths };
}

function labelOption(label: Configuration['selinux'], value: string): Configuration['selinux'] {
  if (value === 'disable') return { ...label, state: 'disabled' };
  const [, part = '', name = ''] = /^(user|role|type|level)[:=](.*)$/.exec(value) ?? [];
  if (part === 'type') return { ...label, state: label.state === 'disabled' ? 'disabled' : 'custom', type: name };
  return part === 'user' || part === 'role' ? { ...label, [part]: name } : label;
}

/** `NAME=VALUE`, or a name whose value comes from elsewhere. */
export function environmentOf(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(texts.map((text) => {
    const equals = text.indexOf('=');
    return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  }));
}

/** Names in lists, commas between them as Docker allows. */
export function capabilityList(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => text.split(',')).map(capabilityName).filter((name) => name !== ''))];
}

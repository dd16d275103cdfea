/** Published ports as people write and read them: `-p`, `-P`, `--expose`, and what `ps`, `port` and `inspect` show. */
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, EPERM, ERRNO_NAMES } from '../../abi/errno.ts';
import { parseAddress } from '../../container/index.ts';
import type { BoundPort, PortError, PublishedPort } from '../../container/index.ts';
import type { ContainerRecord, KeptContainer } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';

type Protocol = PublishedPort['protocol'];

/** More is a slip, or an image that means no good. */
const MOST_PORTS = 512;
const LAST_PORT = 65_535;
const EXAMPLES = 'such as 8080:80, 127.0.0.1:8080:80, [::1]:8080:80, 53:53/udp, or 80 for any free port';

type Range = readonly [first: number, last: number];

/** `80` or `80-89`. */
function parseRange(text: string): Range | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first <= last && last <= LAST_PORT ? [first, last] : undefined;
}

/** Of an image, too, which may say anything: undefined where it is no port, or of another protocol. */
function parseExposed(text: string): { readonly protocol: Protocol; readonly range: Range } | undefined {
  const [ports = '', protocol = 'tcp', ...rest] = text.toLowerCase().split('/');
  const range = parseRange(ports);
  if (range === undefined || range[0] === 0 || rest.length > 0 || (protocol !== 'tcp' && protocol !== 'udp')) return undefined;
  return { protocol, range };
}

function each<Item>([first, last]: Range, make: (port: number) => Item): readonly Item[] {
  return Array.from({ length: Math.min(last - first, MOST_PORTS) + 1 }, (_, index) => make(first + index));
}

/** Address, host's ports and the container's, as they stand in `-p`. */
function splitPublished(text: string): { readonly address: string | undefined; readonly host: string; readonly container: string } | undefined {
  const bracketed = /^\[([^\]]*)\]:(.*)$/.exec(text);
  const parts = (bracketed?.[2] ?? text).split(':');
  if (bracketed !== null) return parts.length === 2 ? { address: bracketed[1] ?? '', host: parts[0] ?? '', container: parts[1] ?? '' } : undefined;
  if (parts.length > 3) return undefined;
  const [container = '', host = '', address] = parts.reverse();
  return { address, host, container };
}

/** `[IP:][HOST]:CONTAINER[/tcp|udp]`, or `CONTAINER`; also ranges. @throws UserError */
export function parsePublished(text: string): readonly PublishedPort[] {
  const wrong = (why: string): UserError => new UserError(`cannot use --publish ${text}: ${why}`, EXAMPLES);
  const [, ports = '', protocol = 'tcp'] = /^([^/]*)(?:\/(.*))?$/s.exec(text.toLowerCase()) ?? [];
  if (protocol !== 'tcp' && protocol !== 'udp') throw wrong(`"${protocol}" is not tcp or udp`);
  const split = splitPublished(ports);
  if (split === undefined) throw wrong('it is [IP:][HOST:]CONTAINER[/tcp|udp], with an IPv6 address in brackets');
  const { address, host, container } = split;
  if (address !== undefined && parseAddress(address) === undefined) throw wrong(`"${address}" is not an IP address`);
  const inner = parseRange(container);
  if (inner === undefined || inner[0] === 0) throw wrong(`the container's port "${container}" is not a number from 1 to ${LAST_PORT}`);
  const outer = host === '' ? [0, 0] as const : parseRange(host);
  if (outer === undefined) throw wrong(`the host's port "${host}" is not a number from 0 to ${LAST_PORT}`);
  const size = inner[1] - inner[0];
  const isSame = outer[1] - outer[0] === size;
  if (!isSame && size > 0 && outer[1] > 0) throw wrong('the two ranges are not of one size');
  const common = { protocol, ...(address === undefined ? {} : { address }) } as const;
  // A range for one port: the first of it that is free.
  const hostPorts = (port: number): Range => (outer[1] === 0 ? [0, 0] : size === 0 ? outer : [outer[0] + port - inner[0], outer[0] + port - inner[0]]);
  return each(inner, (port) => ({ ...common, port, hostPorts: hostPorts(port) }));
}

/** What the image and `--expose` say, each as `PORT/PROTOCOL`. @throws UserError */
export function exposedPorts(values: FlagValues, image: readonly string[]): readonly string[] {
  const own = values.all('expose').flatMap((text) => {
    const exposed = parseExposed(text);
    if (exposed === undefined) throw new UserError(`cannot use --expose ${text}: it is PORT[-PORT][/tcp|udp]`, 'such as 80 or 53/udp');
    return each(exposed.range, (port) => `${port}/${exposed.protocol}`);
  });
  return [...new Set([...image, ...own])];
}

/** `-p` and, for what is exposed and not among them, `-P`. @throws UserError */
export function publishedPorts(values: FlagValues, exposed: readonly string[]): readonly PublishedPort[] {
  const named = values.all('publish').flatMap(parsePublished);
  const others = !values.has('publish-all') ? [] : exposed.flatMap((text) => {
    const found = parseExposed(text);
    return found === undefined ? [] : each(found.range, (port): PublishedPort => ({ protocol: found.protocol, port, hostPorts: [0, 0] }));
  });
  const isSame = (one: PublishedPort, other: PublishedPort): boolean => one.port === other.port && one.protocol === other.protocol;
  const all = [...named, ...others.filter((port, index) => !named.some((other) => isSame(port, other)) && others.findIndex((other) => isSame(port, other)) === index)];
  if (all.length > MOST_PORTS) throw new UserError(`cannot publish more than ${MOST_PORTS} ports`, 'publish those that are needed with -p');
  return all;
}

export function addressText(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** What is said where a port of the host cannot be had. */
export function publishError({ address, hostPort, errno }: PortError): UserError {
  const place = `${addressText(address)}:${hostPort}`;
  if (errno === EADDRINUSE) return new UserError(`cannot publish ${place}: the port is in use on this machine`, 'choose another one, or leave it out for any free one: -p CONTAINER_PORT');
  if (errno === EACCES || errno === EPERM) return new UserError(`cannot publish ${place}: permission denied`, 'ports below 1024 are for root; choose a higher one');
  if (errno === EADDRNOTAVAIL) return new UserError(`cannot publish ${place}: this machine does not have that address`, 'see "ip address", or use 0.0.0.0 for all');
  return new UserError(`cannot publish ${place}: ${ERRNO_NAMES.get(errno) ?? `error ${errno}`}`, 'check --publish');
}

/** Of a container that runs, in the order in which Docker shows them. */
export function boundPorts({ state }: KeptContainer): readonly BoundPort[] {
  const ports = state.status === 'running' ? state.ports ?? [] : [];
  return [...ports].sort((one, other) => one.port - other.port || (one.protocol < other.protocol ? -1 : Number(one.protocol > other.protocol)));
}

interface Shown {
  readonly place: string;
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** Neighbours become a range (`DisplayablePorts` of Docker's command line). */
function joined(ports: readonly Shown[]): readonly Shown[] {
  const ranges: Shown[] = [];
  for (const port of ports) {
    const index = ranges.findIndex((range) => range.place === port.place && range.protocol === port.protocol && range.last + 1 === port.first);
    const range = ranges[index];
    if (range === undefined) ranges.push(port);
    else ranges[index] = { ...range, last: port.last };
  }
  return ranges;
}

/** The column PORTS: what is published, and what is only exposed. */
export function portsText(container: KeptContainer): string {
  if (container.state.status !== 'running') return '';
  const bound = boundPorts(container);
  const exposed = (container.record?.defaults.exposedPorts ?? []).flatMap((text) => {
    const found = parseExposed(text);
    return found === undefined ? [] : [{ protocol: found.protocol, port: found.range[0], last: found.range[1] }];
  }).filter(({ port, protocol }) => !bound.some((other) => other.port === port && other.protocol === protocol)).sort((one, other) => one.port - other.port);
  const same = [
    ...bound.filter(({ port, hostPort }) => port === hostPort).map(({ address, port, protocol }) => ({ place: `${addressText(address)}:`, first: port, last: port, protocol })),
    ...exposed.map(({ port, last, protocol }) => ({ place: '', first: port, last, protocol })),
  ];
  const text = ({ place, first, last, protocol }: Shown): string => {
    const ports = first === last ? String(first) : `${first}-${last}`;
    return place === '' ? `${ports}/${protocol}` : `${place}${ports}->${ports}/${protocol}`;
  };
  const others = bound.filter(({ port, hostPort }) => port !== hostPort).map(({ address, hostPort, port, protocol }) => `${addressText(address)}:${hostPort}->${port}/${protocol}`);
  return [...joined(same).map(text), ...others].join(', ');
}

type Bindings = Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;

/** `NetworkSettings.Ports`: null for what is only exposed; nothing where it does not run. */
export function portFields(container: KeptContainer): Bindings {
  if (container.state.status !== 'running') return {};
  const fields = new Map<string, { HostIp: string; HostPort: string }[] | null>((container.record?.defaults.exposedPorts ?? []).map((text) => [text, null]));
  for (const { address, hostPort, port, protocol } of boundPorts(container)) {
    const key = `${port}/${protocol}`;
    fields.set(key, [...fields.get(key) ?? [], { HostIp: address, HostPort: String(hostPort) }]);
  }
  return Object.fromEntries(fields);
}

/** `HostConfig.PortBindings`: what was asked for. An empty address is loopback. */
export function bindingFields({ container }: ContainerRecord): Bindings {
  const fields = new Map<string, { HostIp: string; HostPort: string }[]>();
  for (const { protocol, port, address = '', hostPorts: [first, last] } of container.network.ports ?? []) {
    const key = `${port}/${protocol}`;
    fields.set(key, [...fields.get(key) ?? [], { HostIp: address, HostPort: first === last ? String(first || '') : `${first}-${last}` }]);
  }
  return Object.fromEntries(fields);
}

/** Whether `ps --filter publish=` or `expose=` means it: `80`, `80-90`, `53/udp`. @throws UserError */
export function portFilter(key: 'publish' | 'expose', text: string): (container: KeptContainer) => boolean {
  const wanted = parseExposed(text);
  if (wanted === undefined) throw new UserError(`cannot use --filter ${key}=${text}: it is PORT[-PORT][/tcp|udp]`, 'such as 80 or 53/udp');
  const { protocol, range: [first, last] } = wanted;
  if (key === 'publish') return (container) => boundPorts(container).some((port) => port.protocol === protocol && port.hostPort >= first && port.hostPort <= last);
  return ({ record }) => [...record?.defaults.exposedPorts ?? [], ...(record?.container.network.ports ?? []).map((port) => `${port.port}/${port.protocol}`)].some((exposed) => {
    const found = parseExposed(exposed);
    return found?.protocol === protocol && found.range[0] <= last && found.range[1] >= first;
  });
}

/** Events as lines of JSON, and back. */
import type { FileFacts, ProgramFacts, SystemEvent } from '../kernel/watch/types.ts';
import { MOST_ANCESTORS } from '../kernel/watch/limits.ts';
import { timeOf } from './fields.ts';
import type { ContainerFacts } from './subject.ts';
import { toBytes, toText } from './text.ts';

export const STREAM_VERSION = 1;

interface JsonProgram {
  readonly pid: number;
  readonly vpid?: number;
  readonly name: string;
  readonly exe: string;
  readonly exepath: string;
  readonly args: readonly string[];
  readonly upper?: boolean;
  readonly memory?: boolean;
  readonly parent?: JsonProgram;
}

interface JsonFile {
  readonly fd?: number;
  readonly type: FileFacts['type'];
  readonly name: string;
  readonly other?: string;
  readonly given?: string;
  readonly protocol?: FileFacts['protocol'];
  readonly local?: readonly [address: string, port: number];
  readonly remote?: readonly [address: string, port: number];
  readonly server?: boolean;
}

function programJson(program: ProgramFacts): JsonProgram {
  return {
    pid: program.pid, ...(program.virtualPid === program.pid ? {} : { vpid: program.virtualPid }), name: toText(program.name), exe: toText(program.exe), exepath: toText(program.exePath),
    args: program.arguments.map(toText), ...(program.inUpperLayer ? { upper: true } : {}), ...(program.fromMemory ? { memory: true } : {}),
    ...(program.parent === undefined ? {} : { parent: programJson(program.parent) }),
  };
}

/** A program is the same for many events. */
const programTexts = new WeakMap<ProgramFacts, string>();

function programText(program: ProgramFacts): string {
  let text = programTexts.get(program);
  if (text === undefined) {
    text = JSON.stringify(programJson(program));
    programTexts.set(program, text);
  }
  return text;
}

function fileJson({ number, type, name, otherName, givenName, protocol, localAddress, localPort, remoteAddress, remotePort, isServer }: FileFacts): JsonFile {
  return {
    ...(number < 0 ? {} : { fd: number }), type, name: toText(name), ...(otherName === undefined ? {} : { other: toText(otherName) }),
    ...(givenName === undefined || givenName === name ? {} : { given: toText(givenName) }), ...(protocol === undefined ? {} : { protocol }),
    ...(localAddress === undefined ? {} : { local: [localAddress, localPort ?? 0] as const }), ...(remoteAddress === undefined ? {} : { remote: [remoteAddress, remotePort ?? 0] as const }),
    ...(isServer ? { server: true } : {}),
  };
}

function argumentsJson(named: ReadonlyMap<string, string | number>): string {
  return `{${[...named].map(([name, value]) => `"${name}":${typeof value === 'number' ? value : JSON.stringify(toText(value))}`).join(',')}}`;
}

/** The first line of a stream: what the events are of. */
export function headerLine(container: ContainerFacts): string {
  const { id, name, image, imageId, imageDigest, hostname, mounts, userNames, groupNames } = container;
  return `${JSON.stringify({ caisson: 'events', version: STREAM_VERSION, container: { id, name: toText(name), image, imageId, imageDigest, hostname: toText(hostname), mounts: mounts.map(toText) }, users: [...userNames].map(([uid, user]) => [uid, toText(user)]), groups: [...groupNames].map(([gid, group]) => [gid, toText(group)]) })}\n`;
}

/** The last line: what there was in all. `events` counts those that were seen, also before a rule began to record. */
export function footerLine(counts: { readonly events: number; readonly waits: number; readonly alerts: number; readonly leftOut: number; readonly droppedSequences?: number }): string {
  return `${JSON.stringify({ caisson: 'end', ...counts })}\n`;
}

export function isFooter(line: string): boolean {
  return line.startsWith('{"caisson":"end",') && readObject(line) !== undefined;
}

export function eventLine(event: SystemEvent): string {
  const { number, type, result, tid, session, processGroup, terminal, uid, gid, file, source, target, openFlags } = event;
  const ofFile = file === undefined ? '' : `,"file":${JSON.stringify(fileJson(file))}`;
  const ofPaths = source === undefined ? '' : `,"source":${JSON.stringify(toText(source))}${target === undefined ? '' : `,"target":${JSON.stringify(toText(target))}`}`;
  return `{"number":${number},"time":"${timeOf(event)}","type":"${type}","result":${result},"tid":${tid},"session":${session},"group":${processGroup},"terminal":${terminal},"uid":${uid},"gid":${gid},"cwd":${JSON.stringify(toText(event.cwd))}${ofFile}${ofPaths}${openFlags === undefined ? '' : `,"openFlags":${openFlags}`},"arguments":${argumentsJson(event.arguments)},"program":${programText(event.program)}}\n`;
}

// ---- back ----

type Loose = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value);
const bytesOf = (value: unknown): string => (typeof value === 'string' ? toBytes(value) : '');
const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function readProgram(value: unknown, depth: number): ProgramFacts | undefined {
  if (!isObject(value) || depth > MOST_ANCESTORS) return undefined;
  const name = bytesOf(value['name']);
  const args = listOf(value['args']).map(bytesOf);
  return {
    pid: numberOf(value['pid']), virtualPid: numberOf(value['vpid'] ?? value['pid']), name, exe: bytesOf(value['exe']), exePath: bytesOf(value['exepath']), arguments: args,
    commandLine: [name, ...args].join(' '), inUpperLayer: value['upper'] === true, fromMemory: value['memory'] === true, parent: readProgram(value['parent'], depth + 1),
  };
}

const FILE_TYPES: ReadonlySet<unknown> = new Set<FileFacts['type']>(['file', 'directory', 'ipv4', 'ipv6', 'unix', 'pipe', 'netlink', 'other']);
const PROTOCOLS: ReadonlySet<unknown> = new Set<FileFacts['protocol']>(['tcp', 'udp', 'icmp', 'raw']);

function readFile(value: unknown): FileFacts | undefined {
  if (!isObject(value) || !FILE_TYPES.has(value['type'])) return undefined;
  const name = bytesOf(value['name']);
  const [localAddress, localPort] = listOf(value['local']);
  const [remoteAddress, remotePort] = listOf(value['remote']);
  return {
    number: typeof value['fd'] === 'number' ? value['fd'] : -1, type: value['type'] as FileFacts['type'], name, isServer: value['server'] === true,
    otherName: value['other'] === undefined ? undefined : bytesOf(value['other']), givenName: value['given'] === undefined ? name : bytesOf(value['given']),
    protocol: PROTOCOLS.has(value['protocol']) ? (value['protocol'] as FileFacts['protocol']) : undefined,
    localAddress: localAddress === undefined ? undefined : bytesOf(localAddress), localPort: localAddress === undefined ? undefined : numberOf(localPort),
    remoteAddress: remoteAddress === undefined ? undefined : bytesOf(remoteAddress), remotePort: remoteAddress === undefined ? undefined : numberOf(remotePort),
  };
}

function readTime(value: unknown): { readonly seconds: number; readonly nanoseconds: number } {
  const [, whole, rest] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/.exec(String(value)) ?? [];
  const milliseconds = whole === undefined ? Number.NaN : Date.parse(`${whole}Z`);
  return Number.isNaN(milliseconds) ? { seconds: 0, nanoseconds: 0 } : { seconds: milliseconds / 1000, nanoseconds: Number(rest) };
}

/** Undefined: it is no event. */
export function readEvent(line: string): SystemEvent | undefined {
  const value = readObject(line);
  const program = readProgram(value?.['program'], 0);
  if (value === undefined || program === undefined || typeof value['type'] !== 'string') return undefined;
  const named = isObject(value['arguments']) ? Object.entries(value['arguments']) : [];
  return {
    number: numberOf(value['number']), ...readTime(value['time']), type: value['type'], result: numberOf(value['result']), program, tid: numberOf(value['tid']),
    session: numberOf(value['session']), processGroup: numberOf(value['group']), terminal: numberOf(value['terminal']), uid: numberOf(value['uid']), gid: numberOf(value['gid']),
    cwd: bytesOf(value['cwd']), file: readFile(value['file']), source: value['source'] === undefined ? undefined : bytesOf(value['source']),
    target: value['target'] === undefined ? undefined : bytesOf(value['target']), openFlags: typeof value['openFlags'] === 'number' ? value['openFlags'] : undefined,
    arguments: new Map(named.map(([name, each]) => [name, typeof each === 'number' ? each : bytesOf(each)])),
  };
}

function readObject(line: string): Loose | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function namesOf(value: unknown): ReadonlyMap<number, string> {
  return new Map(listOf(value).flatMap((pair): [number, string][] => (Array.isArray(pair) && typeof pair[0] === 'number' ? [[pair[0], bytesOf(pair[1])]] : [])));
}

/** Undefined: it is not the first line of a stream of this version. */
export function readHeader(line: string): ContainerFacts | undefined {
  const value = readObject(line);
  if (value?.['caisson'] !== 'events' || value['version'] !== STREAM_VERSION || !isObject(value['container'])) return undefined;
  const { id, name, image, imageId, imageDigest, hostname, mounts } = value['container'];
  return {
    id: bytesOf(id), name: bytesOf(name), image: bytesOf(image), imageId: bytesOf(imageId), imageDigest: bytesOf(imageDigest), hostname: bytesOf(hostname),
    mounts: listOf(mounts).map(bytesOf), userNames: namesOf(value['users']), groupNames: namesOf(value['groups']),
  };
}

/** The fields of conditions and outputs, by Falco's names (falco.org, "Supported Fields for Conditions and Outputs"): those that mean something here. */
import { ERRNO_NAMES } from '../abi/errno.ts';
import { O_ACCMODE, O_CREAT, O_RDWR, O_RDONLY, O_WRONLY, O_PATH } from '../abi/fcntl.ts';
import type { FileFacts, ProgramFacts, SystemEvent } from '../kernel/watch/types.ts';
import type { ContainerFacts, Subject } from './subject.ts';

/** Undefined: the event has none, and every comparison with it is false. */
export type FieldValue = string | number | boolean | undefined;

export interface Field {
  readonly kind: 'text' | 'number' | 'flag' | 'net';
  /** `index`: `[N]` may stand behind it, and without it any of them counts. `name`: `[NAME]` or `.NAME` must. */
  readonly argument?: 'index' | 'name';
  readonly get: (subject: Subject, argument: string | undefined) => FieldValue;
  /** Without an index: all values. */
  readonly all?: (subject: Subject) => readonly FieldValue[];
  /** It is about the file of the event. */
  readonly ofFile?: boolean;
}

const text = (get: (event: SystemEvent, subject: Subject) => FieldValue): Field => ({ kind: 'text', get: (subject) => get(subject.event, subject) });
const number = (get: (event: SystemEvent) => number | undefined): Field => ({ kind: 'number', get: ({ event }) => get(event) });
const flag = (get: (event: SystemEvent) => boolean | undefined): Field => ({ kind: 'flag', get: ({ event }) => get(event) });
const file = (kind: Field['kind'], get: (facts: FileFacts) => FieldValue): Field => ({ kind, ofFile: true, get: (subject) => (subject.file === undefined ? undefined : get(subject.file)) });
const container = (get: (facts: ContainerFacts) => string): Field => ({ kind: 'text', get: (subject) => get(subject.container) });
/** Known to Falco, and here without a value. */
const never = (kind: Field['kind']): Field => ({ kind, get: () => undefined });

// ---- time ----

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** Of the second that was asked for last. */
let second = { seconds: -1, text: '' };

/** `2026-11-30T10:20:30.123456789Z` */
export function timeOf({ seconds, nanoseconds }: SystemEvent): string {
  if (second.seconds !== seconds) second = { seconds, text: new Date(seconds * 1000).toISOString().slice(0, 19) };
  return `${second.text}.${pad(nanoseconds, 9)}Z`;
}

// ---- evt ----

export function resultName(result: number): string {
  return result >= 0 || result < -4095 ? 'SUCCESS' : (ERRNO_NAMES.get(-result) ?? String(result));
}

function argumentOf({ arguments: named }: SystemEvent, name: string | undefined): FieldValue {
  if (name === undefined) return undefined;
  return /^\d+$/.test(name) ? [...named.values()][Number(name)] : named.get(name);
}

function argumentsText({ arguments: named }: SystemEvent): string {
  return [...named].map(([name, value]) => `${name}=${value}`).join(' ');
}

const accessOf = ({ openFlags }: SystemEvent): number => (openFlags === undefined || (openFlags & O_PATH) !== 0 ? -1 : openFlags & O_ACCMODE);
const opens = (event: SystemEvent, ...accesses: readonly number[]): boolean | undefined => (event.openFlags === undefined ? undefined : accesses.includes(accessOf(event)));

const EVENT_FIELDS: Readonly<Record<string, Field>> = {
  'evt.num': number(({ number: value }) => value),
  'evt.time': text((event) => timeOf(event).slice(11, 29)),
  'evt.time.s': text((event) => timeOf(event).slice(11, 19)),
  'evt.time.iso8601': text(timeOf),
  'evt.datetime': text((event) => timeOf(event).slice(0, 29).replace('T', ' ')),
  'evt.rawtime.s': number(({ seconds }) => seconds),
  'evt.rawtime.ns': number(({ nanoseconds }) => nanoseconds),
  'evt.rawtime': text(({ seconds, nanoseconds }) => `${seconds}${pad(nanoseconds, 9)}`),
  'evt.type': text(({ type }) => type),
  'syscall.type': text(({ type }) => type),
  'evt.dir': text(() => '<'),
  'evt.source': text(() => 'syscall'),
  'evt.hostname': { kind: 'text', get: (subject) => subject.container.hostname },
  'evt.args': text(argumentsText),
  'evt.info': text(argumentsText),
  'evt.res': text(({ result }) => resultName(result)),
  'evt.rawres': number(({ result }) => result),
  'evt.failed': flag(({ result }) => result < 0 && result >= -4095),
  'evt.count': number(() => 1),
  'evt.is_open_read': flag((event) => opens(event, O_RDONLY, O_RDWR)),
  'evt.is_open_write': flag((event) => opens(event, O_WRONLY, O_RDWR)),
  'evt.is_open_create': flag(({ openFlags }) => (openFlags === undefined ? undefined : (openFlags & O_CREAT) !== 0)),
  'evt.arg': { kind: 'text', argument: 'name', get: ({ event }, name) => argumentOf(event, name) },
  'evt.rawarg': { kind: 'text', argument: 'name', get: ({ event }, name) => argumentOf(event, name) },
};

// ---- proc ----

function ancestor(program: ProgramFacts, levels: number): ProgramFacts | undefined {
  let at: ProgramFacts | undefined = program;
  for (let level = 0; level < levels && at !== undefined; level++) at = at.parent;
  return at;
}

function ancestors(program: ProgramFacts): ProgramFacts[] {
  const found: ProgramFacts[] = [];
  for (let at = program.parent; at !== undefined; at = at.parent) found.push(at);
  return found;
}

const program = (get: (facts: ProgramFacts) => FieldValue, kind: Field['kind'] = 'text'): Field => ({ kind, get: ({ event }) => get(event.program) });
const parent = (get: (facts: ProgramFacts) => FieldValue, kind: Field['kind'] = 'text'): Field => ({ kind, get: ({ event }) => (event.program.parent === undefined ? undefined : get(event.program.parent)) });
const above = (get: (facts: ProgramFacts) => FieldValue, kind: Field['kind'] = 'text'): Field => ({
  kind, argument: 'index',
  get: ({ event }, level) => {
    const found = ancestor(event.program, Number(level));
    return found === undefined ? undefined : get(found);
  },
  all: ({ event }) => ancestors(event.program).map(get),
});
const argumentText = ({ arguments: args }: ProgramFacts): string => args.join(' ');
const exeLine = ({ exe, arguments: args }: ProgramFacts): string => [exe, ...args].join(' ');

function sessionLeader({ program: own, session }: SystemEvent): ProgramFacts | undefined {
  return [own, ...ancestors(own)].find(({ pid }) => pid === session);
}

const PROCESS_FIELDS: Readonly<Record<string, Field>> = {
  'proc.pid': program(({ pid }) => pid, 'number'),
  'proc.vpid': program(({ virtualPid }) => virtualPid, 'number'),
  'proc.ppid': parent(({ pid }) => pid, 'number'),
  'proc.pvpid': parent(({ virtualPid }) => virtualPid, 'number'),
  'proc.name': program(({ name }) => name),
  'proc.pname': parent(({ name }) => name),
  'proc.exe': program(({ exe }) => exe),
  'proc.pexe': parent(({ exe }) => exe),
  'proc.exepath': program(({ exePath }) => exePath),
  'proc.pexepath': parent(({ exePath }) => exePath),
  'proc.args': program(argumentText),
  'proc.cmdline': program(({ commandLine }) => commandLine),
  'proc.pcmdline': parent(({ commandLine }) => commandLine),
  'proc.exeline': program(exeLine),
  'proc.cmdnargs': program(({ arguments: args }) => args.length, 'number'),
  'proc.cmdlenargs': program(({ arguments: args }) => args.reduce((total, { length }) => total + length, 0), 'number'),
  'proc.aname': above(({ name }) => name),
  'proc.aexe': above(({ exe }) => exe),
  'proc.aexepath': above(({ exePath }) => exePath),
  'proc.acmdline': above(({ commandLine }) => commandLine),
  'proc.apid': above(({ pid }) => pid, 'number'),
  'proc.cwd': text(({ cwd }) => (cwd.endsWith('/') ? cwd : `${cwd}/`)),
  'proc.tty': number(({ terminal }) => terminal),
  'proc.sid': number(({ session }) => session),
  'proc.pgid': number(({ processGroup }) => processGroup),
  'proc.sname': text((event) => sessionLeader(event)?.name),
  'proc.is_exe_upper_layer': program(({ inUpperLayer }) => inUpperLayer, 'flag'),
  'proc.is_exe_from_memfd': program(({ fromMemory }) => fromMemory, 'flag'),
  'proc.is_container_healthcheck': flag(() => false),
  'proc.is_container_liveness_probe': flag(() => false),
  'proc.is_container_readiness_probe': flag(() => false),
  'proc.env': never('text'),
  'proc.duration': never('number'),
  'thread.tid': number(({ tid }) => tid),
};

// ---- user ----

const nameOf = (names: ReadonlyMap<number, string>, id: number): string | undefined => names.get(id);

const USER_FIELDS: Readonly<Record<string, Field>> = {
  'user.uid': number(({ uid }) => uid),
  'user.name': text(({ uid }, subject) => nameOf(subject.container.userNames, uid)),
  'user.loginuid': number(() => -1),
  'user.loginname': never('text'),
  'group.gid': number(({ gid }) => gid),
  'group.name': text(({ gid }, subject) => nameOf(subject.container.groupNames, gid)),
};

// ---- fd and fs ----

const TYPE_CHARACTERS: Readonly<Record<FileFacts['type'], string>> = { file: 'f', directory: 'd', ipv4: '4', ipv6: '6', unix: 'u', pipe: 'p', netlink: 'n', other: 'o' };
const isPath = ({ name, type }: FileFacts): boolean => (type === 'file' || type === 'directory') && name.startsWith('/');
const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const isInternet = ({ type }: FileFacts): boolean => type === 'ipv4' || type === 'ipv6';
const client = (facts: FileFacts): 'local' | 'remote' => (facts.isServer || facts.remoteAddress === undefined ? 'remote' : 'local');
const clientAddress = (facts: FileFacts): string | undefined => (client(facts) === 'local' ? facts.localAddress : facts.remoteAddress);
const serverAddress = (facts: FileFacts): string | undefined => (client(facts) === 'local' ? facts.remoteAddress : facts.localAddress);
const clientPort = (facts: FileFacts): number | undefined => (client(facts) === 'local' ? facts.localPort : facts.remotePort);
const serverPort = (facts: FileFacts): number | undefined => (client(facts) === 'local' ? facts.remotePort : facts.localPort);
const either = (kind: Field['kind'], get: (facts: FileFacts) => readonly FieldValue[]): Field => ({
  kind, ofFile: true, get: (subject) => (subject.file === undefined ? undefined : get(subject.file)[0]), all: (subject) => (subject.file === undefined ? [] : get(subject.file)),
});
const pathOfCall = (facts: FileFacts): string | undefined => (facts.name.startsWith('/') ? facts.name : undefined);

const FILE_FIELDS: Readonly<Record<string, Field>> = {
  'fd.num': file('number', ({ number: value }) => (value < 0 ? undefined : value)),
  'fd.type': file('text', ({ type }) => type),
  'fd.typechar': file('text', ({ type }) => TYPE_CHARACTERS[type]),
  'fd.name': file('text', ({ name }) => name),
  'fd.nameraw': file('text', ({ givenName, name }) => givenName ?? name),
  'fd.directory': file('text', (facts) => (isPath(facts) ? directoryOf(facts.name) : undefined)),
  'fd.filename': file('text', (facts) => (isPath(facts) ? facts.name.slice(facts.name.lastIndexOf('/') + 1) : undefined)),
  'fd.l4proto': file('text', ({ protocol }) => protocol),
  'fd.sockfamily': file('text', (facts) => (isInternet(facts) ? 'ip' : facts.type === 'unix' ? 'unix' : undefined)),
  'fd.is_server': file('flag', (facts) => (isInternet(facts) ? facts.isServer : undefined)),
  'fd.lip': file('text', ({ localAddress }) => localAddress),
  'fd.rip': file('text', ({ remoteAddress }) => remoteAddress),
  'fd.cip': file('text', clientAddress),
  'fd.sip': file('text', serverAddress),
  'fd.ip': either('text', ({ localAddress, remoteAddress }) => [remoteAddress, localAddress]),
  'fd.lport': file('number', ({ localPort }) => localPort),
  'fd.rport': file('number', ({ remotePort }) => remotePort),
  'fd.cport': file('number', clientPort),
  'fd.sport': file('number', serverPort),
  'fd.port': either('number', ({ localPort, remotePort }) => [remotePort, localPort]),
  'fd.lnet': file('net', ({ localAddress }) => localAddress),
  'fd.rnet': file('net', ({ remoteAddress }) => remoteAddress),
  'fd.cnet': file('net', clientAddress),
  'fd.snet': file('net', serverAddress),
  'fd.net': either('net', ({ localAddress, remoteAddress }) => [remoteAddress, localAddress]),
  'fs.path.name': file('text', pathOfCall),
  'fs.path.nameraw': file('text', ({ givenName }) => givenName),
  'fs.path.source': text(({ source }) => source),
  'fs.path.target': text(({ target }) => target),
};

// ---- container ----

/** `registry:5000/team/app:1` to its name and its tag. */
function imageParts(image: string): readonly [repository: string, tag: string] {
  const [, repository = image, tag = ''] = /^(.*?)(?::([^:/]*))?(?:@.*)?$/.exec(image) ?? [];
  return [repository, tag];
}

const CONTAINER_FIELDS: Readonly<Record<string, Field>> = {
  'container.id': container(({ id }) => id.slice(0, 12)),
  'container.full_id': container(({ id }) => id),
  'container.name': container(({ name }) => name),
  'container.type': container(() => 'caisson'),
  'container.image': container(({ image }) => image),
  'container.image.id': container(({ imageId }) => imageId),
  'container.image.digest': container(({ imageDigest }) => imageDigest),
  'container.image.repository': container(({ image }) => imageParts(image)[0]),
  'container.image.tag': container(({ image }) => imageParts(image)[1]),
  'container.mounts': container(({ mounts }) => mounts.join(',')),
  'container.privileged': { kind: 'flag', get: () => false },
  'container.info': container(({ id, name, image }) => `container_id=${id.slice(0, 12)} container_name=${name} container_image=${image}`),
  'k8s.ns.name': never('text'), 'k8s.pod.name': never('text'), 'k8s.pod.id': never('text'), 'k8s.pod.uid': never('text'), 'k8s.deployment.name': never('text'),
};

export const FIELDS: ReadonlyMap<string, Field> = new Map(Object.entries({ ...EVENT_FIELDS, ...PROCESS_FIELDS, ...USER_FIELDS, ...FILE_FIELDS, ...CONTAINER_FIELDS }));

/** `evt.arg.flags` is `evt.arg[flags]`. */
export function findField(name: string, argument: string | undefined): { readonly field: Field; readonly argument: string | undefined } | undefined {
  const field = FIELDS.get(name);
  if (field !== undefined) return { field, argument };
  const [, base, rest] = /^(evt\.(?:raw)?arg)\.(\w+)$/.exec(name) ?? [];
  const named = base === undefined || argument !== undefined ? undefined : FIELDS.get(base);
  return named === undefined ? undefined : { field: named, argument: rest };
}

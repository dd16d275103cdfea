/** Objects that OCSF's classes are made of (schema.ocsf.io, 1.3.0), from what is known of a call: their names, and which of their attributes are required, are the schema's. */
import { MOST_ANCESTORS } from '../../kernel/watch/limits.ts';
import type { FileFacts, ProgramFacts, SystemEvent } from '../../kernel/watch/types.ts';
import type { ContainerFacts } from '../subject.ts';
import { toText } from '../text.ts';

export const OCSF_VERSION = '1.3.0';

/** A part of an event, as JSON has it. */
export type OcsfObject = Readonly<Record<string, unknown>>;

const REGULAR_FILE = 1;
const FOLDER = 2;
const NAMED_PIPE = 6;
const LOCAL_SOCKET = 5;
const OTHER = 99;
const FILE_TYPES: Readonly<Record<FileFacts['type'], readonly [id: number, caption: string]>> = {
  file: [REGULAR_FILE, 'Regular File'], directory: [FOLDER, 'Folder'], pipe: [NAMED_PIPE, 'Named Pipe'], unix: [LOCAL_SOCKET, 'Local Socket'],
  ipv4: [OTHER, 'Socket'], ipv6: [OTHER, 'Socket'], netlink: [OTHER, 'Socket'], other: [OTHER, 'Other'],
};

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1) || path;

/** Of a path, as byte string. */
export function fileObject(path: string, type: FileFacts['type'] = 'file'): OcsfObject {
  const text = toText(path);
  const [id, caption] = FILE_TYPES[type];
  return { name: lastPart(text), path: text, type_id: id, type: caption };
}

/** With its parents, the nearest of them. */
export function processObject(program: ProgramFacts, depth = 0): OcsfObject {
  return {
    pid: program.pid, ...(program.virtualPid === program.pid ? {} : { namespace_pid: program.virtualPid }), name: toText(program.name), cmd_line: [program.exe, ...program.arguments].map(toText).join(' '),
    ...(program.exePath === '' ? {} : { file: fileObject(program.exePath) }), ...(program.parent === undefined || depth >= MOST_ANCESTORS ? {} : { parent_process: processObject(program.parent, depth + 1) }),
  };
}

/** Programs are the same for many events. */
const known = new WeakMap<ProgramFacts, OcsfObject>();

export function processOf(program: ProgramFacts): OcsfObject {
  let found = known.get(program);
  if (found === undefined) known.set(program, (found = processObject(program)));
  return found;
}

export function userObject(uid: number, { userNames }: ContainerFacts): OcsfObject {
  const name = userNames.get(uid);
  return { uid: String(uid), ...(name === undefined ? {} : { name: toText(name) }), ...(uid === 0 ? { type_id: 2, type: 'Admin' } : { type_id: 1, type: 'User' }) };
}

/** Who did it: the program that was there before the call. */
export function actorObject({ program, uid, tid }: SystemEvent, container: ContainerFacts): OcsfObject {
  return { process: { ...processOf(program), ...(tid === program.pid ? {} : { tid }) }, user: userObject(uid, container) };
}

export function containerObject({ id, name, image, imageId }: ContainerFacts): OcsfObject {
  return { uid: toText(id), ...(name === '' ? {} : { name: toText(name) }), ...(image === '' ? {} : { image: { uid: toText(imageId === '' ? image : imageId), name: toText(image) } }), runtime: 'caisson' };
}

/** The machine that its programs see. */
export function deviceObject({ hostname, id }: ContainerFacts): OcsfObject {
  return { type_id: 6, type: 'Virtual', hostname: toText(hostname), ...(id === '' ? {} : { uid: toText(id) }), os: { name: 'Linux', type_id: 200, type: 'Linux' } };
}

/** One end of a connection. */
export function endpointObject(address: string | undefined, port: number | undefined): OcsfObject {
  return { ...(address === undefined ? {} : { ip: toText(address) }), ...(port === undefined ? {} : { port }) };
}

/** What a container does, summed up as it does it: what a live view shows. Nothing waits for whoever looks, and what is counted is all of it. */
import { EAGAIN, EINPROGRESS } from '../../abi/errno.ts';
import { O_ACCMODE, O_RDONLY, O_RDWR } from '../../abi/fcntl.ts';
import type { FileFacts, ProgramFacts, SystemEvent } from '../../kernel/watch/types.ts';
import { QUIET_CALLS } from '../../kernel/watch/shapes.ts';
import { ALL_CALLS } from '../condition/compile.ts';
import type { Alert } from '../detector.ts';
import { resultName } from '../fields.ts';
import { NO_CONTAINER } from '../subject.ts';
import type { ContainerFacts } from '../subject.ts';
import { toText } from '../text.ts';
import type { Seer } from '../use.ts';
import { ENDED_MS, MOST_ALERTS, MOST_CALLS, MOST_CONNECTIONS, MOST_ENDED, MOST_FILES, MOST_PROCESSES, MOST_ROWS, MOST_TEXT } from './limits.ts';
import { Last, Recent } from './recent.ts';
import { KINDS } from './snapshot.ts';
import type { Kind, LiveAlert, LiveCall, LiveConnection, LiveFile, LiveProcess, LiveRows, LiveSnapshot } from './snapshot.ts';

type Mutable<Row> = { -readonly [Key in keyof Row]: Row[Key] };

/** Calls on sockets that make a connection, or wait for some. */
const DIRECTIONS: ReadonlyMap<string, LiveConnection['direction']> = new Map([['connect', 'out'], ['accept', 'in'], ['accept4', 'in'], ['bind', 'bind'], ['listen', 'listen']]);
const INTERNET: ReadonlySet<FileFacts['type']> = new Set<FileFacts['type']>(['ipv4', 'ipv6']);

/** A process as its own /proc tells it. */
export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number | undefined;
  /** Byte string. */
  readonly command: string;
}

interface KnownProcess {
  program: ProgramFacts;
  uid: number | undefined;
  calls: number;
  lastMs: number;
  last: string;
  isRunning: boolean | undefined;
}

/** A call as it was; made into text when somebody looks. */
interface KeptCall {
  readonly timeMs: number;
  readonly program: ProgramFacts;
  readonly type: string;
  readonly file: FileFacts | undefined;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly result: number;
}

function cut(bytes: string): string {
  return toText(bytes.length > MOST_TEXT ? `${bytes.slice(0, MOST_TEXT)}...` : bytes);
}

function timeOfEvent({ seconds, nanoseconds }: SystemEvent): number {
  return seconds * 1000 + Math.floor(nanoseconds / 1e6);
}

/** `port` undefined: any. */
function endpoint(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return '';
  return port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Of one's own side and of the other's, where they tell something: a client's port is another each time. */
function endpoints(direction: LiveConnection['direction'], file: FileFacts): readonly [local: string, remote: string] {
  if (file.type === 'unix') return direction === 'out' ? ['', cut(file.name)] : [cut(file.name), ''];
  const local = endpoint(file.localAddress, file.localPort);
  if (direction === 'out') return ['', endpoint(file.remoteAddress, file.remotePort)];
  return [local, direction === 'in' ? endpoint(file.remoteAddress, undefined) : ''];
}

export class LiveRecord implements Seer {
  readonly calls = [...ALL_CALLS].filter((call) => !QUIET_CALLS.has(call));
  #facts: ContainerFacts;
  readonly #sinceMs: number;
  readonly #processes = new Recent<KnownProcess>(MOST_PROCESSES);
  readonly #files = new Recent<Mutable<LiveFile>>(MOST_FILES);
  readonly #connections = new Recent<Mutable<LiveConnection>>(MOST_CONNECTIONS);
  readonly #alerts = new Last<LiveAlert>(MOST_ALERTS);
  readonly #calls = new Last<KeptCall>(MOST_CALLS);
  /** Of the last event; 0 before the first. */
  #lastMs = 0;

  constructor(facts: ContainerFacts = NO_CONTAINER, sinceMs = 0) {
    this.#facts = facts;
    this.#sinceMs = sinceMs;
  }

  /** What follows is of this container, and of another run: its processes are others. */
  begin(facts: ContainerFacts): void {
    this.#facts = facts;
    this.#processes.clear();
  }

  happened(event: SystemEvent): void {
    const { type, program, result } = event;
    const timeMs = timeOfEvent(event);
    this.#lastMs = timeMs;
    this.#process(event, timeMs);
    const { file } = event;
    if (file !== undefined) {
      if (DIRECTIONS.has(type)) this.#connection(event, file, timeMs);
      else if (file.type === 'file' || file.type === 'directory') this.#file(event, file.name, timeMs);
    }
    // A rename is about both paths, and a link about the second.
    if (event.target !== undefined && event.target !== file?.name) this.#file(event, event.target, timeMs);
    this.#calls.add({ timeMs, program, type, file, source: event.source, target: event.target, result });
  }

  alerted({ time, priority, rule, output, action }: Alert): void {
    this.addAlert({ timeMs: Date.parse(time), priority, rule, output: output.slice(0, MOST_TEXT), action });
  }

  addAlert(alert: LiveAlert): void {
    this.#alerts.add(alert);
  }

  /** Which processes there are, from who can tell; `nowMs` is the time of that look. */
  look(seen: readonly SeenProcess[], nowMs: number): void {
    const running = new Map(seen.map((process) => [process.pid, process]));
    let ended = 0;
    for (const known of this.#processes.newest(MOST_PROCESSES)) {
      const { pid } = known.program;
      const found = running.get(pid);
      known.isRunning = found !== undefined;
      if (found === undefined && (nowMs - known.lastMs > ENDED_MS || ++ended > MOST_ENDED)) this.#processes.delete(String(pid));
      running.delete(pid);
    }
    // Those that have made no call since somebody looks.
    for (const { pid, parent, uid, command } of running.values()) {
      if (this.#processes.size >= MOST_PROCESSES) break;
      const known = this.#processes.use(String(pid), () => ({ program: silent(pid, parent, command), uid, calls: 0, lastMs: nowMs, last: '', isRunning: true }));
      known.isRunning = true;
    }
  }

  snapshot(kinds: readonly Kind[], atMs = this.#lastMs): LiveSnapshot {
    const { id, name, image } = this.#facts;
    const rows: LiveRows = {
      processes: kinds.includes('processes') ? this.#processRows() : [], files: kinds.includes('files') ? this.#files.newest(MOST_ROWS).map((file) => ({ ...file, path: cut(file.path), process: cut(file.process) })) : [],
      connections: kinds.includes('connections') ? this.#connections.newest(MOST_ROWS).map((each) => ({ ...each })) : [],
      alerts: kinds.includes('alerts') ? this.#alerts.newest(MOST_ROWS) : [], calls: kinds.includes('calls') ? this.#calls.newest(MOST_ROWS).map(callRow) : [],
    };
    const totals: Record<Kind, number> = { processes: this.#runningCount(), files: this.#files.added, connections: this.#connections.added, alerts: this.#alerts.added, calls: this.#calls.added };
    return { container: { id: cut(id), name: cut(name), image: cut(image) }, sinceMs: this.#sinceMs, atMs, totals, ...rows };
  }

  #runningCount(): number {
    return this.#processes.newest(MOST_PROCESSES).filter(({ isRunning }) => isRunning !== false).length;
  }

  #process({ program, uid, type }: SystemEvent, timeMs: number): void {
    const known = this.#processes.use(String(program.pid), () => ({ program, uid, calls: 0, lastMs: timeMs, last: type, isRunning: undefined }));
    known.program = program;
    known.uid = uid;
    known.calls++;
    known.lastMs = timeMs;
    known.last = type;
    known.isRunning = undefined;
  }

  #file({ type, result, openFlags, program }: SystemEvent, path: string, timeMs: number): void {
    if (path === '') return;
    const row = this.#files.use(path, () => ({ path, reads: 0, writes: 0, changes: 0, failures: 0, pid: 0, process: '', lastMs: 0, last: '' }));
    if (result < 0) row.failures++;
    else if (openFlags === undefined) {
      if (type === 'execve' || type === 'execveat') row.reads++;
      else row.changes++;
    } else {
      const mode = openFlags & O_ACCMODE;
      if (mode === O_RDONLY || mode === O_RDWR) row.reads++;
      if (mode !== O_RDONLY) row.writes++;
    }
    Object.assign(row, { pid: program.pid, process: program.name, lastMs: timeMs, last: result < 0 ? `${type} ${resultName(result)}` : type });
  }

  #connection({ type, result, program }: SystemEvent, file: FileFacts, timeMs: number): void {
    const direction = DIRECTIONS.get(type)!;
    const isInternet = INTERNET.has(file.type);
    // Nobody is there yet.
    if ((!isInternet && file.type !== 'unix') || result === -EAGAIN) return;
    const protocol = isInternet ? `${file.protocol ?? '?'}${file.type === 'ipv6' ? '6' : ''}` : 'unix';
    const [local, remote] = endpoints(direction, file);
    const key = JSON.stringify([direction, protocol, local, remote, program.pid]);
    const row = this.#connections.use(key, () => ({ direction, protocol, local, remote, count: 0, failures: 0, pid: program.pid, process: '', lastMs: 0, result: '' }));
    row.count++;
    // A connection that takes its time has only begun.
    if (result < 0 && result !== -EINPROGRESS) row.failures++;
    Object.assign(row, { process: cut(program.name), lastMs: timeMs, result: resultName(result) });
  }

  /** By number. */
  #processRows(): LiveProcess[] {
    return this.#processes.newest(MOST_ROWS).map(({ program, uid, calls, lastMs, last, isRunning }) => ({
      pid: program.pid, parent: program.parent?.pid ?? 0, user: uid === undefined ? undefined : cut(this.#facts.userNames.get(uid) ?? String(uid)),
      command: cut(program.commandLine), program: cut(program.exePath), calls, lastMs, last, origin: program.fromMemory ? 'memory' as const : program.inUpperLayer ? 'new' as const : 'image' as const, isRunning,
    })).sort((left, right) => left.pid - right.pid);
  }
}

function silent(pid: number, parent: number, command: string): ProgramFacts {
  const above: ProgramFacts | undefined = parent === 0 ? undefined : { pid: parent, virtualPid: parent, name: '', exe: '', exePath: '', arguments: [], commandLine: '', inUpperLayer: false, fromMemory: false, parent: undefined };
  return { pid, virtualPid: pid, name: '', exe: '', exePath: '', arguments: [], commandLine: command, inUpperLayer: false, fromMemory: false, parent: above };
}

function callRow({ timeMs, program, type, file, source, target, result }: KeptCall): LiveCall {
  const about = source === undefined ? (file?.name ?? '') : target === undefined ? source : `${source} -> ${target}`;
  return { timeMs, pid: program.pid, process: cut(program.name), call: type, about: cut(about), result: resultName(result) };
}

export function isKind(text: unknown): text is Kind {
  return (KINDS as readonly unknown[]).includes(text);
}

/** One call as an event. What only some watchers ask for is found out when they ask, which is before the task runs on. */
import { AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY, O_EXCL } from '../../abi/fcntl.ts';
import { pathOf } from '../../fs/path.ts';
import { Socket } from '../../net/index.ts';
import { readAddress } from '../syscalls/socket-message.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { openFacts, pathFacts, socketFacts } from './file-facts.ts';
import { sentAddresses } from './messages.ts';
import { absolutePath, lookupError, realPath } from './paths.ts';
import type { Shape } from './shapes.ts';
import type { FileFacts, ProgramFacts, SystemEvent } from './types.ts';
import { valueText } from './values.ts';

/** Bytes of a text that is no path: names of file systems and of memory files. */
const MOST_TEXT = 256;
const PATH_MAX = 4096;

export interface PathArgument {
  /** Index of the argument. */
  readonly index: number;
  readonly directory: number;
  /** As it was given; undefined where it cannot be read, so that the call fails. */
  readonly text: string | undefined;
}

/** What of a call's arguments is where: found out once for each row. */
export interface CallPlan {
  readonly row: SyscallRow;
  readonly shape: Shape;
  /** Indices of paths, and of the descriptors of their directories: -1 for none. */
  readonly paths: readonly (readonly [index: number, directory: number])[];
  readonly texts: readonly number[];
  readonly address: number;
  readonly flags: number;
  readonly descriptor: number;
  /** Its result is a descriptor. */
  readonly makes: boolean;
  /** Behind the call, the same words would name something else. */
  readonly isEager: boolean;
}

const MAKERS: ReadonlySet<string> = new Set(['accept', 'accept4', 'socket', 'memfd_create']);
const MOVERS: ReadonlySet<string> = new Set(['chroot', 'pivot_root']);

export function planOf(row: SyscallRow, shape: Shape): CallPlan {
  const { arguments: kinds, name } = row;
  const indices = (kind: string): number[] => kinds.flatMap((each, index) => (each === kind ? [index] : []));
  return {
    row, shape, paths: indices('path').map((index) => [index, kinds[index - 1] === 'fd' ? index - 1 : -1] as const), texts: indices('pointer:string'),
    address: kinds.indexOf('pointer:sockaddr'), flags: shape.names.indexOf('flags'), descriptor: kinds.indexOf('fd'), makes: MAKERS.has(name) || shape.opens === true, isEager: MOVERS.has(name),
  };
}

function copiedPaths(task: KernelTask, { paths }: CallPlan, args: readonly number[]): PathArgument[] {
  return paths.map(([index, directory]) => {
    const text = task.memory.readString(args[index]!, PATH_MAX);
    return { index, directory: directory < 0 ? AT_FDCWD : args[directory]!, text: typeof text === 'string' ? text : undefined };
  });
}

function openFlagsOf(task: KernelTask, { row, shape, flags: index }: CallPlan, args: readonly number[]): number | undefined {
  if (shape.opens !== true) return undefined;
  if (row.name === 'creat') return O_CREAT | O_WRONLY | O_TRUNC;
  const flags = args[index] ?? 0;
  return row.name === 'openat2' ? (task.memory.readU32(flags) ?? 0) : flags;
}

const NO_TEXTS: ReadonlyMap<number, string> = new Map();

export class CallEvent implements SystemEvent {
  number = 0;
  readonly type: string;
  result = 0;
  program: ProgramFacts;
  readonly task: KernelTask;
  readonly openFlags: number | undefined;
  readonly #plan: CallPlan;
  readonly #args: readonly number[];
  readonly #paths: readonly PathArgument[];
  readonly #texts: ReadonlyMap<number, string>;
  readonly #address: Uint8Array | undefined;
  readonly recipient: SystemEvent['recipient'];
  /** `end` has said what came of it. */
  #isOver = false;
  /** Null: nobody has asked yet. */
  #file: FileFacts | undefined | null = null;
  #arguments: ReadonlyMap<string, string | number> | undefined;
  #seconds = -1;
  #nanoseconds = 0;

  /** `path`: instead of one in the guest's memory. */
  constructor(task: KernelTask, plan: CallPlan, args: readonly number[], program: ProgramFacts, path?: string) {
    this.task = task;
    this.type = plan.row.name;
    this.program = program;
    this.#plan = plan;
    this.#args = args;
    this.#paths = path === undefined ? copiedPaths(task, plan, args) : [{ index: 0, directory: AT_FDCWD, text: path }];
    this.#texts = plan.texts.length === 0 ? NO_TEXTS : this.#copiedTexts();
    const sent = sentAddresses(task, plan.row.name, args);
    this.#address = plan.address < 0 ? sent.address : this.#copiedAddress();
    this.recipient = sent.isMixed ? 'mixed' : this.#address === undefined ? undefined : 'one';
    this.openFlags = openFlagsOf(task, plan, args);
    if (plan.isEager) this.#file = this.#findFile();
  }

  get seconds(): number {
    if (this.#seconds < 0) this.#readClock();
    return this.#seconds;
  }

  get nanoseconds(): number {
    if (this.#seconds < 0) this.#readClock();
    return this.#nanoseconds;
  }

  #readClock(): void {
    const { kernel } = this.task;
    this.#seconds = kernel.realtimeSeconds();
    this.#nanoseconds = kernel.realtimeRest;
  }

  get tid(): number {
    return this.task.tid;
  }

  get session(): number {
    return this.task.process.session;
  }

  get processGroup(): number {
    return this.task.process.processGroup;
  }

  get terminal(): number {
    const terminal = this.task.process.controllingTerminal as { readonly rdev?: number } | undefined;
    return terminal === undefined ? 0 : (terminal.rdev ?? 1);
  }

  get uid(): number {
    return this.task.credentials.euid;
  }

  get gid(): number {
    return this.task.credentials.egid;
  }

  get cwd(): string {
    return pathOf(this.task.fs.cwd);
  }

  get file(): FileFacts | undefined {
    if (this.#file === null) this.#file = this.#findFile();
    return this.#file;
  }

  get absence(): number | undefined {
    const path = this.pathArgument;
    return path?.text === undefined ? undefined : lookupError(this.task, path.directory, path.text, this.#follows());
  }

  get source(): string | undefined {
    const [first] = this.#paths;
    if (this.#plan.shape.paths === undefined || first?.text === undefined) return undefined;
    return this.#plan.shape.paths === 'text-to' ? first.text : this.#placeOf(first);
  }

  get target(): string | undefined {
    const second = this.#paths[1];
    return this.#plan.shape.paths === undefined || second?.text === undefined ? undefined : this.#placeOf(second);
  }

  get arguments(): ReadonlyMap<string, string | number> {
    this.#arguments ??= this.#nameArguments();
    return this.#arguments;
  }

  /** The call is over. */
  end(result: number): void {
    this.#isOver = true;
    // What was opened is known now, and what is accepted or made has a descriptor.
    if (this.#plan.makes) this.#file = null;
    this.result = result;
  }

  get startsProgram(): boolean {
    return this.type === 'execve' || this.type === 'execveat';
  }

  /** The first path, as it was given. */
  get pathArgument(): PathArgument | undefined {
    return this.#paths[0];
  }

  #copiedTexts(): ReadonlyMap<number, string> {
    const texts = new Map<number, string>();
    for (const index of this.#plan.texts) {
      const text = this.task.memory.readString(this.#args[index]!, MOST_TEXT);
      if (typeof text === 'string') texts.set(index, text);
    }
    return texts;
  }

  #copiedAddress(): Uint8Array | undefined {
    const { address: index } = this.#plan;
    if (this.#args[index] === 0) return undefined;
    const address = readAddress(this.task, this.#args[index]!, this.#args[index + 1]!);
    return typeof address === 'number' ? undefined : address;
  }

  #follows(): boolean {
    const { shape: { keepsLink, linkFlags }, flags: index } = this.#plan;
    const flags = this.#args[index] ?? 0;
    if (this.openFlags !== undefined) return (this.openFlags & O_NOFOLLOW) === 0 && (this.openFlags & (O_CREAT | O_EXCL)) !== (O_CREAT | O_EXCL);
    if (linkFlags === 'follow') return (flags & AT_SYMLINK_FOLLOW) !== 0;
    if (linkFlags === 'nofollow') return (flags & AT_SYMLINK_NOFOLLOW) === 0;
    return keepsLink !== true;
  }

  #placeOf({ directory, text }: PathArgument): string {
    return realPath(this.task, directory, text ?? '', this.#follows()) ?? absolutePath(this.task, directory, text ?? '');
  }

  #findFile(): FileFacts | undefined {
    const { task } = this;
    const path = this.#plan.shape.paths === 'text-to' ? this.#paths[1] : this.#paths[0];
    if (path !== undefined) {
      if (path.text === undefined) return undefined;
      const absolute = absolutePath(task, path.directory, path.text);
      const opened = this.#isOver && this.result >= 0 && this.#plan.shape.opens === true ? task.files.get(this.result) : undefined;
      if (opened !== undefined) return openFacts(opened, this.result, path.text, absolute);
      return pathFacts(realPath(task, path.directory, path.text, this.#follows()), absolute, path.text);
    }
    return this.#descriptor();
  }

  #descriptor(): FileFacts | undefined {
    const { task, type, result } = this;
    const { makes, descriptor } = this.#plan;
    const number = makes && this.#isOver && result >= 0 ? result : this.#args[descriptor];
    const file = number === undefined ? undefined : task.files.get(number);
    if (file === undefined || number === undefined) return undefined;
    if (!(file instanceof Socket)) return openFacts(file, number);
    if (type === 'bind') return socketFacts(file, number, { local: this.#address });
    return socketFacts(file, number, { remote: this.#address, isServer: type.startsWith('accept') });
  }

  #nameArguments(): ReadonlyMap<string, string | number> {
    const named = new Map<string, string | number>();
    const { arguments: kinds } = this.#plan.row;
    this.#plan.shape.names.forEach((name, index) => {
      const kind = kinds[index];
      if (kind === undefined || kind === 'pointer' || kind === 'buffer' || (kind.startsWith('pointer:') && kind !== 'pointer:string' && kind !== 'pointer:sockaddr')) return;
      const path = this.#paths.find((each) => each.index === index);
      const text = kind === 'pointer:sockaddr' ? this.file?.name : (path?.text ?? this.#texts.get(index));
      if (text !== undefined) named.set(name, text);
      else if (kind !== 'path' && kind !== 'pointer:string' && kind !== 'pointer:sockaddr') named.set(name, valueText(this.type, name, kind, this.#args[index]!));
    });
    return named;
  }
}

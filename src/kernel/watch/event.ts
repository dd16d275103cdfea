/** One call as an event. What only some watchers ask for is found out when they ask, which is before the task runs on. */
import { AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY, O_EXCL } from '../../abi/fcntl.ts';
import { pathOf } from '../../fs/path.ts';
import { Socket } from '../../net/index.ts';
import { readAddress } from '../syscalls/socket-message.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { openFacts, pathFacts, socketFacts } from './file-facts.ts';
import { absolutePath, realPath } from './paths.ts';
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

/** Their result is a descriptor. */
const MAKERS: ReadonlySet<string> = new Set(['accept', 'accept4', 'socket', 'memfd_create']);

/** Of the argument of a name: -1 where the call has none. */
function indexOf(shape: Shape, name: string): number {
  return shape.names.indexOf(name);
}

function copiedPaths(task: KernelTask, row: SyscallRow, args: readonly number[]): PathArgument[] {
  const paths: PathArgument[] = [];
  row.arguments.forEach((kind, index) => {
    if (kind !== 'path') return;
    const text = task.memory.readString(args[index]!, PATH_MAX);
    const directory = row.arguments[index - 1] === 'fd' ? args[index - 1]! : AT_FDCWD;
    paths.push({ index, directory, text: typeof text === 'string' ? text : undefined });
  });
  return paths;
}

function openFlagsOf(task: KernelTask, row: SyscallRow, shape: Shape, args: readonly number[]): number | undefined {
  if (shape.opens !== true) return undefined;
  if (row.name === 'creat') return O_CREAT | O_WRONLY | O_TRUNC;
  const flags = args[indexOf(shape, 'flags')] ?? 0;
  return row.name === 'openat2' ? (task.memory.readU32(flags) ?? 0) : flags;
}

export class CallEvent implements SystemEvent {
  number = 0;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly type: string;
  result = 0;
  program: ProgramFacts;
  readonly task: KernelTask;
  readonly openFlags: number | undefined;
  readonly #row: SyscallRow;
  readonly #shape: Shape;
  readonly #args: readonly number[];
  readonly #paths: readonly PathArgument[];
  readonly #texts: ReadonlyMap<number, string>;
  readonly #address: Uint8Array | undefined;
  /** `end` has said what came of it. */
  #isOver = false;
  #file: FileFacts | undefined | null = null;
  #arguments: ReadonlyMap<string, string | number> | undefined;

  /** `path`: instead of one in the guest's memory. */
  constructor(task: KernelTask, row: SyscallRow, shape: Shape, args: readonly number[], program: ProgramFacts, path?: string) {
    const { kernel } = task;
    this.task = task;
    this.type = row.name;
    this.program = program;
    this.seconds = kernel.realtimeSeconds();
    this.nanoseconds = kernel.realtimeRest;
    this.#row = row;
    this.#shape = shape;
    this.#args = args;
    this.#paths = path === undefined ? copiedPaths(task, row, args) : [{ index: 0, directory: AT_FDCWD, text: path }];
    this.#texts = this.#copiedTexts();
    this.#address = this.#copiedAddress();
    this.openFlags = openFlagsOf(task, row, shape, args);
    // Behind the call, the same words would name something else.
    if (row.name === 'chroot' || row.name === 'pivot_root') this.#file = this.#findFile();
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

  get source(): string | undefined {
    const [first] = this.#paths;
    if (this.#shape.paths === undefined || first?.text === undefined) return undefined;
    return this.#shape.paths === 'text-to' ? first.text : this.#placeOf(first);
  }

  get target(): string | undefined {
    const second = this.#paths[1];
    return this.#shape.paths === undefined || second?.text === undefined ? undefined : this.#placeOf(second);
  }

  get arguments(): ReadonlyMap<string, string | number> {
    this.#arguments ??= this.#nameArguments();
    return this.#arguments;
  }

  /** The call is over. */
  end(result: number): void {
    this.#isOver = true;
    // What was opened is known now, and what is accepted or made has a descriptor.
    if (this.#shape.opens === true || MAKERS.has(this.type)) this.#file = null;
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
    this.#row.arguments.forEach((kind, index) => {
      if (kind !== 'pointer:string') return;
      const text = this.task.memory.readString(this.#args[index]!, MOST_TEXT);
      if (typeof text === 'string') texts.set(index, text);
    });
    return texts;
  }

  #copiedAddress(): Uint8Array | undefined {
    const index = this.#row.arguments.indexOf('pointer:sockaddr');
    if (index < 0 || this.#args[index] === 0) return undefined;
    const address = readAddress(this.task, this.#args[index]!, this.#args[index + 1]!);
    return typeof address === 'number' ? undefined : address;
  }

  #follows(): boolean {
    const { keepsLink, linkFlags } = this.#shape;
    const flags = this.#args[indexOf(this.#shape, 'flags')] ?? 0;
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
    const path = this.#shape.paths === 'text-to' ? this.#paths[1] : this.#paths[0];
    if (path !== undefined) {
      if (path.text === undefined) return undefined;
      const absolute = absolutePath(task, path.directory, path.text);
      const opened = this.#shape.opens === true && this.result >= 0 && this.#isOver ? task.files.get(this.result) : undefined;
      if (opened !== undefined) return openFacts(opened, this.result, path.text, absolute);
      return pathFacts(realPath(task, path.directory, path.text, this.#follows()), absolute, path.text);
    }
    return this.#descriptor();
  }

  #descriptor(): FileFacts | undefined {
    const { task, type, result } = this;
    const makes = MAKERS.has(type) || this.#shape.opens === true;
    const index = this.#row.arguments.indexOf('fd');
    const number = makes && this.#isOver && result >= 0 ? result : this.#args[index];
    const file = number === undefined ? undefined : task.files.get(number);
    if (file === undefined || number === undefined) return undefined;
    if (!(file instanceof Socket)) return openFacts(file, number);
    if (type === 'bind') return socketFacts(file, number, { local: this.#address });
    return socketFacts(file, number, { remote: this.#address, isServer: type.startsWith('accept') });
  }

  #nameArguments(): ReadonlyMap<string, string | number> {
    const named = new Map<string, string | number>();
    const { arguments: kinds } = this.#row;
    this.#shape.names.forEach((name, index) => {
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

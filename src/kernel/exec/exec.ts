/** execve(2): a task becomes another program (Linux fs/exec.c). Everything that can fail happens before the old program is touched. */
import { E2BIG, ELIBBAD, ELOOP, ENOEXEC, ENOMEM } from '../../abi/errno.ts';
import { CAP_SYS_PTRACE } from '../../abi/capability.ts';
import { SECBIT_KEEP_CAPS, SECBIT_NOROOT } from '../../abi/prctl.ts';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../../abi/mman.ts';
import { MS_NOSUID } from '../../abi/mount.ts';
import { RLIMIT_AS, RLIMIT_STACK } from '../../abi/resource.ts';
import type { OpenFile } from '../../fs/types.ts';
import { RSP } from '../../machine/index.ts';
import type { Kernel } from '../kernel.ts';
import { Mm, pageUp } from '../mm/mm.ts';
import { UserNamespace } from '../namespaces/user-namespace.ts';
import { openExecutable } from '../syscalls/file-exec.ts';
import { NO_ALTERNATE_STACK } from '../signals/signal-frame.ts';
import { traceExec, unlink } from '../ptrace/attach.ts';
import { endTask, releaseMemory } from '../task/exit.ts';
import { memoryUser, withEffective, type TaskCredentials } from '../task/credentials.ts';
import { withTimeOfChildren } from '../task/fork.ts';
import { SharedRef } from '../task/shared-ref.ts';
import { ATTENTION_LEAVE, type KernelTask } from '../task/task.ts';
import { readElf, isElf, type Elf } from './elf.ts';
import { keptArguments } from '../watch/arguments.ts';
import { writeInitialStack } from './initial-stack.ts';
import { canBeCompact, loadInterpreter, loadProgram } from './load-elf.ts';
import { HEADER_BYTES, isScript, parseScriptLine } from './script.ts';

/** The file of a program, and its path. */
type Executable = Pick<OpenFile, 'inode' | 'description' | 'location'>;

const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_IXGRP = 0o010;
/** Unmapped pages below the stack. */
const STACK_GUARD = 0x1_0000;
const MIN_STACK = 0x2_0000;
/** Accessible at first: 128 KiB, as on Linux. Arguments that need more make it grow. */
const INITIAL_STACK = 0x2_0000;
const MAX_STACK = 0x1000_0000;
const AT_FDCWD = -100;

export interface ExecRequest {
  readonly directory: number;
  readonly path: string;
  /** execveat(2) flags. */
  readonly flags: number;
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
}

interface Program {
  readonly file: Executable;
  readonly elf: Elf;
  readonly arguments: readonly string[];
  /** AT_EXECFN: what the caller asked for. */
  readonly executablePath: string;
  /** The file whose code runs: the interpreter, where that is a script. */
  readonly elfPath: string;
}

/** 0, with the task's memory and registers replaced; or -errno with the task as it was. */
export function exec(task: KernelTask, request: ExecRequest): number {
  const { kernel } = task;
  const refused = checkArguments(kernel, request);
  if (refused !== 0) return refused;
  const program = findProgram(task, request);
  if (typeof program === 'number') return program;
  const credentials = execCredentials(task, program.file);
  const mm = loadMemory(task, program, request, credentials);
  if (typeof mm === 'number') return mm;
  commit(task, mm, program, credentials);
  return 0;
}

/** The first program of a task whose memory is fresh: 0 or -errno. */
export function loadFirstProgram(task: KernelTask, request: ExecRequest): number {
  const program = checkArguments(task.kernel, request) || findProgram(task, request);
  if (typeof program === 'number') return program;
  const answer = fillMemory(task, task.mm, program, request, task.credentials);
  if (answer < 0) return answer;
  task.name = baseName(program.executablePath).slice(0, 15);
  task.kernel.scheduler.adopt(task);
  return 0;
}

function checkArguments(kernel: Kernel, request: ExecRequest): number {
  const { argumentBytes, argumentLength } = kernel.limits;
  let total = 0;
  for (const text of [...request.arguments, ...request.environment]) {
    if (text.length + 1 > argumentLength) return -E2BIG;
    total += text.length + 1 + 8;
    if (total > argumentBytes) return -E2BIG;
  }
  return 0;
}

/** Follows interpreter lines to a program (exec_binprm). */
function findProgram(task: KernelTask, request: ExecRequest): Program | number {
  const { kernel } = task;
  let args = request.arguments.length === 0 ? [''] : [...request.arguments];
  const executablePath = executableName(request);
  let name = executablePath;
  let file = openExecutable(task, request.directory, request.path, request.flags);
  for (let depth = 0; ; depth++) {
    if (typeof file === 'number') return file;
    const header = new Uint8Array(HEADER_BYTES);
    const got = file.inode.readAt(header, 0);
    if (got < 0) return got;
    const bytes = header.subarray(0, got);
    if (isElf(bytes)) {
      const elf = readElf(file.inode, kernel.limits.programHeaderBytes);
      return typeof elf === 'number' ? elf : { file, elf, arguments: args, executablePath, elfPath: name };
    }
    if (!isScript(bytes)) return -ENOEXEC;
    if (depth >= kernel.limits.scriptDepth) return -ELOOP;
    const line = parseScriptLine(bytes);
    if (typeof line === 'number') return line;
    args = [line.interpreter, ...(line.argument === undefined ? [] : [line.argument]), name, ...args.slice(1)];
    name = line.interpreter;
    file = openExecutable(task, AT_FDCWD, line.interpreter, 0);
  }
}

function executableName(request: ExecRequest): string {
  const { directory, path } = request;
  if (directory === AT_FDCWD || path.startsWith('/')) return path;
  return path === '' ? `/dev/fd/${directory}` : `/dev/fd/${directory}/${path}`;
}

/** Not on a mount with `nosuid`, nor of a user namespace that the caller is not in, nor to ids that its own does not have (bprm_fill_uid, mnt_may_suid). */
function maySetIds({ user }: TaskCredentials, { inode, location }: Executable): boolean {
  if (location !== undefined && (location.mount.flags & MS_NOSUID) !== 0) return false;
  const owner = location?.mount.fileSystem.owner;
  if (owner instanceof UserNamespace && !user.isWithin(owner)) return false;
  return user.mapsUid(inode.uid) && user.mapsGid(inode.gid);
}

/** Set-user-ID programs, and capabilities of root's programs (security/commoncap.c: cap_bprm_creds_from_file). */
function execCredentials(task: KernelTask, file: Executable): TaskCredentials {
  const old = task.credentials;
  let next = old;
  const { mode, uid, gid } = file.inode;
  // Who traces without the capability must not come to own what it has not (LSM_UNSAFE_PTRACE).
  const mayGain = !old.noNewPrivileges && task.tracee?.tracer.capableIn(old.user, CAP_SYS_PTRACE) !== false;
  if (mayGain && maySetIds(old, file)) {
    if ((mode & S_ISUID) !== 0) next = { ...next, euid: uid };
    if ((mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP)) next = { ...next, egid: gid };
  }
  const changed = next.euid !== old.euid || next.egid !== old.egid;
  next = { ...next, suid: next.euid, sgid: next.egid, fsuid: next.euid, fsgid: next.egid, securebits: next.securebits & ~SECBIT_KEEP_CAPS };
  const ambient = changed ? 0n : old.ambient;
  const rootRules = (old.securebits & SECBIT_NOROOT) === 0;
  let permitted = ambient;
  let effective = ambient;
  const { root } = old.user;
  if (rootRules && (next.euid === root || next.uid === root)) {
    permitted = next.inheritable | next.bounding;
    effective = next.euid === root ? permitted : ambient;
  }
  // Who may gain nothing keeps at most what he had (cap_bprm_creds_from_file(), "downgrade").
  if (!mayGain) {
    permitted &= old.permitted;
    effective &= permitted;
  }
  return withEffective({ ...next, permitted, ambient }, effective);
}

/** The new program in memory of its own. */
function loadMemory(task: KernelTask, program: Program, request: ExecRequest, credentials: TaskCredentials): Mm | number {
  const { kernel } = task;
  const context = kernel.memory;
  if (context.addressSpaces >= context.limits.addressSpaces) return -ENOMEM;
  const mm = new Mm(kernel.machine.createAddressSpace(memoryUser(credentials)), context, task.cgroup.memory);
  const answer = fillMemory(task, mm, program, request, credentials);
  if (answer >= 0) return mm;
  mm.drop();
  return answer;
}

function fillMemory(task: KernelTask, mm: Mm, program: Program, request: ExecRequest, credentials: TaskCredentials): number {
  const { kernel } = task;
  const { elf, file, elfPath } = program;
  mm.space.nameProgram(elfPath);
  const stackBytes = stackSize(task);
  if (stackBytes <= kernel.limits.stackBytes && canBeCompact(elf)) mm.useCompactLayout();
  const top = mapStack(task, mm, stackBytes, elf.executableStack);
  if (top < 0) return top;
  const loaded = loadProgram(mm, elf, file.inode, file.description, kernel.layout);
  if (typeof loaded === 'number') return loaded;
  let start = loaded;
  if (elf.interpreter !== undefined) {
    const interpreter = openInterpreter(task, elf.interpreter);
    if (typeof interpreter === 'number') return interpreter;
    const answer = loadInterpreter(mm, interpreter.elf, interpreter.file.inode, interpreter.file.description);
    if (typeof answer === 'number') return answer;
    start = answer;
  }
  mm.exe = { inode: file.inode, path: file.description, location: file.location };
  mm.launched = { path: program.executablePath, arguments: keptArguments(program.arguments) };
  const bytes = new Uint8Array(16);
  kernel.random(bytes);
  const stackPointer = writeInitialStack(mm, top - kernel.randomInteger(256) * 16, {
    arguments: program.arguments,
    environment: request.environment,
    executablePath: program.executablePath,
    random: bytes,
    secure: credentials.euid !== credentials.uid || credentials.egid !== credentials.gid,
    credentials,
    entry: loaded.entry,
    programHeaders: elf.programHeaders === 0 ? 0 : elf.programHeaders + loaded.bias,
    programHeaderCount: elf.programHeaderCount,
    interpreterBase: elf.interpreter === undefined ? 0 : start.bias,
  });
  if (stackPointer < 0) return -E2BIG;
  mm.space.resetRegisters();
  mm.space.setRegisterNumber(RSP, stackPointer);
  mm.space.rip = start.entry;
  return 0;
}

function stackSize(task: KernelTask): number {
  const { limits } = task.kernel;
  const limit = task.process.limit(RLIMIT_STACK);
  const wanted = limit === Infinity ? limits.stackBytes : Math.min(MAX_STACK, Math.max(MIN_STACK, limit));
  return pageUp(wanted) + (wanted < limits.stackBytes ? limits.argumentBytes : 0);
}

/** With a gap around it. The top, or -errno. */
function mapStack(task: KernelTask, mm: Mm, size: number, executable: boolean): number {
  const start = mm.room.stackStart(size, STACK_GUARD);
  const top = mm.mapStack(start, size, INITIAL_STACK, PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0));
  if (top < 0) return top;
  mm.room.placeMmapArea(top, STACK_GUARD + task.kernel.layout.mmap * 4096);
  return top;
}

function openInterpreter(task: KernelTask, path: string): { file: Executable; elf: Elf } | number {
  const file = openExecutable(task, AT_FDCWD, path, 0);
  if (typeof file === 'number') return file;
  const elf = readElf(file.inode, task.kernel.limits.programHeaderBytes);
  if (typeof elf === 'number') return elf === -ENOEXEC ? -ELIBBAD : elf;
  return { file, elf };
}

/** The point of no return (begin_new_exec). */
function commit(task: KernelTask, mm: Mm, program: Program, credentials: TaskCredentials): void {
  const { kernel, process } = task;
  const { tid } = task;
  for (const other of [...process.tasks]) {
    if (other === task) continue;
    // The id of the leader goes to the task: nobody waits for the leader itself.
    if (other.isLeader) unlink(other);
    endTask(other);
  }
  if (!task.isLeader) {
    // It takes the place of the leader, which counted until now.
    process.leader.cgroup.pids.uncharge();
    kernel.renameTask(task, process.pid);
  }
  process.setLeader(task);
  releaseMemory(task);
  task.mm = mm;
  mm.limitAs = process.limit(RLIMIT_AS);
  unshareFiles(task);
  task.files.closeForExec();
  if (process.actionsRef.users > 1) {
    const own = new SharedRef(process.actions.clone());
    process.actionsRef.drop();
    process.actionsRef = own;
  }
  process.actions.resetHandlers(false);
  process.timers?.cancelPosix();
  const privileged = credentials.euid !== task.credentials.euid || credentials.egid !== task.credentials.egid;
  process.dumpable = privileged || credentials.euid !== credentials.uid ? 0 : 1;
  if (privileged) task.parentDeathSignal = 0;
  task.credentials = credentials;
  task.alternateStack = NO_ALTERNATE_STACK;
  task.robustList = { head: 0, length: 24 };
  task.rseq = undefined;
  task.name = baseName(program.executablePath).slice(0, 15);
  const { namespaces } = task;
  if (namespaces.time !== namespaces.timeForChildren) task.namespaces = withTimeOfChildren(namespaces);
  process.execed = true;
  process.exitSignal = process.exitSignal === 0 ? 0 : 17;
  process.membarrierRegistered = 0;
  task.attention |= ATTENTION_LEAVE;
  task.skipResult = true;
  kernel.statistics.execs++;
  kernel.scheduler.adopt(task);
  traceExec(task, tid);
  kernel.onExec?.(task, program.file.description, program.arguments);
}

/** A table shared with another process is copied before descriptors are closed (unshare_files). */
function unshareFiles(task: KernelTask): void {
  if (task.filesRef.users === 1) return;
  const own = new SharedRef(task.files.clone());
  task.filesRef.drop();
  task.filesRef = own;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

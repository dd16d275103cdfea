/**
 * Guest programs as TypeScript: each method appends machine code, so that a technique is read as the sequence of system calls that it is, and
 * the same bytes run in a sandbox, under another engine, and on a bare kernel. Every value is a slot of 8 bytes in the program's memory; nothing is
 * kept in registers from one statement to the next.
 *
 * What a program says on standard output are lines of fields with tabs between them (`report.ts` reads them); what it got hold of goes to standard error as it is.
 */
import { SYSCALL_NAMES } from '../../abi/unistd.ts';
import { Code, R10, R8, R9, RAX, RCX, RDI, RDX, RSI, RSP } from './code.ts';
import type { Condition, Label } from './code.ts';
import { CODE_BASE, DATA_BASE, ZERO_BASE, makeElf } from './elf.ts';

const NUMBERS = new Map([...SYSCALL_NAMES].map(([number, name]) => [name, number]));
const ARGUMENT_REGISTERS = [RDI, RSI, RDX, R10, R8, R9];
const SIGNAL_SET_SIZE = 8;
/** SA_SIGINFO, SA_NODEFER and SA_RESTORER: `asm/signal.h`. */
const HANDLER_FLAGS = 0x4400_0004n;
/** Of `struct ucontext`: RSP and RIP in `uc_mcontext.gregs`. */
const UCONTEXT_RSP = 160;
const UCONTEXT_RIP = 168;
/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS. */
const FAULTS = [4, 5, 7, 8, 11, 31];

/** A variable of the program. */
export class Slot {
  readonly address: number;

  constructor(address: number) {
    this.address = address;
  }
}

export type Value = number | bigint | Slot;
/** Answers a system call in the kernel's place: how a kernel without a check is simulated. */
export type KernelBug = (guest: Program, args: readonly Value[], result: Slot) => void;
export type KernelBugs = Readonly<Record<string, KernelBug>>;

export class Program {
  readonly #code = new Code();
  readonly #data: number[] = [];
  readonly #texts = new Map<string, number>();
  readonly #bugs: KernelBugs;
  readonly #start: Slot;
  #zeros = 0;
  #insideBug = false;
  readonly #faults: { readonly signal: Slot; readonly resume: Slot; readonly stack: Slot };
  readonly #hex: { readonly digits: number; readonly routine: Label };

  /** `bugs`: calls that a simulated kernel answers. */
  constructor(bugs: KernelBugs = {}) {
    this.#bugs = bugs;
    this.#start = this.slot();
    this.#code.store(RSP, this.#start.address);
    this.#faults = this.#installHandler();
    this.#hex = this.#hexRoutine();
  }

  /** Address of argc, argv, environment and auxiliary vector. */
  get stackAtStart(): Slot {
    return this.#start;
  }

  /** Memory that begins as zeros; its address. */
  buffer(size: number, alignment = 8): number {
    const start = Math.ceil(this.#zeros / alignment) * alignment;
    this.#zeros = start + size;
    return ZERO_BASE + start;
  }
  slot(): Slot {
    return new Slot(this.buffer(8));
  }
  /** Bytes that can be written; their address. */
  bytes(bytes: ArrayLike<number>): number {
    while (this.#data.length % 8 !== 0) this.#data.push(0);
    const address = DATA_BASE + this.#data.length;
    for (let index = 0; index < bytes.length; index++) this.#data.push(bytes[index] ?? 0);
    return address;
  }
  /** A text that ends with a zero byte; its address. */
  text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const address = this.bytes([...new TextEncoder().encode(text), 0]);
    this.#texts.set(text, address);
    return address;
  }
  /** Numbers of 64 bits in a row, such as an array of pointers. */
  words(...values: readonly (number | bigint)[]): number {
    const view = new DataView(new ArrayBuffer(8 * values.length));
    for (const [index, value] of values.entries()) view.setBigInt64(8 * index, BigInt.asIntN(64, BigInt(value)), true);
    return this.bytes(new Uint8Array(view.buffer));
  }

  #into(register: number, value: Value): void {
    if (value instanceof Slot) this.#code.load(register, value.address);
    else this.#code.move(register, BigInt(value));
  }

  /** A system call by its name; its result, `-errno` for a failure. */
  sys(name: string, ...args: readonly Value[]): Slot {
    const result = this.slot();
    const bug = this.#insideBug ? undefined : this.#bugs[name];
    if (bug === undefined) {
      this.#trap(name, args);
      this.#code.store(RAX, result.address);
      return result;
    }
    this.#insideBug = true;
    bug(this, args, result);
    this.#insideBug = false;
    return result;
  }
  #trap(name: string, args: readonly Value[]): void {
    const number = NUMBERS.get(name);
    if (number === undefined) throw new Error(`there is no system call "${name}"`);
    for (const [index, value] of args.entries()) this.#into(ARGUMENT_REGISTERS[index] ?? RAX, value);
    this.#code.move(RAX, BigInt(number));
    this.#code.raw(0x0f, 0x05);
  }

  /** A call by its number, also one that there is not. */
  callNumber(number: Value, ...args: readonly Value[]): Slot {
    const result = this.slot();
    for (const [index, value] of args.entries()) this.#into(ARGUMENT_REGISTERS[index] ?? RAX, value);
    this.#into(RAX, number);
    this.#code.raw(0x0f, 0x05);
    this.#code.store(RAX, result.address);
    return result;
  }

  set(slot: Slot, value: Value): Slot {
    this.#into(RAX, value);
    this.#code.store(RAX, slot.address);
    return slot;
  }
  /** A slot of its own that begins with this value. */
  variable(value: Value): Slot {
    return this.set(this.slot(), value);
  }
  #combine(a: Value, b: Value, ...instruction: readonly number[]): Slot {
    const result = this.slot();
    this.#into(RAX, a);
    this.#into(RCX, b);
    this.#code.raw(...instruction);
    this.#code.store(RAX, result.address);
    return result;
  }
  plus(a: Value, b: Value): Slot {
    return this.#combine(a, b, 0x48, 0x01, 0xc8);
  }
  minus(a: Value, b: Value): Slot {
    return this.#combine(a, b, 0x48, 0x29, 0xc8);
  }
  and(a: Value, b: Value): Slot {
    return this.#combine(a, b, 0x48, 0x21, 0xc8);
  }
  times(a: Value, b: Value): Slot {
    return this.#combine(a, b, 0x48, 0x0f, 0xaf, 0xc1);
  }
  add(slot: Slot, value: Value): void {
    this.set(slot, this.plus(slot, value));
  }

  /** The number of `size` bytes at an address. */
  load(size: 1 | 4 | 8, address: Value): Slot {
    const result = this.slot();
    this.#into(RCX, address);
    this.#code.raw(...{ 1: [0x0f, 0xb6, 0x01], 4: [0x8b, 0x01], 8: [0x48, 0x8b, 0x01] }[size]);
    this.#code.store(RAX, result.address);
    return result;
  }
  save(size: 1 | 2 | 4 | 8, address: Value, value: Value): void {
    this.#into(RAX, value);
    this.#into(RCX, address);
    this.#code.raw(...{ 1: [0x88, 0x01], 2: [0x66, 0x89, 0x01], 4: [0x89, 0x01], 8: [0x48, 0x89, 0x01] }[size]);
  }
  /** The time-stamp counter. */
  cycles(): Slot {
    const result = this.slot();
    this.#code.raw(0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0);
    this.#code.store(RAX, result.address);
    return result;
  }
  /** Instructions of one's own. */
  raw(...bytes: readonly number[]): void {
    this.#code.raw(...bytes);
  }
  /** Calls code at an address; what it leaves in RAX. */
  callAt(address: Value): Slot {
    const result = this.slot();
    this.#into(RAX, address);
    this.#code.raw(0xff, 0xd0);
    this.#code.store(RAX, result.address);
    return result;
  }

  when(a: Value, condition: Condition, b: Value, then: () => void, otherwise?: () => void): void {
    const [yes, end] = [this.#code.label(), this.#code.label()];
    this.#compare(a, b);
    this.#code.jumpIf(condition, yes);
    otherwise?.();
    this.#code.jump(end);
    this.#code.place(yes);
    then();
    this.#code.place(end);
  }
  #compare(a: Value, b: Value): void {
    this.#into(RAX, a);
    this.#into(RCX, b);
    this.#code.raw(0x48, 0x39, 0xc8);
  }
  repeatWhile(a: Value, condition: Condition, b: Value, body: () => void): void {
    const [again, go, end] = [this.#code.label(), this.#code.label(), this.#code.label()];
    this.#code.place(again);
    this.#compare(a, b);
    this.#code.jumpIf(condition, go);
    this.#code.jump(end);
    this.#code.place(go);
    body();
    this.#code.jump(again);
    this.#code.place(end);
  }
  /** With the number of the round, from `first` on. */
  repeat(count: Value, body: (round: Slot) => void, first: Value = 0): void {
    const round = this.variable(first);
    const end = this.plus(first, count);
    this.repeatWhile(round, '<', end, () => {
      body(round);
      this.add(round, 1);
    });
  }

  /** A process of its own; answers its number or `-errno`. The body ends in exit_group. */
  fork(body: () => void): Slot {
    const pid = this.sys('fork');
    this.when(pid, '==', 0, () => {
      body();
      this.sys('exit_group', 0);
    });
    return pid;
  }
  /** A thread of this process. */
  thread(body: () => void): Slot {
    const [child, end] = [this.#code.label(), this.#code.label()];
    const result = this.slot();
    const stack = this.buffer(0x4000, 16) + 0x3f00;
    // CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD, CLONE_SYSVSEM: `linux/sched.h`.
    this.#trap('clone', [0x5_0f00, stack, 0, 0, 0]);
    this.#code.raw(0x48, 0x85, 0xc0);
    this.#code.jumpIf('==', child);
    this.#code.store(RAX, result.address);
    this.#code.jump(end);
    this.#code.place(child);
    body();
    this.sys('exit', 0);
    this.#code.place(end);
    return result;
  }
  /** Waits for a process; what wait4(2) leaves as its status. */
  wait(pid: Value): Slot {
    const status = this.slot();
    this.set(status, 0);
    this.sys('wait4', pid, status.address, 0, 0);
    return status;
  }

  /** Runs the body; a fault in it ends it. The fault's signal, or 0. Not in two threads at once. */
  guarded(body: () => void): Slot {
    const { signal, resume, stack } = this.#faults;
    const end = this.#code.label();
    this.set(signal, 0);
    // lea rax, [rip + distance to the end]
    this.#code.raw(0x48, 0x8d, 0x05);
    const at = this.#code.length;
    this.#code.int32(0);
    end.uses.push(at);
    this.#code.store(RAX, resume.address);
    this.#code.store(RSP, stack.address);
    body();
    this.#code.place(end);
    return this.variable(signal);
  }
  #installHandler(): { readonly signal: Slot; readonly resume: Slot; readonly stack: Slot } {
    const faults = { signal: this.slot(), resume: this.slot(), stack: this.slot() };
    const over = this.#code.label();
    this.#code.jump(over);
    const handler = CODE_BASE + this.#code.length;
    this.#code.store(RDI, faults.signal.address);
    for (const [slot, offset] of [[faults.resume, UCONTEXT_RIP], [faults.stack, UCONTEXT_RSP]] as const) {
      this.#code.load(RAX, slot.address);
      this.#code.raw(0x48, 0x89, 0x82);
      this.#code.int32(offset);
    }
    this.#code.raw(0xc3);
    const restorer = CODE_BASE + this.#code.length;
    this.#trap('rt_sigreturn', []);
    this.#code.place(over);
    const action = this.words(handler, HANDLER_FLAGS, restorer, 0);
    for (const signal of FAULTS) this.#trap('rt_sigaction', [signal, action, 0, SIGNAL_SET_SIZE]);
    return faults;
  }

  /** Past a simulated kernel. */
  #write(fd: number, address: Value, length: Value): void {
    this.#trap('write', [fd, address, length]);
  }
  say(text: string): void {
    this.#write(1, this.text(text), new TextEncoder().encode(text).length);
  }
  /** In 16 hexadecimal digits. */
  sayNumber(value: Value): void {
    this.#into(RAX, value);
    this.#code.call(this.#hex.routine);
    this.#write(1, this.#hex.digits, 16);
  }
  #hexRoutine(): { readonly digits: number; readonly routine: Label } {
    const [digits, table] = [this.buffer(16), this.text('0123456789abcdef')];
    const [routine, over] = [this.#code.label(), this.#code.label()];
    this.#code.jump(over);
    this.#code.place(routine);
    this.#code.move(RDI, BigInt(digits));
    this.#code.move(RCX, 16n);
    // rol rax, 4; mov rdx, rax; and edx, 15; mov dl, [rdx + table]; mov [rdi], dl; inc rdi; dec ecx; jnz back; ret
    const again = this.#code.length;
    this.#code.raw(0x48, 0xc1, 0xc0, 0x04, 0x48, 0x89, 0xc2, 0x83, 0xe2, 0x0f, 0x8a, 0x92);
    this.#code.int32(table);
    this.#code.raw(0x88, 0x17, 0x48, 0xff, 0xc7, 0xff, 0xc9, 0x75, again - (this.#code.length + 9), 0xc3);
    this.#code.place(over);
    return { digits, routine };
  }

  /** A line about an attempt, with what came of it. Answers the result. */
  tell(what: string, result: Slot): Slot {
    this.say(`try\t${what}\t`);
    this.sayNumber(result);
    this.say('\n');
    return result;
  }
  /** An attempt: the call, and a line about it. */
  attempt(what: string, name: string, ...args: readonly Value[]): Slot {
    return this.tell(what, this.sys(name, ...args));
  }
  /** A number that was measured. */
  measure(what: string, value: Value): void {
    this.say(`measured\t${what}\t`);
    this.sayNumber(value);
    this.say('\n');
  }
  /** It is out, as far as it can see itself. */
  claim(what: string): void {
    this.say(`claim\t${what}\n`);
  }
  /** What it got hold of. */
  loot(address: Value, length: Value): void {
    this.#write(2, address, length);
  }

  /** The end: without the last line of it, a technique was not tried to its end. */
  toElf(): Uint8Array {
    this.say('done\n');
    this.#trap('exit_group', [0]);
    return makeElf(this.#code.toBytes(), Uint8Array.from(this.#data), this.#zeros);
  }
}

/** Machine code with labels: the few instructions of x86-64 that guest programs are made of (SDM Vol. 2). */

/** Numbers of registers in ModRM and REX (SDM Vol. 2A 2.1). */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RSP = 4;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;

/** The low four bits of Jcc's opcode, for signed numbers (SDM Vol. 2A "Jcc"). */
export const CONDITIONS = { '==': 4, '!=': 5, '<': 12, '>=': 13, '<=': 14, '>': 15 } as const;
export type Condition = keyof typeof CONDITIONS;

/** A place in the code that may be known later. */
export interface Label {
  offset: number;
  readonly uses: number[];
}

export class Code {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }
  raw(...bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte & 0xff);
  }
  int32(value: number): void {
    this.raw(value, value >> 8, value >> 16, value >> 24);
  }
  /** `mov register, value`: 32 bits are extended with zeros where that is the same number. */
  move(register: number, value: bigint): void {
    const bits = BigInt.asUintN(64, value);
    const low = register & 7;
    if (bits <= 0xffff_ffffn) {
      this.raw(...(register > 7 ? [0x41] : []), 0xb8 + low);
      this.int32(Number(bits) | 0);
      return;
    }
    this.raw(0x48 | (register >> 3), 0xb8 + low);
    for (let shift = 0n; shift < 64n; shift += 8n) this.raw(Number((bits >> shift) & 0xffn));
  }
  /** `mov register, [address]` */
  load(register: number, address: number): void {
    this.#absolute(0x8b, register, address);
  }
  /** `mov [address], register` */
  store(register: number, address: number): void {
    this.#absolute(0x89, register, address);
  }
  #absolute(opcode: number, register: number, address: number): void {
    this.raw(0x48 | ((register >> 3) << 2), opcode, 0x04 | ((register & 7) << 3), 0x25);
    this.int32(address);
  }

  label(): Label {
    return { offset: -1, uses: [] };
  }
  place(label: Label): void {
    label.offset = this.length;
    for (const use of label.uses) this.#patch(use, label.offset);
  }
  jump(label: Label): void {
    this.raw(0xe9);
    this.#relative(label);
  }
  jumpIf(condition: Condition, label: Label): void {
    this.raw(0x0f, 0x80 | CONDITIONS[condition]);
    this.#relative(label);
  }
  call(label: Label): void {
    this.raw(0xe8);
    this.#relative(label);
  }
  #relative(label: Label): void {
    const at = this.length;
    this.int32(0);
    if (label.offset >= 0) this.#patch(at, label.offset);
    else label.uses.push(at);
  }
  #patch(at: number, target: number): void {
    const distance = target - (at + 4);
    for (let byte = 0; byte < 4; byte++) this.#bytes[at + byte] = (distance >> (8 * byte)) & 0xff;
  }

  toBytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

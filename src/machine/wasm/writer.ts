/** Writes the binary format of WebAssembly (Core specification, section 5). */

/** A byte buffer that grows; LEB128 as in section 5.2.2. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  /** Branches of the code in it that are foreseen, in the order of their places: the place times 2, + 1 for one that is taken. */
  hints: number[] = [];

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
    this.hints = [];
  }

  /** The opcode that is written next is an `if` or `br_if`, and mostly goes this way. */
  foresee(taken: boolean): void {
    this.hints.push(2 * this.length + (taken ? 1 : 0));
  }

  /** Code of another writer, with what is foreseen in it. */
  appendCode(code: ByteWriter): void {
    for (const hint of code.hints) this.hints.push(hint + 2 * this.length);
    this.append(code.bytes, code.length);
  }

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  u8(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Unsigned LEB128 of a value below 2^32. */
  u32(value: number): void {
    this.reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /** Signed LEB128 of a 32-bit value. */
  s32(value: number): void {
    this.reserve(5);
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.bytes[this.length++] = low;
        return;
      }
      this.bytes[this.length++] = low | 0x80;
    }
  }

  /** Signed LEB128 of a 64-bit value given as a safe integer. */
  s64Number(value: number): void {
    if (value >= -0x8000_0000 && value <= 0x7fff_ffff) {
      this.s32(value);
      return;
    }
    this.s64(BigInt(value));
  }

  s64(value: bigint): void {
    this.reserve(10);
    let low = Number(BigInt.asIntN(32, value));
    let high = Number(BigInt.asIntN(32, value >> 32n));
    for (;;) {
      const byte = low & 0x7f;
      low = (low >>> 7) | (high << 25);
      high >>= 7;
      const signed = (byte & 0x40) !== 0;
      if ((low === 0 && high === 0 && !signed) || (low === -1 && high === -1 && signed)) {
        this.bytes[this.length++] = byte;
        return;
      }
      this.bytes[this.length++] = byte | 0x80;
    }
  }

  append(bytes: Uint8Array, length = bytes.length): void {
    this.reserve(length);
    this.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.length);
    this.length += length;
  }

  name(text: string): void {
    this.u32(text.length);
    for (let index = 0; index < text.length; index++) this.u8(text.charCodeAt(index));
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
}

export const TYPE_BYTES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type WasmType = keyof typeof TYPE_BYTES;

/** Body of one function: code and the types of its locals. */
export interface FunctionBody {
  readonly type: number;
  readonly locals: readonly WasmType[];
  readonly code: ByteWriter;
}

/** Locals and code of a function, as they stand in a code section, and the code's hints, whose places count from the first byte. */
export interface EncodedCode {
  readonly bytes: Uint8Array;
  readonly hints: readonly number[];
}

/** A function whose body is bytes already: see `encodeFunction`. */
export interface EncodedFunction {
  readonly type: number;
  readonly encoded: EncodedCode;
}

/** Collects the parts of a module and writes it. */
export class ModuleWriter {
  #types: { parameters: readonly WasmType[]; results: readonly WasmType[] }[] = [];
  #imports: { module: string; name: string; write: (out: ByteWriter) => void }[] = [];
  #functions: (FunctionBody | EncodedFunction)[] = [];
  /** Where each function's code is in the finished module: locals and code. */
  readonly bodies: { readonly start: number; readonly length: number }[] = [];
  #exports: { name: string; kind: number; index: number }[] = [];
  #elements: { table: number; functions: readonly number[]; first: number } | undefined;
  #importedFunctions = 0;
  #importedTables = 0;
  #importedGlobals = 0;

  /** Adds a function type; the same type twice gives the same index. */
  type(parameters: readonly WasmType[], results: readonly WasmType[]): number {
    const found = this.#types.findIndex(
      (type) => type.parameters.join() === parameters.join() && type.results.join() === results.join(),
    );
    if (found >= 0) return found;
    this.#types.push({ parameters, results });
    return this.#types.length - 1;
  }

  /** All function imports come before the first `addFunction`. */
  importFunction(module: string, name: string, type: number): number {
    this.#imports.push({ module, name, write: (out) => { out.u8(0); out.u32(type); } });
    return this.#importedFunctions++;
  }

  importMemory(module: string, name: string, minimum: number, maximum: number): void {
    this.#imports.push({ module, name, write: (out) => { out.u8(2); out.u8(1); out.u32(minimum); out.u32(maximum); } });
  }

  /** `size`: of a table that never grows. */
  importTable(module: string, name: string, size?: () => number): number {
    this.#imports.push({
      module, name, write: (out) => {
        out.u8(1);
        out.u8(0x70);
        out.u8(size === undefined ? 0 : 1);
        out.u32(size?.() ?? 0);
        if (size !== undefined) out.u32(size());
      },
    });
    return this.#importedTables++;
  }

  /** A mutable i32. */
  importGlobal(module: string, name: string): number {
    this.#imports.push({ module, name, write: (out) => { out.u8(3); out.u8(0x7f); out.u8(1); } });
    return this.#importedGlobals++;
  }

  addFunction(body: FunctionBody | EncodedFunction): number {
    this.#functions.push(body);
    return this.#importedFunctions + this.#functions.length - 1;
  }

  export(name: string, functionIndex: number): void {
    this.#exports.push({ name, kind: 0, index: functionIndex });
  }

  /** Fills a table from a slot on. */
  elements(table: number, functions: readonly number[], first = 0): void {
    this.#elements = { table, functions, first };
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(4096 + this.#codeSize());
    out.append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    this.#section(out, 1, (section) => {
      section.u32(this.#types.length);
      for (const type of this.#types) {
        section.u8(0x60);
        section.u32(type.parameters.length);
        for (const parameter of type.parameters) section.u8(TYPE_BYTES[parameter]);
        section.u32(type.results.length);
        for (const result of type.results) section.u8(TYPE_BYTES[result]);
      }
    });
    this.#section(out, 2, (section) => {
      section.u32(this.#imports.length);
      for (const entry of this.#imports) {
        section.name(entry.module);
        section.name(entry.name);
        entry.write(section);
      }
    });
    this.#section(out, 3, (section) => {
      section.u32(this.#functions.length);
      for (const body of this.#functions) section.u32(body.type);
    });
    this.#section(out, 7, (section) => {
      section.u32(this.#exports.length);
      for (const entry of this.#exports) {
        section.name(entry.name);
        section.u8(entry.kind);
        section.u32(entry.index);
      }
    });
    this.#elementSection(out);
    const functions = this.#functions.map((body) => ('encoded' in body ? body.encoded : encodeFunction(body)));
    this.#hintSection(out, functions);
    this.#codeSection(out, functions);
    return out.finish();
  }

  /** At most so many bytes go into the code section, as far as functions are encoded already. */
  #codeSize(): number {
    return this.#functions.reduce((size, body) => size + 5 + ('encoded' in body ? body.encoded.bytes.length : 0), 16);
  }

  #elementSection(out: ByteWriter): void {
    const elements = this.#elements;
    if (elements === undefined) return;
    this.#section(out, 9, (section) => {
      section.u32(1);
      section.u32(2); // active, explicit table, function indexes
      section.u32(elements.table);
      section.u8(0x41);
      section.s32(elements.first);
      section.u8(0x0b);
      section.u8(0);
      section.u32(elements.functions.length);
      for (const index of elements.functions) section.u32(index);
    });
  }

  /** Which way branches mostly go (branch hinting proposal): an engine puts the other way, with what it must store for it, behind the function. */
  #hintSection(out: ByteWriter, functions: readonly EncodedCode[]): void {
    const hinted = [...functions.entries()].filter(([, { hints }]) => hints.length > 0);
    if (hinted.length === 0) return;
    this.#section(out, 0, (section) => {
      section.name('metadata.code.branch_hint');
      section.u32(hinted.length);
      for (const [index, { hints }] of hinted) {
        section.u32(this.#importedFunctions + index);
        section.u32(hints.length);
        for (const hint of hints) {
          section.u32(hint >>> 1);
          section.u32(1);
          section.u32(hint & 1);
        }
      }
    });
  }

  #codeSection(out: ByteWriter, functions: readonly EncodedCode[]): void {
    this.#section(out, 10, (section) => {
      section.reserve(this.#codeSize());
      section.u32(functions.length);
      for (const { bytes } of functions) {
        section.u32(bytes.length);
        this.bodies.push({ start: section.length, length: bytes.length });
        section.append(bytes);
      }
    });
    // It is the last section.
    const shift = out.length - (this.bodies.at(-1)?.start ?? 0) - (this.bodies.at(-1)?.length ?? 0);
    this.bodies.forEach(({ start, length }, index) => (this.bodies[index] = { start: start + shift, length }));
  }

  #section(out: ByteWriter, id: number, write: (section: ByteWriter) => void): void {
    const section = new ByteWriter(1024);
    write(section);
    out.u8(id);
    out.u32(section.length);
    out.append(section.bytes, section.length);
  }
}

const scratch = new ByteWriter();

export function encodeFunction({ locals, code }: FunctionBody): EncodedCode {
  const out = scratch;
  out.clear();
  writeLocals(out, locals);
  out.appendCode(code);
  return { bytes: out.finish(), hints: out.hints };
}

function writeLocals(out: ByteWriter, locals: readonly WasmType[]): void {
  const runs: { type: WasmType; count: number }[] = [];
  for (const type of locals) {
    const last = runs[runs.length - 1];
    if (last !== undefined && last.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  out.u32(runs.length);
  for (const run of runs) {
    out.u32(run.count);
    out.u8(TYPE_BYTES[run.type]);
  }
}

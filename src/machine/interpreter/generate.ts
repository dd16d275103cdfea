/**
 * Writes the interpreter's Wasm modules from the instruction table and the semantics: that of all processes, and the handlers of AVX and
 * what came with it, which are for processes whose processor has it. Runs at build time.
 */
import { packDecoderTables } from '../decoder/tables.ts';
import type { Feature, InstructionRow } from '../isa/instruction.ts';
import { ROWS } from '../isa/table.ts';
import { analyze, branchFlags, FLAG_SET_ALL, type Analysis } from '../semantics/analysis.ts';
import type { SemanticsTable } from '../semantics/builder.ts';
import { COMPARE_STRINGS_PARAMETERS, compareStringsFunction } from '../semantics/compare-strings.ts';
import { exactForms } from '../semantics/index.ts';
import { STATE_EXACT_FLOATS } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import { ByteWriter, ModuleWriter, type FunctionBody } from '../wasm/writer.ts';
import {
  dispatchFunction, emitBranchBehind, emitControl, interpretFunction, isControl, pseudoHandlers, startFunction, type ControlEnvironment,
} from './control.ts';
import { FORMS_PER_ROW, formsOfRow, type Form } from './forms.ts';
import { InterpreterBuilder, type HandlerEnvironment } from './interpreter-builder.ts';
import { NOTE_BRANCHES, NOTE_DEAD_FLAGS, NOTE_KILLS_SHIFT, NOTE_READS_SHIFT } from './notes.ts';
import { handlerName, pairClass, PAIRS, pairTable, type HandlerKind } from './pairs.ts';
import { FIRST_INSTRUCTION_HANDLER } from './record.ts';

/** What the build writes next to the program, and the machine loads. */
export interface InterpreterImage {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The handlers of the rows from `firstVectorForm` on. */
  readonly vectors: Uint8Array<ArrayBuffer>;
  /** A form key: those from it on are of AVX. */
  readonly firstVectorForm: number;
  /** Size of the table of handlers. */
  readonly handlerCount: number;
  /** By form key: handler, 0 where there is none. The handler after it is another one for it, if its note says so. */
  readonly handlers: Uint16Array<ArrayBuffer>;
  /** By handler: `NOTE_*` bits. */
  readonly notes: Uint8Array<ArrayBuffer>;
  /** For the decoder: see its `layout.ts`. */
  readonly pairClasses: Uint16Array<ArrayBuffer>;
  readonly pairs: Uint16Array<ArrayBuffer>;
}

/** A branch follows most of them. */
const COMPARISONS = new Set(['cmp', 'test']);
const COMMON_FOR_DEAD_FLAGS = new Set([
  'add', 'sub', 'and', 'or', 'xor', 'inc', 'dec', 'shl', 'shr', 'sar', 'neg', 'imul2', 'imul3', 'adc', 'sbb',
]);

interface Imports {
  readonly handler: HandlerEnvironment;
  readonly control: ControlEnvironment;
}

/** `isFirst`: the module has the functions that all others call. */
function declareImports(module: ModuleWriter, helperNumbers: ReadonlyMap<string, number>, handlerCount: () => number, isFirst: boolean): Imports {
  const handlerType = module.type(['i32'], ['i32']);
  const unitType = module.type(['i32', 'i32'], ['i32']);
  module.importMemory('m', 'memory', 1, 65536);
  // The first table costs two loads less in each call.
  const handlerTable = module.importTable('m', 'handlers', handlerCount);
  const unitTable = module.importTable('m', 'units');
  const i32s = (count: number): 'i32'[] => new Array<'i32'>(count).fill('i32');
  const checkAccess = module.importFunction('m', 'checkAccess', module.type(i32s(5), ['i32']));
  const raise = module.importFunction('m', 'raise', module.type(i32s(2), []));
  const helper = module.importFunction('m', 'helper', module.type(i32s(6), ['i32']));
  const resolve = module.importFunction('m', 'resolve', handlerType);
  const hot = module.importFunction('m', 'hot', handlerType);
  const lookup = module.importFunction('m', 'lookup', handlerType);
  const syscall = module.importFunction('m', 'syscall', module.type([], ['i32']));
  const jumped = module.importFunction('m', 'jumped', module.type(i32s(2), []));
  const stackLeft = module.importFunction('m', 'stackLeft', handlerType);
  const dispatch = stackLeft + 1;
  const compareStrings = isFirst ? dispatch + 1 : module.importFunction('m', 'compareStrings', module.type(COMPARE_STRINGS_PARAMETERS, ['i32']));
  const helperNumber = (name: string): number => {
    const number = helperNumbers.get(name);
    if (number === undefined) throw new Error(`there is no helper "${name}"`);
    return number;
  };
  return {
    handler: { handlerType, handlerTable, checkAccess, raise, helper, helperNumber, compareStrings },
    control: { handlerType, handlerTable, unitType, unitTable, resolve, hot, lookup, syscall, jumped, stackLeft, dispatch },
  };
}

/** Ends the function that a builder has written. */
function bodyOf(builder: InterpreterBuilder, { handler }: Imports): FunctionBody {
  builder.out.u8(op.UNREACHABLE);
  builder.out.u8(op.END);
  return { type: handler.handlerType, locals: builder.locals, code: builder.out };
}

/** An instruction, and the way to the next one. */
function emitInstruction(builder: InterpreterBuilder, { sample }: Form, kind: HandlerKind, semantics: SemanticsTable, { control }: Imports): void {
  const key = sample.row.semantics;
  if (isControl(key)) {
    emitControl(builder, control);
    return;
  }
  semantics[key]?.(builder);
  if (kind === ' branch') emitBranchBehind(builder, control);
  else builder.next();
}

/** `exact`: the function that does it where SSE obeys MXCSR. */
function handlerBody(form: Form, kind: HandlerKind, semantics: SemanticsTable, imports: Imports, exact?: number): FunctionBody {
  const builder = new InterpreterBuilder(form.sample, form.mode, kind === ' dead', imports.handler);
  if (exact !== undefined) {
    builder.unlikely(builder.readState(STATE_EXACT_FLOATS, 'i32'), () => {
      builder.emit(builder.record);
      builder.out.u8(op.RETURN_CALL);
      builder.out.u32(exact);
    });
  }
  emitInstruction(builder, form, kind, semantics, imports);
  return bodyOf(builder, imports);
}

/** One that a pair may have. */
interface Part {
  readonly form: Form;
  readonly kind: HandlerKind;
  /** Its own handler, by function index. */
  readonly plain: number;
}

function pairBody(first: Part, second: Part, semantics: SemanticsTable, imports: Imports): FunctionBody {
  const builder = new InterpreterBuilder(first.form.sample, first.form.mode, first.kind === ' dead', imports.handler);
  builder.usePlain(first.plain);
  semantics[first.form.sample.row.semantics]?.(builder);
  builder.begin(second.form.sample, second.form.mode, second.kind === ' dead');
  builder.usePlain(second.plain);
  emitInstruction(builder, second.form, second.kind, semantics, imports);
  return bodyOf(builder, imports);
}

function noteOf(form: Form, analysis: Analysis | undefined): number {
  if (analysis === undefined) return branchFlags(form.sample) << NOTE_READS_SHIFT;
  return (analysis.flagsRead << NOTE_READS_SHIFT) | (analysis.flagsKilled << NOTE_KILLS_SHIFT);
}

/** Rows whose semantics are neither in the table nor control flow. */
export function missingSemantics(semantics: SemanticsTable): string[] {
  const missing = ROWS.filter((row) => !isControl(row.semantics) && semantics[row.semantics] === undefined);
  return [...new Set(missing.map((row) => row.semantics))];
}

const VECTOR_FEATURES: ReadonlySet<Feature> = new Set(['avx', 'avx2', 'fma', 'f16c']);

/** All handlers by number, and what the decoder is told of them. */
class HandlerList {
  readonly handlers = new Uint16Array(ROWS.length * FORMS_PER_ROW);
  readonly notes: number[] = new Array<number>(FIRST_INSTRUCTION_HANDLER).fill(0);
  readonly pairClasses: number[] = new Array<number>(FIRST_INSTRUCTION_HANDLER).fill(0);
  readonly parts = new Map<string, Part>();
  readonly #semantics: SemanticsTable;
  /** Of handlers that are in modules before. */
  #first = 0;

  constructor(semantics: SemanticsTable) {
    this.#semantics = semantics;
  }

  /** The next module's handlers have numbers from here on. */
  begin(first: number): void {
    this.#first = first;
    for (const list of [this.notes, this.pairClasses]) while (list.length < first) list.push(0);
  }

  /** Writes the handlers of a row into a module. `functions`: the module's handlers so far. */
  addRow(row: InstructionRow, module: ModuleWriter, imports: Imports, functions: number[]): void {
    const semantics = this.#semantics;
    const meaning = semantics[row.semantics];
    if (meaning === undefined && !isControl(row.semantics)) return;
    const add = (form: Form, kind: HandlerKind, note: number, exact?: number): void => {
      const plain = module.addFunction(handlerBody(form, kind, semantics, imports, exact));
      const name = handlerName(form, kind);
      if (exact === undefined) this.parts.set(name, { form, kind, plain });
      functions.push(plain);
      this.notes.push(note);
      this.pairClasses.push(pairClass(name));
    };
    for (const form of formsOfRow(row)) {
      const analysis = meaning === undefined || isControl(row.semantics) ? undefined : analyze(form.sample, meaning, false);
      const note = noteOf(form, analysis);
      const dead = COMMON_FOR_DEAD_FLAGS.has(row.semantics) && analysis !== undefined && (analysis.flagsWritten | analysis.flagsKilled) === FLAG_SET_ALL;
      const branches = COMPARISONS.has(row.semantics);
      this.handlers[form.key] = this.#first + functions.length;
      const exact = exactForms[row.semantics] === undefined ? undefined : module.addFunction(handlerBody(form, '', exactForms, imports));
      add(form, '', note | (dead ? NOTE_DEAD_FLAGS : 0) | (branches ? NOTE_BRANCHES : 0), exact);
      if (dead) add(form, ' dead', note, exact);
      if (branches) add(form, ' branch', note);
    }
  }
}

export function generateInterpreter(semantics: SemanticsTable, helperNumbers: ReadonlyMap<string, number>): InterpreterImage {
  const module = new ModuleWriter();
  const handlerCount = (): number => functions.length + vectorFunctions.length;
  const imports = declareImports(module, helperNumbers, handlerCount, true);
  const firstRow = ROWS[0];
  const firstVectorRow = ROWS.findIndex(({ feature }) => VECTOR_FEATURES.has(feature));
  if (firstRow === undefined || firstVectorRow < 0) throw new Error('the instruction table is empty');
  if (ROWS.slice(firstVectorRow).some(({ feature }) => !VECTOR_FEATURES.has(feature))) throw new Error('the rows of AVX are not the last ones');
  const SAMPLE = formsOfRow(firstRow)[0] as Form;
  const pseudo = (): InterpreterBuilder => new InterpreterBuilder(SAMPLE.sample, 0, false, imports.handler);
  module.addFunction(dispatchFunction(pseudo(), imports.control));
  const withParameters = (count: number): InterpreterBuilder => new InterpreterBuilder(SAMPLE.sample, 0, false, imports.handler, count);
  const stringsType = module.type(COMPARE_STRINGS_PARAMETERS, ['i32']);
  module.export('compareStrings', module.addFunction(compareStringsFunction(withParameters(COMPARE_STRINGS_PARAMETERS.length), stringsType)));
  module.export('interpret', module.addFunction(interpretFunction(imports.control, withParameters(2))));
  module.export('start', module.addFunction(startFunction(imports.control, pseudo())));
  const functions = pseudoHandlers(pseudo, imports.control).map((body) => module.addFunction(body));
  const list = new HandlerList(semantics);
  for (const row of ROWS.slice(0, firstVectorRow)) list.addRow(row, module, imports, functions);
  const pairs = pairTable(functions.length);
  for (const names of PAIRS) {
    const [first, second] = names.map((name) => list.parts.get(name));
    if (first === undefined || second === undefined) throw new Error(`there is no handler "${names.join('" or "')}"`);
    functions.push(module.addFunction(pairBody(first, second, semantics, imports)));
  }
  module.elements(imports.control.handlerTable, functions);
  const vectorModule = new ModuleWriter();
  const vectorImports = declareImports(vectorModule, helperNumbers, handlerCount, false);
  const vectorFunctions: number[] = [];
  list.begin(functions.length);
  for (const row of ROWS.slice(firstVectorRow)) list.addRow(row, vectorModule, vectorImports, vectorFunctions);
  vectorModule.elements(vectorImports.control.handlerTable, vectorFunctions, functions.length);
  return {
    wasm: module.finish(), vectors: vectorModule.finish(), firstVectorForm: firstVectorRow * FORMS_PER_ROW, handlerCount: handlerCount(),
    handlers: list.handlers, notes: Uint8Array.from(list.notes), pairClasses: Uint16Array.from(list.pairClasses), pairs,
  };
}

/** FNV-1a with another start for each half. */
function hashOf(bytes: Uint8Array, start: number): number {
  let hash = start;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash;
}

/** The module with a custom section "id" at its end: the last 8 bytes name it, so that what is kept for a module can be known to be for this one. */
function identified(wasm: Uint8Array): Uint8Array {
  const section = [0, 11, 2, 0x69, 0x64, ...new Uint8Array(Uint32Array.of(hashOf(wasm, 0x811c_9dc5), hashOf(wasm, wasm.length)).buffer)];
  return Uint8Array.from([...wasm, ...section]);
}

/** One file: the number of handlers, the first form of AVX and three lengths (u32), the decoder's tables, its module (`scripts/compile-decoder.ts`), the interpreter's. */
export function packImage(image: InterpreterImage, decoder: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts = [packDecoderTables(image.handlers, image.notes, image.pairClasses, image.pairs), identified(decoder), identified(image.wasm)];
  const header = Uint32Array.of(image.handlerCount, image.firstVectorForm, ...parts.map((part) => part.length));
  const out = new ByteWriter(parts.reduce((sum, { length }) => sum + length, header.byteLength));
  for (const part of [new Uint8Array(header.buffer), ...parts]) out.append(part);
  return out.finish();
}

/** Another file: the module of the handlers of AVX. */
export function packVectors(image: InterpreterImage): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(identified(image.vectors));
}

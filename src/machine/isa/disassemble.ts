/** Instructions as text, in the form of `objdump -d -M intel`, without prefixes that have no effect. */

import type {
  DecodedInstruction,
  ImmediateOperand,
  MemoryOperand,
  Operand,
  RegisterOperand,
} from './instruction.ts';

const LEGACY_NAMES = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'] as const;
const BYTE_NAMES = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'] as const;
const HIGH_NAMES = ['ah', 'ch', 'dh', 'bh'] as const;
const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
const SIZE_NAMES = new Map([
  [1, 'BYTE PTR '],
  [2, 'WORD PTR '],
  [4, 'DWORD PTR '],
  [6, 'FWORD PTR '],
  [8, 'QWORD PTR '],
  [10, 'TBYTE PTR '],
  [16, 'XMMWORD PTR '],
  [32, 'YMMWORD PTR '],
]);

/** `rax`, `r8d`, `sil`, ... */
export function gprName(index: number, size: number, high8 = false): string {
  if (high8) return HIGH_NAMES[index]!;
  if (index >= 8) return `r${index}${size === 8 ? '' : size === 4 ? 'd' : size === 2 ? 'w' : 'b'}`;
  if (size === 1) return BYTE_NAMES[index]!;
  return (size === 8 ? 'r' : size === 4 ? 'e' : '') + LEGACY_NAMES[index]!;
}

function registerName(register: RegisterOperand, code: string): string {
  switch (register.class) {
    case 'gpr':
      return gprName(register.index, register.size, register.high8);
    case 'xmm':
      return `${register.size === 32 ? 'y' : 'x'}mm${register.index}`;
    case 'mmx':
      return `mm${register.index}`;
    case 'x87':
      return code === 'ST0' ? 'st' : `st(${register.index})`;
    case 'segment':
      return SEGMENT_NAMES[register.index] ?? '?';
    case 'control':
      return `cr${register.index}`;
    case 'debug':
      return `dr${register.index}`;
  }
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** As an unsigned 64-bit number. */
function hex64(value: number): string {
  return hex(BigInt.asUintN(64, BigInt(value)));
}

function signedHex(value: number): string {
  return value < 0 ? `-${hex(-value)}` : `+${hex(value)}`;
}

/** Of a gather: 256 bits of them. */
function hasLongIndexes({ row }: DecodedInstruction): boolean {
  return row.vectorLength === 1 && !/gatherdq$|gatherdpd$/.test(row.mnemonic);
}

function memoryText(memory: MemoryOperand, instruction: DecodedInstruction): string {
  const addressSize = memory.address32 ? 4 : 8;
  const segment = memory.segment === 'none' ? '' : `${memory.segment}:`;
  if (memory.ripRelative) {
    const distance = memory.displacement - (instruction.address + instruction.length);
    return `${segment}[${memory.address32 ? 'eip' : 'rip'}+${hex64(memory.address32 ? distance | 0 : distance)}]`;
  }
  if (memory.base < 0 && memory.index < 0 && memory.vectorIndex < 0) {
    return `${segment === '' ? 'ds:' : segment}${hex64(memory.displacement)}`;
  }
  let inner = memory.base < 0 ? '' : gprName(memory.base, addressSize);
  if (memory.index >= 0) {
    inner += `${inner === '' ? '' : '+'}${gprName(memory.index, addressSize)}*${1 << memory.scale}`;
  }
  if (memory.vectorIndex >= 0) {
    inner += `${inner === '' ? '' : '+'}${hasLongIndexes(instruction) ? 'y' : 'x'}mm${memory.vectorIndex}*${1 << memory.scale}`;
  }
  if (memory.displacement !== 0) inner += signedHex(memory.displacement);
  return `${segment}[${inner}]`;
}

function immediateText(immediate: ImmediateOperand): string {
  const value = (BigInt(immediate.high) << 32n) | BigInt(immediate.low >>> 0);
  return hex(BigInt.asUintN(immediate.size * 8, value));
}

/** objdump shows no size for `moffs` and lddqu, and an integer's for cmpxchg16b. */
function sizeText(memory: MemoryOperand, code: string, mnemonic: string): string {
  if (code[0] === 'O' || mnemonic.endsWith('lddqu')) return '';
  if (mnemonic === 'cmpxchg16b') return 'OWORD PTR ';
  return SIZE_NAMES.get(memory.size) ?? '';
}

function operandText(operand: Operand, instruction: DecodedInstruction, code: string): string {
  switch (operand.kind) {
    case 'register':
      return registerName(operand, code);
    case 'memory':
      return sizeText(operand, code, instruction.row.mnemonic) + memoryText(operand, instruction);
    case 'immediate':
      return code === '1' ? '1' : immediateText(operand);
    case 'target':
      return hex64(operand.address);
  }
}

/** What string instructions and xlat leave implicit. */
function stringOperands(instruction: DecodedInstruction): string | undefined {
  const size = SIZE_NAMES.get(instruction.size) ?? '';
  const addressSize = instruction.address32 ? 4 : 8;
  const segment = instruction.segment === 'none' ? 'ds' : instruction.segment;
  const source = `${size}${segment}:[${gprName(6, addressSize)}]`;
  const destination = `${size}es:[${gprName(7, addressSize)}]`;
  const accumulator = gprName(0, instruction.size);
  switch (instruction.row.mnemonic) {
    case 'movs':
      return `${destination},${source}`;
    case 'cmps':
      return `${source},${destination}`;
    case 'stos':
      return `${destination},${accumulator}`;
    case 'lods':
      return `${accumulator},${source}`;
    case 'scas':
      return `${accumulator},${destination}`;
    case 'ins':
      return `${destination},dx`;
    case 'outs':
      return `dx,${source}`;
    case 'xlat':
      return `${size}${segment}:[${gprName(3, addressSize)}]`;
    default:
      return undefined;
  }
}

/** Mnemonics that depend on the operand or address size, by the row's: 16, 32 and 64 bits. */
const BY_SIZE = new Map<string, readonly [string, string, string]>([
  ['cwde', ['cbw', 'cwde', 'cdqe']],
  ['cdq', ['cwd', 'cdq', 'cqo']],
  ['iret', ['iretw', 'iret', 'iretq']],
  ['sysret', ['sysretd', 'sysretd', 'sysretq']],
  ['pushf', ['pushfw', 'pushf', 'pushf']],
  ['popf', ['popfw', 'popf', 'popf']],
]);
/** 16-bit forms that operands do not tell. */
const WORD_SUFFIX = new Set(['push Iz', 'push Ibs', 'push FS', 'push GS', 'pop FS', 'pop GS', 'enter Iw', 'leave ']);
const COMPARISONS = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'] as const;
/** Of VEX. */
const LONG_COMPARISONS = [
  ...COMPARISONS, 'eq_uq', 'nge', 'ngt', 'false', 'neq_oq', 'ge', 'gt', 'true',
  'eq_os', 'lt_oq', 'le_oq', 'unord_s', 'neq_us', 'nlt_uq', 'nle_uq', 'ord_s', 'eq_us', 'nge_uq', 'ngt_uq', 'false_os', 'neq_os', 'ge_oq', 'gt_oq', 'true_us',
] as const;
const CARRYLESS = new Map([
  [0x00, 'pclmullqlqdq'],
  [0x01, 'pclmulhqlqdq'],
  [0x10, 'pclmullqhqdq'],
  [0x11, 'pclmulhqhqdq'],
]);
const XMM0_IMPLICIT = new Set(['pblendvb', 'blendvps', 'blendvpd', 'sha256rnds2']);

/** Names that stand for an instruction with a certain immediate (`cmpltps`); the immediate is then left out. */
function nameWithImmediate(instruction: DecodedInstruction): string | undefined {
  const last = instruction.operands.at(-1);
  if (last === undefined || last.kind !== 'immediate') return undefined;
  const { mnemonic } = instruction.row;
  if (mnemonic === 'pclmulqdq') return CARRYLESS.get(last.low);
  if (mnemonic === 'vpclmulqdq') return CARRYLESS.has(last.low) ? `v${CARRYLESS.get(last.low)!}` : undefined;
  if (/^vcmp[ps][sd]$/.test(mnemonic)) return last.low > 31 ? undefined : `vcmp${LONG_COMPARISONS[last.low]!}${mnemonic.slice(4)}`;
  if (!/^cmp[ps][sd]$/.test(mnemonic) || last.low > 7) return undefined;
  return `cmp${COMPARISONS[last.low]!}${mnemonic.slice(3)}`;
}

function mnemonicOf(instruction: DecodedInstruction): string {
  const { row, size } = instruction;
  const bySize = BY_SIZE.get(row.mnemonic);
  if (bySize !== undefined) return bySize[size >> 2]!;
  if (row.mnemonic === 'mov' && row.operands.some((code) => code[0] === 'O' || (code === 'Iv' && size === 8))) return 'movabs';
  if (row.mnemonic === 'jrcxz' && instruction.address32) return 'jecxz';
  if (size === 2 && row.default64 && WORD_SUFFIX.has(`${row.mnemonic} ${row.operands[0] ?? ''}`)) return `${row.mnemonic}w`;
  return row.mnemonic;
}

function prefixText(instruction: DecodedInstruction): string {
  if (instruction.lock) return 'lock ';
  if (instruction.repeat === 'none') return '';
  if (instruction.repeat === 'repne') return 'repnz ';
  return instruction.row.repeat === 'rep' ? 'rep ' : 'repz ';
}

export function disassemble(instruction: DecodedInstruction): string {
  const { row, operands } = instruction;
  if (row.mnemonic === 'nop' && row.opcode === 0x90 && instruction.size === 2) return 'xchg ax,ax';
  const prefix = prefixText(instruction);
  const implied = stringOperands(instruction);
  if (implied !== undefined) return `${prefix}${row.mnemonic} ${implied}`;
  const special = nameWithImmediate(instruction);
  const shown = special === undefined ? operands : operands.slice(0, -1);
  const texts = shown.map((operand, index) => operandText(operand, instruction, row.operands[index]!));
  if (XMM0_IMPLICIT.has(row.mnemonic)) texts.push('xmm0');
  const name = prefix + (special ?? mnemonicOf(instruction));
  return texts.length === 0 ? name : `${name} ${texts.join(',')}`;
}

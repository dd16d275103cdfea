/** Data movement: SDM Vol. 2, MOV, MOVSX/MOVSXD, MOVZX, LEA, XCHG, CMOVcc, SETcc, CBW and CWD families, XLAT, MOVNTI, NOP. */
import type { Builder, SemanticsTable } from './builder.ts';
import { RAX, RBX, RDX, readSource, typeOfSize } from './integer-operands.ts';

function mov(b: Builder): void {
  b.write(0, readSource(b, 1, b.operandSize(0)));
}

function movzx(b: Builder): void {
  b.write(0, b.resize(b.read(1), b.operandSize(0)));
}

function movsx(b: Builder): void {
  b.write(0, b.readSigned(1, typeOfSize(b.operandSize(0))));
}

/** Without REX.W it moves 4 or 2 bytes. */
function movsxd(b: Builder): void {
  const size = b.operandSize(0);
  b.write(0, size === b.operandSize(1) ? b.read(1) : b.readSigned(1, typeOfSize(size)));
}

function lea(b: Builder): void {
  b.write(0, b.resize(b.address(1), b.operandSize(0)));
}

/** Memory comes first: its address may depend on the register, and only it can fault. */
function xchg(b: Builder): void {
  const first = b.let(b.read(0));
  const second = b.let(b.read(1));
  if (b.isMemory(1)) {
    b.write(1, first);
    b.write(0, second);
  } else {
    b.write(0, second);
    b.write(1, first);
  }
}

/** Memory is read whether or not the condition holds, and the upper half of a 32-bit destination cleared. */
function cmovcc(b: Builder): void {
  const value = b.isMemory(1) ? b.let(b.read(1)) : b.read(1);
  b.write(0, b.select(b.ownCondition(), value, b.read(0)));
}

function setcc(b: Builder): void {
  b.write(0, b.ownCondition());
}

/** CBW, CWDE, CDQE: the lower half of the accumulator, sign-extended. */
function extendAccumulator(b: Builder): void {
  const size = b.size;
  const half = b.readGpr(RAX, size / 2);
  b.writeGpr(RAX, size, size === 8 ? b.extendS(half) : b.signExtend(half, size / 2));
}

/** CWD, CDQ, CQO: the sign of the accumulator in all of DX, EDX or RDX. */
function spreadSign(b: Builder): void {
  const size = b.size;
  const value = b.readGpr(RAX, size);
  b.writeGpr(RDX, size, b.shrS(size === 2 ? b.signExtend(value, 2) : value, b.i32(size === 8 ? 63 : 31)));
}

function xlat(b: Builder): void {
  const address = b.add(b.readGpr(RBX, 8), b.extendU(b.readGpr(RAX, 1)));
  b.writeGpr(RAX, 1, b.load(address, 1));
}

export const integerMove: SemanticsTable = {
  mov,
  movabs: mov,
  movnti: mov,
  movzx,
  movsx,
  movsxd,
  lea,
  xchg,
  cmovcc,
  setcc,
  cbw: extendAccumulator,
  cwde: extendAccumulator,
  cdqe: extendAccumulator,
  cwd: spreadSign,
  cdq: spreadSign,
  cqo: spreadSign,
  xlat,
  nop: () => {},
};

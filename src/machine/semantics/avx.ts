/** AVX, AVX2 and F16C: what SSE has, three operands and twice as wide, and what is new (SDM Vol. 2, V). */
import { HALF_SOURCE } from '../helpers/fma.ts';
import { STATE_VECTOR_SCRATCH } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import { doubling, halving, lanewise, narrowly } from './avx-lanes.ts';
import { AVX_COMPARE } from './avx-compare.ts';
import { AVX_FMA } from './avx-fma.ts';
import { AVX_MASKED } from './avx-masked.ts';
import { AVX_PERMUTE } from './avx-permute.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { anyTrue, bitmask, lanes, vector, zeroVector } from './sse-vector.ts';

/** Instructions of SSE with two sources, of which VEX names a third register as the destination. */
const WITH_TWO_SOURCES = `punpcklbw punpcklwd punpckldq packsswb pcmpgtb pcmpgtw pcmpgtd packuswb punpckhbw punpckhwd punpckhdq packssdw punpcklqdq
  punpckhqdq pcmpeqb pcmpeqw pcmpeqd psrlw psrld psrlq paddq pmullw psubusb psubusw pminub pand paddusb paddusw pmaxub pandn pavgb psraw psrad pavgw
  pmulhuw pmulhw psubsb psubsw pminsw por paddsb paddsw pmaxsw pxor psllw pslld psllq pmuludq pmaddwd psadbw psubb psubw psubd psubq paddb paddw paddd
  pshufb phaddw phaddd phaddsw pmaddubsw phsubw phsubd phsubsw psignb psignw psignd pmulhrsw pmuldq pcmpeqq packusdw pcmpgtq pminsb pminsd pminuw
  pminud pmaxsb pmaxsd pmaxuw pmaxud pmulld psrlw-imm psraw-imm psllw-imm psrld-imm psrad-imm pslld-imm psrlq-imm psllq-imm psrldq pslldq palignr
  pblendw pblendvb blendvps blendvpd andps andpd andnps andnpd orps orpd xorps xorpd addps addpd addss addsd mulps mulpd mulss mulsd subps subpd
  subss subsd minps minpd minss minsd divps divpd divss divsd maxps maxpd maxss maxsd sqrtss sqrtsd rsqrtss rcpss shufps unpcklps unpcklpd unpckhps
  unpckhpd haddpd haddps hsubpd hsubps addsubpd addsubps roundss roundsd dpps dppd cvtsi2ss cvtsi2sd cvtss2sd cvtsd2ss insertps pinsrb pinsrw pinsrd
  pinsrq aesenc aesenclast aesdec aesdeclast pclmulqdq movhlps movlhps`.split(/\s+/);

const WITH_ONE_SOURCE = `pabsb pabsw pabsd phminposuw pshufd pshufhw pshuflw sqrtps sqrtpd rsqrtps rcpps roundps roundpd cvtdq2ps cvtps2dq cvttps2dq
  movsldup movshdup movddup movntdqa lddqu aeskeygenassist aesimc pextrb pextrw pextrd pextrq extractps
  cvttss2si cvttsd2si cvtss2si cvtsd2si movd-xmm-r movq-xmm-r movd-r-xmm movq-r-xmm movq-xmm-xmm`.split(/\s+/);

/** By how much the upper half's immediate is shifted. */
const WITH_SHIFTED_IMMEDIATE: Readonly<Record<string, number>> = { blendps: 4, blendpd: 2, shufpd: 2, mpsadbw: 3 };
const DOUBLING = 'cvtps2pd cvtdq2pd pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq pmovzxbw pmovzxbd pmovzxbq pmovzxwd pmovzxwq pmovzxdq'.split(' ');
const HALVING = 'cvtpd2ps cvttpd2dq cvtpd2dq'.split(' ');
/** The ordinary ones have other meanings (`avx-compare.ts`). */
const EXACTLY_COMPARING = 'cmpps cmppd cmpss cmpsd'.split(' ');
const COMPARING = 'ucomiss ucomisd comiss comisd pcmpestrm pcmpestri pcmpistrm pcmpistri'.split(' ');

/** The instructions of AVX that `sse` has. */
export function vexForms(sse: SemanticsTable): SemanticsTable {
  const table: Record<string, SemanticFunction> = {};
  const add = (keys: readonly string[], make: (meaning: SemanticFunction, key: string) => SemanticFunction): void => {
    for (const key of keys) {
      const meaning = sse[key];
      if (meaning !== undefined) table[`v${key}`] = make(meaning, key);
    }
  };
  add(WITH_TWO_SOURCES, (meaning) => lanewise(meaning, 1));
  add(WITH_ONE_SOURCE, (meaning) => lanewise(meaning, undefined));
  add(Object.keys(WITH_SHIFTED_IMMEDIATE), (meaning, key) => lanewise(meaning, 1, WITH_SHIFTED_IMMEDIATE[key]));
  add(DOUBLING, doubling);
  add(HALVING, halving);
  add(EXACTLY_COMPARING, (meaning) => lanewise(meaning, 1));
  add(COMPARING, (meaning) => (b) => narrowly(b, meaning, 0));
  return table;
}

/** Between registers, to memory and from it. */
function move(b: Builder): void {
  if (b.operandSize(0) === 32) {
    b.writeV256(0, ...b.readV256(1));
    return;
  }
  b.writeV128(0, b.readV128(1));
  if (!b.isMemory(0)) b.writeYmmHigh(0, zeroVector(b));
}

/** `movss`, `movsd`: a load clears the rest, the form with three registers takes it from the second. */
function moveScalar(isDouble: boolean): SemanticFunction {
  return (b) => {
    if (b.isMemory(0)) {
      if (isDouble) b.writeLow64(0, b.readLow64(1));
      else b.writeLow32(0, b.readLow32(1));
      return;
    }
    narrowly(b, (half) => {
      const source = b.operandCount - 2;
      if (b.operandCount === 2) {
        if (isDouble) half.writeLow64Zero(0, half.readLow64(1));
        else half.writeLow32Zero(0, half.readLow32(1));
      } else if (isDouble) half.writeF64(0, half.readF64(source));
      else half.writeLow32(0, half.readLow32(source));
    }, b.operandCount === 2 ? undefined : 1);
  };
}

/** `movlps` and `movhps`: to memory, or from memory with the other half of a register. */
function moveHalf(high: boolean): SemanticFunction {
  return (b) => {
    if (b.isMemory(0)) b.writeLow64(0, high ? b.readHigh64(1) : b.readLow64(1));
    else narrowly(b, (half) => (high ? half.writeHigh64(0, half.readLow64(1)) : half.writeLow64(0, half.readLow64(1))), 1);
  };
}

/** Sign bits of all lanes as a number. */
function signMask(opcode: number, count: number): SemanticFunction {
  return (b) => {
    if (b.operandSize(1) !== 32) {
      b.write(0, b.resize(bitmask(b, b.readV128(1), opcode), b.operandSize(0)));
      return;
    }
    const [low, high] = b.readV256(1);
    b.write(0, b.resize(b.or(bitmask(b, low, opcode), b.shl(bitmask(b, high, opcode), b.i32(count))), b.operandSize(0)));
  };
}

/** PTEST, and with a mask of sign bits VTESTPS and VTESTPD. */
function test(mask: (b: Builder, value: Expr) => Expr): SemanticFunction {
  return (b) => {
    const wide = b.operandSize(0) === 32;
    const second: readonly Expr[] = wide ? b.readV256(1) : [b.let(b.readV128(1))];
    const first: readonly Expr[] = wide ? b.readV256(0) : [b.let(b.readV128(0))];
    const isZero = (opcode: number, swap: boolean): Expr => {
      const parts = first.map((a, index) => {
        const other = second[index] ?? a;
        return mask(b, swap ? vector(b, opcode, other, a) : vector(b, opcode, a, other));
      });
      return b.eqz(anyTrue(b, parts.length === 2 ? vector(b, op.V128_OR, parts[0]!, parts[1]!) : parts[0]!));
    };
    const zero = b.i32(0);
    b.setFlags({ ZF: isZero(op.V128_AND, false), CF: isZero(op.V128_ANDNOT, true), OF: zero, SF: zero, AF: zero, PF: zero });
  };
}

function zero(isAll: boolean): SemanticFunction {
  return (b) => {
    for (let register = 0; register < 16; register++) {
      if (isAll) b.writeXmm(register, zeroVector(b));
      b.writeYmmHighOf(register, zeroVector(b));
    }
  };
}

/** Half precision to single: bits of the helper's immediate as of `helpers/fma.ts`. */
function fromHalf(b: Builder): void {
  const wide = b.operandSize(0) === 32;
  const source = b.let(wide ? b.readV128(1) : vector(b, op.I64X2_SPLAT, b.readLow64(1)));
  b.writeState(HALF_SOURCE, source);
  b.helperAt('from-half', STATE_VECTOR_SCRATCH, HALF_SOURCE, wide ? 8 : 4);
  writeScratch(b, 0, wide);
}

/** Single precision to half, rounded as the immediate says. */
function toHalf(b: Builder): void {
  const wide = b.operandSize(1) === 32;
  const [low, high] = wide ? b.readV256(1) : [b.let(b.readV128(1)), zeroVector(b)];
  b.writeState(HALF_SOURCE, low);
  b.writeState(HALF_SOURCE + 16, high);
  const control = b.or(b.i32(wide ? 8 : 4), b.shl(b.read(2), b.i32(8)));
  if (b.isMemory(0)) {
    b.helper('to-half', 0, undefined, control);
    return;
  }
  b.helperAt('to-half', STATE_VECTOR_SCRATCH, HALF_SOURCE, control);
  if (wide) b.writeV128(0, b.readState(STATE_VECTOR_SCRATCH, 'v128'));
  else b.writeLow64Zero(0, b.readState(STATE_VECTOR_SCRATCH, 'i64'));
  b.writeYmmHigh(0, zeroVector(b));
}

/** A result of a helper to an operand, all of the register. */
export function writeScratch(b: Builder, index: number, wide: boolean): void {
  const low = b.readState(STATE_VECTOR_SCRATCH, 'v128');
  b.writeV256(index, low, wide ? b.readState(STATE_VECTOR_SCRATCH + 16, 'v128') : zeroVector(b));
}

const MOVES = 'vmovups vmovupd vmovaps vmovapd vmovdqa vmovdqu vmovntps vmovntpd vmovntdq'.split(' ');

/** All but what SSE has; `sse`: for what only passes through. */
export function avxTable(sse: SemanticsTable): SemanticsTable {
  return {
    ...vexForms(sse),
    ...Object.fromEntries(MOVES.map((key) => [key, move])),
    vmovss: moveScalar(false),
    vmovsd: moveScalar(true),
    vmovlps: moveHalf(false),
    vmovlpd: moveHalf(false),
    vmovhps: moveHalf(true),
    vmovhpd: moveHalf(true),
    vmovmskps: signMask(op.I32X4_BITMASK, 4),
    vmovmskpd: signMask(op.I64X2_BITMASK, 2),
    vpmovmskb: signMask(op.I8X16_BITMASK, 16),
    vptest: test((_b, value) => value),
    vtestps: test((b, value) => vector(b, op.V128_AND, value, lanes(b, 4, 0x8000_0000))),
    vtestpd: test((b, value) => vector(b, op.V128_AND, value, lanes(b, 8, 0x8000_0000_0000_0000n))),
    vzeroupper: zero(false),
    vzeroall: zero(true),
    vcvtph2ps: fromHalf,
    vcvtps2ph: toHalf,
    vldmxcsr: sse['ldmxcsr']!,
    vstmxcsr: sse['stmxcsr']!,
    vmaskmovdqu: sse['maskmovdqu']!,
    vpblendd: lanewise(sse['blendps']!, 1, 4),
    ...AVX_COMPARE,
    ...AVX_PERMUTE,
    ...AVX_MASKED,
    ...AVX_FMA,
  };
}

/**
 * AVX, AVX2, FMA and F16C: SDM Vol. 1, chapter 14, and Vol. 2, Appendix A.3. The semantics are under the mnemonic, `v` and the name of
 * the SSE instruction where there is one.
 *
 * Operand codes `dq` here stand for the whole vector: rows of 256 bits have `qq` in their place, unless they say otherwise.
 */

import type { Feature, MandatoryPrefix } from './instruction.ts';
import { vex } from './row.ts';
import type { RowDefinition, RowOptions } from './row.ts';

type Options = Omit<RowOptions, 'feature' | 'vectorLength'>;

const THREE = 'Vdq,Hdq,Wdq';
const TWO = 'Vdq,Wdq';

/** A row of 128 bits, or of any length where that means nothing. */
function one(prefix: MandatoryPrefix, name: string, operands: string, opcode: number, options: RowOptions = {}): RowDefinition {
  return vex(prefix, `v${name}`, operands, opcode, { feature: 'avx', ...options });
}

const NARROW = { vectorLength: 0 } as const;
const WIDE = { vectorLength: 1 } as const;

/** Of 256 bits only. */
function wide(prefix: MandatoryPrefix, name: string, operands: string, opcode: number, options: RowOptions = {}): RowDefinition {
  return one(prefix, name, operands, opcode, { ...options, ...WIDE });
}

function narrow(prefix: MandatoryPrefix, name: string, operands: string, opcode: number, options: RowOptions = {}): RowDefinition {
  return one(prefix, name, operands, opcode, { ...options, ...NARROW });
}

/** Both lengths. `feature`: what the longer one belongs to. */
function both(prefix: MandatoryPrefix, name: string, operands: string, opcode: number, feature: Feature = 'avx', options: Options = {}): RowDefinition[] {
  return [
    narrow(prefix, name, operands, opcode, options),
    wide(prefix, name, operands.replaceAll('dq', 'qq'), opcode, { ...options, feature }),
  ];
}

/** `mnemonics` from an opcode on; `-` is none. */
function sequence(first: number, names: string, make: (name: string, opcode: number) => RowDefinition[]): RowDefinition[] {
  return names.split(' ').flatMap((name, index) => (name === '-' ? [] : make(name, first + index)));
}

const integer = (name: string, opcode: number): RowDefinition[] => both('66', name, THREE, opcode, 'avx2');
const unary = (name: string, opcode: number): RowDefinition[] => both('66', name, TWO, opcode, 'avx2');
/** The count has 128 bits whatever is shifted. */
const shift = (name: string, opcode: number): RowDefinition[] => [
  narrow('66', name, THREE, opcode),
  wide('66', name, 'Vqq,Hqq,Wdq', opcode, { feature: 'avx2' }),
];
const shiftBy = (name: string, opcode: number, group: number): RowDefinition[] =>
  both('66', name, 'Hdq,Udq,Ib', opcode, 'avx2', { group, semantics: name.endsWith('dq') ? `v${name}` : `v${name}-imm` });

function integers(): RowDefinition[] {
  return [
    ...sequence(0x0f60, 'punpcklbw punpcklwd punpckldq packsswb pcmpgtb pcmpgtw pcmpgtd packuswb', integer),
    ...sequence(0x0f68, 'punpckhbw punpckhwd punpckhdq packssdw punpcklqdq punpckhqdq', integer),
    ...sequence(0x0f74, 'pcmpeqb pcmpeqw pcmpeqd', integer),
    ...sequence(0x0fd1, 'psrlw psrld psrlq', shift),
    ...sequence(0x0fd4, 'paddq pmullw - - psubusb psubusw pminub pand paddusb paddusw pmaxub pandn pavgb', integer),
    ...sequence(0x0fe1, 'psraw psrad', shift),
    ...sequence(0x0fe3, 'pavgw pmulhuw pmulhw - - psubsb psubsw pminsw por paddsb paddsw pmaxsw pxor', integer),
    ...sequence(0x0ff1, 'psllw pslld psllq', shift),
    ...sequence(0x0ff4, 'pmuludq pmaddwd psadbw - psubb psubw psubd psubq paddb paddw paddd', integer),
    ...sequence(0x0f3800, 'pshufb phaddw phaddd phaddsw pmaddubsw phsubw phsubd phsubsw psignb psignw psignd pmulhrsw', integer),
    ...sequence(0x0f381c, 'pabsb pabsw pabsd', unary),
    ...sequence(0x0f3828, 'pmuldq pcmpeqq - packusdw', integer),
    ...sequence(0x0f3837, 'pcmpgtq pminsb pminsd pminuw pminud pmaxsb pmaxsd pmaxuw pmaxud pmulld', integer),
    narrow('66', 'phminposuw', TWO, 0x0f3841),
    ...shiftBy('psrlw', 0x0f71, 2), ...shiftBy('psraw', 0x0f71, 4), ...shiftBy('psllw', 0x0f71, 6),
    ...shiftBy('psrld', 0x0f72, 2), ...shiftBy('psrad', 0x0f72, 4), ...shiftBy('pslld', 0x0f72, 6),
    ...shiftBy('psrlq', 0x0f73, 2), ...shiftBy('psrldq', 0x0f73, 3), ...shiftBy('psllq', 0x0f73, 6), ...shiftBy('pslldq', 0x0f73, 7),
    ...both('66', 'pshufd', `${TWO},Ib`, 0x0f70, 'avx2'),
    ...both('F3', 'pshufhw', `${TWO},Ib`, 0x0f70, 'avx2'),
    ...both('F2', 'pshuflw', `${TWO},Ib`, 0x0f70, 'avx2'),
    ...both('66', 'palignr', `${THREE},Ib`, 0x0f3a0f, 'avx2'),
    ...both('66', 'pblendw', `${THREE},Ib`, 0x0f3a0e, 'avx2'),
    ...both('66', 'mpsadbw', `${THREE},Ib`, 0x0f3a42, 'avx2'),
    ...both('66', 'pblendvb', `${THREE},Ldq`, 0x0f3a4c, 'avx2', { rexW: 0 }),
    ...both('66', 'psllvd', THREE, 0x0f3847, 'avx2', { rexW: 0 }),
    ...both('66', 'psllvq', THREE, 0x0f3847, 'avx2', { rexW: 1 }),
    ...both('66', 'psrlvd', THREE, 0x0f3845, 'avx2', { rexW: 0 }),
    ...both('66', 'psrlvq', THREE, 0x0f3845, 'avx2', { rexW: 1 }),
    ...both('66', 'psravd', THREE, 0x0f3846, 'avx2', { rexW: 0 }),
    ...both('66', 'pblendd', `${THREE},Ib`, 0x0f3a02, 'avx2', { rexW: 0 }),
  ];
}

function packed(name: string, opcode: number, operands = THREE): RowDefinition[] {
  return [...both('none', `${name}ps`, operands, opcode), ...both('66', `${name}pd`, operands, opcode)];
}

/** Of one number: the rest comes from the second operand. */
function scalar(name: string, opcode: number, extra = ''): RowDefinition[] {
  return [one('F3', `${name}ss`, `Vss,Hss,Wss${extra}`, opcode), one('F2', `${name}sd`, `Vsd,Hsd,Wsd${extra}`, opcode)];
}

const all = (name: string, opcode: number): RowDefinition[] => [...packed(name, opcode), ...scalar(name, opcode)];

function floats(): RowDefinition[] {
  return [
    ...packed('and', 0x0f54), ...packed('andn', 0x0f55), ...packed('or', 0x0f56), ...packed('xor', 0x0f57),
    ...all('add', 0x0f58), ...all('mul', 0x0f59), ...all('sub', 0x0f5c), ...all('min', 0x0f5d), ...all('div', 0x0f5e), ...all('max', 0x0f5f),
    ...packed('sqrt', 0x0f51, TWO), ...scalar('sqrt', 0x0f51),
    ...both('none', 'rsqrtps', TWO, 0x0f52), ...both('none', 'rcpps', TWO, 0x0f53),
    one('F3', 'rsqrtss', 'Vss,Hss,Wss', 0x0f52), one('F3', 'rcpss', 'Vss,Hss,Wss', 0x0f53),
    ...packed('cmp', 0x0fc2, `${THREE},Ib`), ...scalar('cmp', 0x0fc2, ',Ib'),
    ...packed('shuf', 0x0fc6, `${THREE},Ib`), ...packed('unpckl', 0x0f14), ...packed('unpckh', 0x0f15),
    one('none', 'ucomiss', 'Vss,Wss', 0x0f2e), one('66', 'ucomisd', 'Vsd,Wsd', 0x0f2e),
    one('none', 'comiss', 'Vss,Wss', 0x0f2f), one('66', 'comisd', 'Vsd,Wsd', 0x0f2f),
    ...both('66', 'haddpd', THREE, 0x0f7c), ...both('F2', 'haddps', THREE, 0x0f7c),
    ...both('66', 'hsubpd', THREE, 0x0f7d), ...both('F2', 'hsubps', THREE, 0x0f7d),
    ...both('66', 'addsubpd', THREE, 0x0fd0), ...both('F2', 'addsubps', THREE, 0x0fd0),
    ...both('66', 'roundps', `${TWO},Ib`, 0x0f3a08), ...both('66', 'roundpd', `${TWO},Ib`, 0x0f3a09),
    one('66', 'roundss', 'Vss,Hss,Wss,Ib', 0x0f3a0a), one('66', 'roundsd', 'Vsd,Hsd,Wsd,Ib', 0x0f3a0b),
    ...both('66', 'blendps', `${THREE},Ib`, 0x0f3a0c), ...both('66', 'blendpd', `${THREE},Ib`, 0x0f3a0d),
    ...both('66', 'blendvps', `${THREE},Ldq`, 0x0f3a4a, 'avx', { rexW: 0 }), ...both('66', 'blendvpd', `${THREE},Ldq`, 0x0f3a4b, 'avx', { rexW: 0 }),
    ...both('66', 'dpps', `${THREE},Ib`, 0x0f3a40), narrow('66', 'dppd', `${THREE},Ib`, 0x0f3a41),
    ...both('66', 'ptest', TWO, 0x0f3817),
    ...both('66', 'testps', TWO, 0x0f380e, 'avx', { rexW: 0 }), ...both('66', 'testpd', TWO, 0x0f380f, 'avx', { rexW: 0 }),
  ];
}

function conversions(): RowDefinition[] {
  const halving = (prefix: MandatoryPrefix, name: string, opcode: number): RowDefinition[] => [
    narrow(prefix, name, TWO, opcode), wide(prefix, name, 'Vdq,Wqq', opcode),
  ];
  const doubling = (prefix: MandatoryPrefix, name: string, opcode: number): RowDefinition[] => [
    narrow(prefix, name, 'Vdq,Wq', opcode), wide(prefix, name, 'Vqq,Wdq', opcode),
  ];
  return [
    one('F3', 'cvtsi2ss', 'Vss,Hss,Ey', 0x0f2a), one('F2', 'cvtsi2sd', 'Vsd,Hsd,Ey', 0x0f2a),
    one('F3', 'cvttss2si', 'Gy,Wss', 0x0f2c), one('F2', 'cvttsd2si', 'Gy,Wsd', 0x0f2c),
    one('F3', 'cvtss2si', 'Gy,Wss', 0x0f2d), one('F2', 'cvtsd2si', 'Gy,Wsd', 0x0f2d),
    one('F3', 'cvtss2sd', 'Vsd,Hsd,Wss', 0x0f5a), one('F2', 'cvtsd2ss', 'Vss,Hss,Wsd', 0x0f5a),
    ...doubling('none', 'cvtps2pd', 0x0f5a), ...halving('66', 'cvtpd2ps', 0x0f5a),
    ...both('none', 'cvtdq2ps', TWO, 0x0f5b), ...both('66', 'cvtps2dq', TWO, 0x0f5b), ...both('F3', 'cvttps2dq', TWO, 0x0f5b),
    ...halving('66', 'cvttpd2dq', 0x0fe6), ...doubling('F3', 'cvtdq2pd', 0x0fe6), ...halving('F2', 'cvtpd2dq', 0x0fe6),
    narrow('66', 'cvtph2ps', 'Vdq,Wq', 0x0f3813, { feature: 'f16c', rexW: 0 }),
    wide('66', 'cvtph2ps', 'Vqq,Wdq', 0x0f3813, { feature: 'f16c', rexW: 0 }),
    narrow('66', 'cvtps2ph', 'Wq,Vdq,Ib', 0x0f3a1d, { feature: 'f16c', rexW: 0 }),
    wide('66', 'cvtps2ph', 'Wdq,Vqq,Ib', 0x0f3a1d, { feature: 'f16c', rexW: 0 }),
  ];
}

function moves(): RowDefinition[] {
  const both2 = (prefix: MandatoryPrefix, name: string, opcode: number, aligned = false): RowDefinition[] => [
    ...both(prefix, name, TWO, opcode, 'avx', { aligned }),
    ...both(prefix, name, 'Wdq,Vdq', opcode + (opcode === 0x0f6f ? 0x10 : 1), 'avx', { aligned }),
  ];
  return [
    ...both2('none', 'movups', 0x0f10), ...both2('66', 'movupd', 0x0f10),
    ...both2('none', 'movaps', 0x0f28, true), ...both2('66', 'movapd', 0x0f28, true),
    ...both2('66', 'movdqa', 0x0f6f, true), ...both2('F3', 'movdqu', 0x0f6f),
    one('F3', 'movss', 'Vss,Mss', 0x0f10), one('F3', 'movss', 'Vdq,Hdq,Udq', 0x0f10),
    one('F2', 'movsd', 'Vsd,Msd', 0x0f10), one('F2', 'movsd', 'Vdq,Hdq,Udq', 0x0f10),
    one('F3', 'movss', 'Mss,Vss', 0x0f11), one('F3', 'movss', 'Udq,Hdq,Vdq', 0x0f11),
    one('F2', 'movsd', 'Msd,Vsd', 0x0f11), one('F2', 'movsd', 'Udq,Hdq,Vdq', 0x0f11),
    narrow('none', 'movlps', 'Vq,Hq,Mq', 0x0f12), narrow('none', 'movhlps', 'Vq,Hq,Uq', 0x0f12), narrow('66', 'movlpd', 'Vq,Hq,Mq', 0x0f12),
    narrow('none', 'movlps', 'Mq,Vq', 0x0f13), narrow('66', 'movlpd', 'Mq,Vq', 0x0f13),
    narrow('none', 'movhps', 'Vq,Hq,Mq', 0x0f16), narrow('none', 'movlhps', 'Vq,Hq,Uq', 0x0f16), narrow('66', 'movhpd', 'Vq,Hq,Mq', 0x0f16),
    narrow('none', 'movhps', 'Mq,Vq', 0x0f17), narrow('66', 'movhpd', 'Mq,Vq', 0x0f17),
    ...both('F3', 'movsldup', TWO, 0x0f12), ...both('F3', 'movshdup', TWO, 0x0f16),
    narrow('F2', 'movddup', 'Vdq,Wq', 0x0f12), wide('F2', 'movddup', 'Vqq,Wqq', 0x0f12),
    ...both('none', 'movntps', 'Mdq,Vdq', 0x0f2b, 'avx', { aligned: true }), ...both('66', 'movntpd', 'Mdq,Vdq', 0x0f2b, 'avx', { aligned: true }),
    ...both('66', 'movntdq', 'Mdq,Vdq', 0x0fe7, 'avx', { aligned: true }), ...both('66', 'movntdqa', 'Vdq,Mdq', 0x0f382a, 'avx2', { aligned: true }),
    ...both('F2', 'lddqu', 'Vdq,Mdq', 0x0ff0),
    ...both('none', 'movmskps', 'Gd,Udq', 0x0f50), ...both('66', 'movmskpd', 'Gd,Udq', 0x0f50), ...both('66', 'pmovmskb', 'Gd,Udq', 0x0fd7, 'avx2'),
    narrow('66', 'movd', 'Vd,Ed', 0x0f6e, { rexW: 0, semantics: 'vmovd-xmm-r' }), narrow('66', 'movq', 'Vq,Eq', 0x0f6e, { rexW: 1, semantics: 'vmovq-xmm-r' }),
    narrow('66', 'movd', 'Ed,Vd', 0x0f7e, { rexW: 0, semantics: 'vmovd-r-xmm' }), narrow('66', 'movq', 'Eq,Vq', 0x0f7e, { rexW: 1, semantics: 'vmovq-r-xmm' }),
    narrow('F3', 'movq', 'Vq,Wq', 0x0f7e, { semantics: 'vmovq-xmm-xmm' }), narrow('66', 'movq', 'Wq,Vq', 0x0fd6, { semantics: 'vmovq-xmm-xmm' }),
    narrow('66', 'maskmovdqu', 'Vdq,Udq', 0x0ff7),
    narrow('none', 'ldmxcsr', 'Md', 0x0fae, { group: 2 }), narrow('none', 'stmxcsr', 'Md', 0x0fae, { group: 3 }),
    narrow('none', 'zeroupper', '', 0x0f77), wide('none', 'zeroall', '', 0x0f77),
  ];
}

/** One register only, as SSE has them. */
function narrowOnly(): RowDefinition[] {
  return [
    narrow('66', 'insertps', 'Vdq,Hdq,Wd,Ib', 0x0f3a21), narrow('66', 'extractps', 'Ed,Vdq,Ib', 0x0f3a17),
    narrow('66', 'pinsrb', 'Vdq,Hdq,Rd/Mb,Ib', 0x0f3a20), narrow('66', 'pinsrw', 'Vdq,Hdq,Rd/Mw,Ib', 0x0fc4),
    narrow('66', 'pinsrd', 'Vdq,Hdq,Ed,Ib', 0x0f3a22, { rexW: 0 }), narrow('66', 'pinsrq', 'Vdq,Hdq,Eq,Ib', 0x0f3a22, { rexW: 1 }),
    narrow('66', 'pextrb', 'Rd/Mb,Vdq,Ib', 0x0f3a14), narrow('66', 'pextrw', 'Rd/Mw,Vdq,Ib', 0x0f3a15), narrow('66', 'pextrw', 'Gd,Udq,Ib', 0x0fc5),
    narrow('66', 'pextrd', 'Ed,Vdq,Ib', 0x0f3a16, { rexW: 0 }), narrow('66', 'pextrq', 'Eq,Vdq,Ib', 0x0f3a16, { rexW: 1 }),
    ...sequence(0x0f3adf, 'aeskeygenassist', (name, opcode) => [narrow('66', name, `${TWO},Ib`, opcode)]),
    narrow('66', 'aesimc', TWO, 0x0f38db),
    ...sequence(0x0f38dc, 'aesenc aesenclast aesdec aesdeclast', (name, opcode) => [narrow('66', name, THREE, opcode)]),
    narrow('66', 'pclmulqdq', `${THREE},Ib`, 0x0f3a44),
    ...sequence(0x0f3a60, 'pcmpestrm pcmpestri pcmpistrm pcmpistri', (name, opcode) => [narrow('66', name, `${TWO},Ib`, opcode)]),
  ];
}

function widenings(): RowDefinition[] {
  const narrowSources = ['Wq', 'Wd', 'Ww', 'Wq', 'Wd', 'Wq'];
  const wideSources = ['Wdq', 'Wq', 'Wd', 'Wdq', 'Wq', 'Wdq'];
  return ['sx', 'zx'].flatMap((sign, group) =>
    ['bw', 'bd', 'bq', 'wd', 'wq', 'dq'].flatMap((types, index) => [
      narrow('66', `pmov${sign}${types}`, `Vdq,${narrowSources[index]!}`, 0x0f3820 + 16 * group + index),
      wide('66', `pmov${sign}${types}`, `Vqq,${wideSources[index]!}`, 0x0f3820 + 16 * group + index, { feature: 'avx2' }),
    ]),
  );
}

/** Broadcasts, permutations and halves. */
function permutations(): RowDefinition[] {
  const avx2 = { feature: 'avx2' } as const;
  const broadcast = (name: string, source: string, opcode: number, feature: Feature = 'avx2'): RowDefinition[] => [
    narrow('66', name, `Vdq,${source}`, opcode, { feature, rexW: 0 }), wide('66', name, `Vqq,${source}`, opcode, { feature, rexW: 0 }),
  ];
  return [
    ...broadcast('broadcastss', 'Wss', 0x0f3818), wide('66', 'broadcastsd', 'Vqq,Wsd', 0x0f3819, { ...avx2, rexW: 0 }),
    wide('66', 'broadcastf128', 'Vqq,Mdq', 0x0f381a, { rexW: 0 }), wide('66', 'broadcasti128', 'Vqq,Mdq', 0x0f385a, { ...avx2, rexW: 0 }),
    ...broadcast('pbroadcastb', 'Wb', 0x0f3878), ...broadcast('pbroadcastw', 'Ww', 0x0f3879),
    ...broadcast('pbroadcastd', 'Wd', 0x0f3858), ...broadcast('pbroadcastq', 'Wq', 0x0f3859),
    ...both('66', 'permilps', THREE, 0x0f380c, 'avx', { rexW: 0 }), ...both('66', 'permilpd', THREE, 0x0f380d, 'avx', { rexW: 0 }),
    ...both('66', 'permilps', `${TWO},Ib`, 0x0f3a04, 'avx', { rexW: 0, semantics: 'vpermilps-imm' }),
    ...both('66', 'permilpd', `${TWO},Ib`, 0x0f3a05, 'avx', { rexW: 0, semantics: 'vpermilpd-imm' }),
    wide('66', 'perm2f128', 'Vqq,Hqq,Wqq,Ib', 0x0f3a06, { rexW: 0 }), wide('66', 'perm2i128', 'Vqq,Hqq,Wqq,Ib', 0x0f3a46, { ...avx2, rexW: 0 }),
    wide('66', 'insertf128', 'Vqq,Hqq,Wdq,Ib', 0x0f3a18, { rexW: 0 }), wide('66', 'inserti128', 'Vqq,Hqq,Wdq,Ib', 0x0f3a38, { ...avx2, rexW: 0 }),
    wide('66', 'extractf128', 'Wdq,Vqq,Ib', 0x0f3a19, { rexW: 0 }), wide('66', 'extracti128', 'Wdq,Vqq,Ib', 0x0f3a39, { ...avx2, rexW: 0 }),
    wide('66', 'permd', 'Vqq,Hqq,Wqq', 0x0f3836, { ...avx2, rexW: 0 }), wide('66', 'permps', 'Vqq,Hqq,Wqq', 0x0f3816, { ...avx2, rexW: 0 }),
    wide('66', 'permq', 'Vqq,Wqq,Ib', 0x0f3a00, { ...avx2, rexW: 1 }), wide('66', 'permpd', 'Vqq,Wqq,Ib', 0x0f3a01, { ...avx2, rexW: 1 }),
  ];
}

/** Where only some lanes touch memory. */
function masked(): RowDefinition[] {
  const move = (name: string, load: number, store: number, rexW: 0 | 1, feature: Feature): RowDefinition[] => [
    ...both('66', name, 'Vdq,Hdq,Mdq', load, feature, { rexW, semantics: `v${name}-load` }),
    ...both('66', name, 'Mdq,Hdq,Vdq', store, feature, { rexW, semantics: `v${name}-store` }),
  ];
  const gather = (name: string, opcode: number, rexW: 0 | 1, element: string, isHalf: boolean): RowDefinition[] => [
    narrow('66', name, `Vdq,${element},Hdq`, opcode, { feature: 'avx2', rexW }),
    wide('66', name, isHalf ? `Vdq,${element},Hdq` : `Vqq,${element},Hqq`, opcode, { feature: 'avx2', rexW, semantics: isHalf ? `v${name}-wide` : `v${name}` }),
  ];
  return [
    ...move('maskmovps', 0x0f382c, 0x0f382e, 0, 'avx'), ...move('maskmovpd', 0x0f382d, 0x0f382f, 0, 'avx'),
    ...move('pmaskmovd', 0x0f388c, 0x0f388e, 0, 'avx2'), ...move('pmaskmovq', 0x0f388c, 0x0f388e, 1, 'avx2'),
    ...gather('pgatherdd', 0x0f3890, 0, 'Xd', false), ...gather('pgatherdq', 0x0f3890, 1, 'Xq', false),
    ...gather('pgatherqd', 0x0f3891, 0, 'Xd', true), ...gather('pgatherqq', 0x0f3891, 1, 'Xq', false),
    ...gather('gatherdps', 0x0f3892, 0, 'Xd', false), ...gather('gatherdpd', 0x0f3892, 1, 'Xq', false),
    ...gather('gatherqps', 0x0f3893, 0, 'Xd', true), ...gather('gatherqpd', 0x0f3893, 1, 'Xq', false),
  ];
}

const FMA = { feature: 'fma' } as const;

/** Three orders of the operands, and each operation for packed and single numbers (SDM Vol. 1, table 14-16). */
function fusedMultiplyAdd(): RowDefinition[] {
  const packedOperations = [['fmaddsub', 6], ['fmsubadd', 7], ['fmadd', 8], ['fmsub', 0xa], ['fnmadd', 0xc], ['fnmsub', 0xe]] as const;
  const scalarOperations = [['fmadd', 9], ['fmsub', 0xb], ['fnmadd', 0xd], ['fnmsub', 0xf]] as const;
  return [['132', 0x0f3890], ['213', 0x0f38a0], ['231', 0x0f38b0]].flatMap(([order, base]) => [
    ...packedOperations.flatMap(([name, low]) => [
      ...both('66', `${name}${order}ps`, THREE, Number(base) + low, 'fma', { rexW: 0 }),
      ...both('66', `${name}${order}pd`, THREE, Number(base) + low, 'fma', { rexW: 1 }),
    ]).map((row) => ({ ...row, ...FMA })),
    ...scalarOperations.flatMap(([name, low]) => [
      one('66', `${name}${order}ss`, 'Vss,Hss,Wss', Number(base) + low, { ...FMA, rexW: 0 }),
      one('66', `${name}${order}sd`, 'Vsd,Hsd,Wsd', Number(base) + low, { ...FMA, rexW: 1 }),
    ]),
  ]);
}

export const AVX_ROWS: readonly RowDefinition[] = [
  ...integers(),
  ...floats(),
  ...conversions(),
  ...moves(),
  ...narrowOnly(),
  ...widenings(),
  ...permutations(),
  ...masked(),
  ...fusedMultiplyAdd(),
];

/**
 * Pairs of instructions that often follow each other: one handler does both, which saves a dispatch. They are what C compilers make
 * of functions' beginnings and ends, of calls and of tests of what was loaded: those that gcc, Python, Perl and Bash execute most.
 */
import { PAIR_CLASS_BITS } from '../decoder/layout.ts';
import type { Form } from './forms.ts';

/** Which handler of a form: the usual one, that for dead flags, or that for a comparison and the branch behind it. */
export type HandlerKind = '' | ' dead' | ' branch';

/** Mnemonic, operands as in the table of instructions, size in bytes, addressing mode, kind. */
export function handlerName({ sample, mode }: Form, kind: HandlerKind): string {
  return `${sample.row.mnemonic} ${sample.row.operands.join()} ${sample.size} ${mode}${kind}`;
}

/** By the first one. */
const FOLLOWERS: Readonly<Record<string, readonly string[]>> = {
  'mov Gv,Ev 8 1': [
    'mov Gv,Ev 8 1', 'test Ev,Gv 8 0 branch', 'mov Ev,Gv 8 0', 'mov Ev,Gv 8 1', 'add Ev,Ibs 8 0 dead', 'mov Gv,Ev 4 1', 'lea Gv,M 8 1',
    'cmp Ev,Gv 8 0 branch', 'call Jz 8 0', 'mov Ev,Gv 4 0', 'mov Gv,Ev 8 2', 'cmp Ev,Gv 8 1 branch', 'xor Ev,Gv 4 0 dead', 'test Eb,Ib 1 1 branch',
    'lea Gv,M 8 2', 'movzx Gv,Ew 4 1', 'jmp Jz 8 0', 'sub Gv,Ev 8 2', 'cmp Ev,Ibs 8 0 branch',
  ],
  'mov Ev,Gv 8 0': [
    'mov Ev,Gv 8 0', 'push Zv 8 0', 'call Jz 8 0', 'pop Zv 8 0', 'mov Gv,Ev 8 1', 'test Ev,Gv 8 0 branch', 'sub Ev,Ibs 8 0 dead', 'mov Ev,Gv 8 1',
    'mov Ev,Gv 4 0', 'lea Gv,M 8 1', 'call Ev 8 0', 'cmp Ev,Gv 8 0 branch', 'mov Zv,Iv 4 0', 'cmp Ev,Ibs 8 0 branch', 'shl Ev,Ib 8 0 dead',
    'and Ev,Iz 8 0 dead', 'add Ev,Ibs 8 0 dead',
  ],
  'pop Zv 8 0': ['pop Zv 8 0', 'ret  8 0', 'jmp Jz 8 0'],
  'push Zv 8 0': ['push Zv 8 0', 'mov Ev,Gv 8 0', 'sub Ev,Ibs 8 0 dead', 'mov Ev,Gv 4 0', 'mov Gv,Ev 8 1', 'lea Gv,M 8 1'],
  'mov Ev,Gv 8 1': [
    'mov Ev,Gv 8 1', 'mov Gv,Ev 8 1', 'mov Ev,Gv 8 0', 'cmp Ev,Gv 8 0 branch', 'call Jz 8 0', 'test Ev,Gv 8 0 branch', 'jmp Jz 8 0', 'lea Gv,M 8 1',
    'mov Ev,Gv 4 1', 'xor Ev,Gv 4 0 dead', 'mov Gv,Ev 4 1',
  ],
  'mov Ev,Gv 4 0': [
    'mov Ev,Gv 4 0', 'push Zv 8 0', 'mov Ev,Gv 8 0', 'cmp Ev,Ibs 4 0 branch', 'lea Gv,M 8 2', 'shr Ev,Ib 4 0 dead', 'add Ev,Ibs 8 0',
    'xor Ev,Gv 4 0 dead', 'call Jz 8 0', 'or Gb,Eb 1 1', 'pop Zv 8 0', 'mov Gv,Ev 8 1',
  ],
  'mov Gv,Ev 4 1': [
    'test Ev,Gv 4 0 branch', 'mov Gv,Ev 8 1', 'mov Gv,Ev 4 1', 'add Ev,Gv 8 0 dead', 'mov Ev,Gv 4 0', 'mov Ev,Gv 8 0', 'cmp Ev,Gv 4 0 branch',
    'mov Ev,Gv 8 1',
  ],
  'add Ev,Ibs 8 0 dead': [
    'cmp Ev,Gv 8 0 branch', 'test Ev,Gv 8 0 branch', 'add Ev,Gv 8 0 dead', 'test Eb,Gb 1 0 branch', 'cmp Ev,Ibs 4 0 branch', 'add Ev,Ibs 8 0 dead',
    'mov Gv,Ev 4 2',
  ],
  'add Ev,Ibs 8 0': ['pop Zv 8 0', 'mov Ev,Gv 8 0', 'shl Ev,Ib 4 0 dead', 'shr Ev,1 8 0', 'ret  8 0'],
  'lea Gv,M 8 1': ['mov Ev,Gv 8 0', 'mov Ev,Gv 8 1', 'cmp Ev,Gv 8 0 branch', 'call Jz 8 0', 'lea Gv,M 8 1', 'mov Gv,Ev 8 1', 'movsxd Gv,Ez 8 2'],
  'movzx Gv,Eb 4 1': [
    'test Eb,Gb 1 0 branch', 'test Ev,Gv 4 0 branch', 'add Ev,Ibs 8 0 dead', 'mov Ev,Gv 8 0', 'mov Ev,Gv 4 0', 'cmp AL,Ib 1 0 branch',
  ],
  'mov Gv,Ev 8 2': ['test Ev,Gv 8 0 branch', 'mov Ev,Gv 8 1', 'mov Gv,Ev 8 1'],
  'xor Ev,Gv 4 0': ['mov Ev,Gv 4 0', 'call Jz 8 0', 'shr Ev,Ib 4 0 dead', 'mov Ev,Gv 8 0', 'jmp Jz 8 0', 'pop Zv 8 0'],
  'sub Ev,Ibs 8 0 dead': ['mov Gv,Ev 8 1', 'mov Gv,Ev 4 1'],
  'pxor Vdq,Wdq 4 0': ['pxor Vdq,Wdq 4 0', 'mov Ev,Gv 8 0'],
  'xor Ev,Gv 4 0 dead': ['mov Ev,Gv 4 0', 'test Ev,Gv 8 0 branch', 'mov Ev,Gv 4 1'],
  'add Ev,Gv 8 0 dead': ['cmp Ev,Ibs 8 0 branch', 'mov Ev,Gv 8 1'],
  'pcmpeqb Vdq,Wdq 4 0': ['pmovmskb Gd,Udq 4 0', 'pcmpeqb Vdq,Wdq 4 0', 'psubb Vdq,Wdq 4 0'],
  'lea Gv,M 8 2': ['lea Gv,M 8 2', 'mov Gv,Ev 8 1'],
  'shr Ev,Ib 4 0 dead': ['xor Ev,Gv 4 0 dead', 'xor Ev,Gv 4 0'],
  'shl Ev,Ib 4 0 dead': ['add Ev,Gv 4 0 dead', 'xor Ev,Gv 4 0'],
  'mov Ev,Gv 4 1': ['cmp Ev,Gv 8 0 branch', 'mov Ev,Gv 8 1'],
  'mov Zv,Iv 4 0': ['mov Ev,Gv 8 0', 'mov Zv,Iv 4 0'],
  'add Ev,Ibs 4 0 dead': ['add Ev,Ibs 8 0 dead'],
  'pmovmskb Gd,Udq 4 0': ['test Ev,Gv 4 0 branch'],
  'movzx Gv,Ew 4 1': ['cmp Ev,Ibs 2 0 branch'],
  'movdqu Vdq,Wdq 4 1': ['pcmpeqb Vdq,Wdq 4 0'],
  'mov Gv,Ev 4 2': ['test Ev,Gv 4 0 branch'],
  'and Ev,Ibs 8 0 dead': ['and Ev,Ibs 8 0 dead'],
  'sub Ev,Ibs 4 0 dead': ['cmp Ev,Ibs 2 0 branch'],
  'and Ev,Iz 8 0 dead': ['cmp Ev,Iz 8 0 branch'],
  'add Ev,Gv 4 0 dead': ['add Ev,Gv 4 0 dead'],
  'psubb Vdq,Wdq 4 0': ['pmovmskb Gd,Udq 4 0'],
  'add Ev,Gv 8 0': ['jmp Ev 8 0'],
  'add Ev,Gv 8 1 dead': ['add Ev,Ibs 8 0'],
  'movups Wps,Vps 4 1': ['movups Wps,Vps 4 1'],
  'sub Ev,Ibs 8 0': ['call Jz 8 0'],
  'movsxd Gv,Ez 8 2': ['add Ev,Gv 8 0'],
  'bsf Gv,Ev 4 0': ['ret  8 0'],
  'movdqa Vdq,Wdq 4 1': ['movdqa Vdq,Wdq 4 1'],
  'sub Ev,Gv 4 0': ['ret  8 0'],
};

/** Names of both handlers of each pair. */
export const PAIRS: readonly (readonly [first: string, second: string])[] =
  Object.entries(FOLLOWERS).flatMap(([first, seconds]) => seconds.map((second) => [first, second] as const));

const FIRSTS = Object.keys(FOLLOWERS);
const SECONDS = [...new Set(PAIRS.map(([, second]) => second))];
if (Math.max(FIRSTS.length, SECONDS.length) >= 1 << PAIR_CLASS_BITS) throw new Error('there are too many instructions in pairs');

/** What a handler may be in a pair: see `PAIR_CLASSES`. */
export function pairClass(name: string): number {
  return ((FIRSTS.indexOf(name) + 1) << PAIR_CLASS_BITS) | (SECONDS.indexOf(name) + 1);
}

/** The table of pairs, whose handlers are numbered from `firstHandler` on. */
export function pairTable(firstHandler: number): Uint16Array<ArrayBuffer> {
  const table = new Uint16Array(1 << (2 * PAIR_CLASS_BITS));
  PAIRS.forEach(([first, second], index) => {
    table[((FIRSTS.indexOf(first) + 1) << PAIR_CLASS_BITS) | (SECONDS.indexOf(second) + 1)] = firstHandler + index;
  });
  return table;
}

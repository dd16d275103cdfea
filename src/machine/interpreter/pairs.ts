/**
 * Pairs of instructions that often follow each other: one handler does both, which saves a dispatch. They are what C compilers make
 * of functions' beginnings and ends, of calls and of tests of what was loaded: a quarter of what gcc, Python and Perl execute.
 */
import type { Form } from './forms.ts';
import { PAIR_FIRSTS, PAIR_SECONDS } from './record.ts';

/** Which handler of a form: the usual one, that for dead flags, or that for a comparison and the branch behind it. */
export type HandlerKind = '' | ' dead' | ' branch';

/** Mnemonic, operands as in the table of instructions, size in bytes, addressing mode, kind. */
export function handlerName({ sample, mode }: Form, kind: HandlerKind): string {
  return `${sample.row.mnemonic} ${sample.row.operands.join()} ${sample.size} ${mode}${kind}`;
}

const FIRSTS: readonly string[] = [
  'mov Gv,Ev 8 1', 'mov Gv,Ev 8 2', 'mov Gv,Ev 4 1', 'movzx Gv,Eb 4 1', 'mov Ev,Gv 8 1', 'mov Ev,Gv 4 1', 'mov Ev,Gv 8 0', 'mov Ev,Gv 4 0',
  'push Zv 8 0', 'pop Zv 8 0', 'lea Gv,M 8 1', 'add Ev,Ibs 8 0', 'add Ev,Ibs 8 0 dead', 'sub Ev,Ibs 8 0 dead', 'xor Ev,Gv 4 0 dead',
];

const SECONDS: readonly string[] = [
  'mov Gv,Ev 8 1', 'mov Gv,Ev 4 1', 'mov Ev,Gv 8 1', 'mov Ev,Gv 8 0', 'mov Ev,Gv 4 0', 'push Zv 8 0', 'pop Zv 8 0', 'lea Gv,M 8 1',
  'add Ev,Ibs 8 0 dead', 'sub Ev,Ibs 8 0 dead', 'test Ev,Gv 8 0 branch', 'test Ev,Gv 4 0 branch', 'cmp Ev,Gv 8 0 branch', 'call Jz 8 0', 'ret  8 0',
];

/** Names of the handlers of each pair, in the order of the handlers for pairs. */
export const PAIRS: readonly (readonly [first: string, second: string])[] = FIRSTS.flatMap((first) => SECONDS.map((second) => [first, second] as const));
if (FIRSTS.length !== PAIR_FIRSTS || SECONDS.length !== PAIR_SECONDS) throw new Error('the numbers of pairs disagree');

/** What a handler may be in a pair: 1 + its place among the first ones in the upper four bits, among the second ones in the lower. */
export function pairClass(name: string): number {
  return ((FIRSTS.indexOf(name) + 1) << 4) | (SECONDS.indexOf(name) + 1);
}

/** What obeys MXCSR: the same operands, and a helper in place of the operation (`helpers/exact-sse.ts`). */
import { EXACT_KEYS, EXACT_LONG } from '../helpers/exact-sse.ts';
import type { Builder, SemanticFunction, SemanticsTable } from './builder.ts';

/** The operand that is an integer register, or memory of its size. */
function integerOperand(key: string): number | undefined {
  if (key.startsWith('cvtsi2')) return 1;
  return /^cvtt?s[sd]2si$/.test(key) ? 0 : undefined;
}

function exact(key: string, number: number): SemanticFunction {
  const integer = integerOperand(key);
  return (builder: Builder) => {
    const operation = number | (integer !== undefined && builder.operandSize(integer) === 8 ? EXACT_LONG : 0);
    const immediate = builder.operandCount < 3 ? operation : builder.or(builder.shl(builder.read(2), builder.i32(8)), builder.i32(operation));
    builder.helper('exact-sse', 0, 1, immediate);
  };
}

/** To be put over the ordinary table. */
export const EXACT_SEMANTICS: SemanticsTable = Object.fromEntries(EXACT_KEYS.map((key, number) => [key, exact(key, number)]));

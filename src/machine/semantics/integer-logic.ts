/** Bitwise logic: SDM Vol. 2, AND, OR, XOR, TEST, NOT. */
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { readSource } from './integer-operands.ts';

function logic(operation: (b: Builder, left: Expr, right: Expr) => Expr): SemanticFunction {
  return (b) => {
    const size = b.operandSize(0);
    const result = b.let(operation(b, b.read(0), readSource(b, 1, size)));
    b.write(0, result);
    b.flagsLogic(size, result);
  };
}

function test(b: Builder): void {
  const size = b.operandSize(0);
  b.flagsLogic(size, b.let(b.and(b.read(0), readSource(b, 1, size))));
}

/** Changes no flags. */
function not(b: Builder): void {
  b.write(0, b.not(b.read(0)));
}

export const integerLogic: SemanticsTable = {
  and: logic((b, left, right) => b.and(left, right)),
  or: logic((b, left, right) => b.or(left, right)),
  xor: logic((b, left, right) => b.xor(left, right)),
  test,
  not,
};

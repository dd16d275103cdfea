/** Rounding to integers: SDM Vol. 1, 4.8.4, and table 4-18 of ROUNDPD (Vol. 2B). */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, ValueType } from './builder.ts';

const ROUNDING = {
  f64: { type: 'f64', nearest: op.F64_NEAREST, floor: op.F64_FLOOR, ceil: op.F64_CEIL, trunc: op.F64_TRUNC },
  f32: { type: 'f32', nearest: op.F32_NEAREST, floor: op.F32_FLOOR, ceil: op.F32_CEIL, trunc: op.F32_TRUNC },
  f64x2: { type: 'v128', nearest: op.F64X2_NEAREST, floor: op.F64X2_FLOOR, ceil: op.F64X2_CEIL, trunc: op.F64X2_TRUNC },
  f32x4: { type: 'v128', nearest: op.F32X4_NEAREST, floor: op.F32X4_FLOOR, ceil: op.F32X4_CEIL, trunc: op.F32X4_TRUNC },
} as const;

export type RoundedType = keyof typeof ROUNDING;

/** Rounds by a mode that is known only at run time. `value` must be a local. */
function roundByMode(builder: Builder, type: RoundedType, value: Expr, mode: Expr): Expr {
  const opcodes = ROUNDING[type];
  const valueType: ValueType = opcodes.type;
  const control = builder.let(mode);
  const result = builder.variable(valueType, builder.op(opcodes.nearest, valueType, [value]));
  builder.if(control, () => {
    const floor = builder.op(opcodes.floor, valueType, [value]);
    const ceil = builder.op(opcodes.ceil, valueType, [value]);
    const trunc = builder.op(opcodes.trunc, valueType, [value]);
    const upOrZero = builder.select(builder.eq(control, builder.i32(2)), ceil, trunc);
    builder.assign(result, builder.select(builder.eq(control, builder.i32(1)), floor, upOrZero));
  });
  return result;
}

/** Rounds to the nearest, even where two are equally near: MXCSR asks for nothing else (`AddressSpace.exactFloats`). */
export function roundToNearest(builder: Builder, type: RoundedType, value: Expr): Expr {
  const { nearest, type: valueType } = ROUNDING[type];
  return builder.op(nearest, valueType, [value]);
}

/** Rounds as the immediate operand of ROUNDSD and so on says: bit 2 chooses MXCSR. `value` must be a local. */
export function roundByImmediate(builder: Builder, type: RoundedType, value: Expr, index: number): Expr {
  const constant = builder.constant(index);
  if (constant === undefined) {
    const immediate = builder.let(builder.read(index));
    const mode = builder.select(builder.and(immediate, builder.i32(4)), builder.i32(0), builder.and(immediate, builder.i32(3)));
    return roundByMode(builder, type, value, mode);
  }
  if ((constant & 4) !== 0) return roundToNearest(builder, type, value);
  const opcodes = ROUNDING[type];
  const opcode = [opcodes.nearest, opcodes.floor, opcodes.ceil, opcodes.trunc][constant & 3] ?? opcodes.nearest;
  return builder.op(opcode, opcodes.type, [value]);
}

/** Fused multiplication and addition, and half precision, on vectors in the scratch area of the state. */
import { STATE_EXACT_FLOATS, STATE_MXCSR, STATE_VECTOR_SCRATCH } from '../state.ts';
import { multiplyAddDouble, multiplyAddSingle } from './quick-fma.ts';
import { DOUBLE, FloatUnit, HALF, SINGLE, type Format } from './soft-float.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';
import { FORM_DESTINATION_MEMORY } from './types.ts';

// The immediate of `fma`.
export const FMA_DOUBLE = 1;
/** The lowest lane only. */
export const FMA_SCALAR = 2;
export const FMA_NEGATE_PRODUCT = 4;
/** The addend is subtracted in even lanes; in odd ones. */
export const FMA_NEGATE_EVEN = 8;
export const FMA_NEGATE_ODD = 16;
/** 256 bits: the upper halves are behind the lower ones, at `FMA_UPPER`. */
export const FMA_WIDE = 32;
export const FMA_UPPER = 48;

export const HALF_SOURCE = STATE_VECTOR_SCRATCH + 32;

const VECTOR_XM = 19;
/** To nearest, all exceptions masked. */
const MXCSR_PLAIN = 0x1f80;
const ROUNDING_SHIFT = 13;

const unit = new FloatUnit();

/** MXCSR as far as the process's code obeys it. */
function begin({ view }: HelperContext): void {
  unit.begin(view.getUint32(STATE_EXACT_FLOATS, true) === 0 ? MXCSR_PLAIN : view.getUint32(STATE_MXCSR, true));
}

/** Notes what happened; 1 where that is an exception. */
function end(context: HelperContext): number {
  const { view } = context;
  if (view.getUint32(STATE_EXACT_FLOATS, true) === 0) return 0;
  const { raises } = unit;
  if (unit.allFlags !== 0) view.setUint32(STATE_MXCSR, view.getUint32(STATE_MXCSR, true) | unit.allFlags, true);
  return raises ? context.raise(VECTOR_XM) : 0;
}

function read(view: DataView, type: Format, at: number): bigint {
  if (type === DOUBLE) return view.getBigUint64(at, true);
  return BigInt(type === SINGLE ? view.getUint32(at, true) : view.getUint16(at, true));
}

/** One lane in the host's arithmetic; undefined where that does not do. */
function quickly(view: DataView, type: Format, place: number, negateProduct: boolean, negateThird: boolean): number | undefined {
  const read = (at: number): number => (type === DOUBLE ? view.getFloat64(at, true) : view.getFloat32(at, true));
  const first = negateProduct ? -read(place) : read(place);
  const third = negateThird ? -read(place + 32) : read(place + 32);
  return type === DOUBLE ? multiplyAddDouble(first, read(place + 16), third) : multiplyAddSingle(first, read(place + 16), third);
}

/** Three vectors one behind the other; the result takes the place of the first. */
const fma: Helper = (context, at, _source, kind) => {
  const { view } = context;
  const type = (kind & FMA_DOUBLE) !== 0 ? DOUBLE : SINGLE;
  const half = 16 / type.bytes;
  const count = (kind & FMA_SCALAR) !== 0 ? 1 : (kind & FMA_WIDE) !== 0 ? 2 * half : half;
  const placeOf = (lane: number): number => at + (lane < half ? lane * type.bytes : FMA_UPPER + (lane - half) * type.bytes);
  const negateProduct = (kind & FMA_NEGATE_PRODUCT) !== 0;
  const isExact = view.getUint32(STATE_EXACT_FLOATS, true) !== 0;
  // Where one lane needs exact arithmetic, the results of all lanes wait until none can raise an exception.
  const results: (bigint | number)[] = [];
  begin(context);
  for (let lane = 0; lane < count; lane++) {
    const place = placeOf(lane);
    const negateThird = (kind & (lane % 2 === 0 ? FMA_NEGATE_EVEN : FMA_NEGATE_ODD)) !== 0;
    const quick = isExact ? undefined : quickly(view, type, place, negateProduct, negateThird);
    results.push(quick ?? unit.multiplyAdd(type, [read(view, type, place), read(view, type, place + 16), read(view, type, place + 32)], negateProduct, negateThird));
  }
  const raised = end(context);
  if (raised !== 0) return raised;
  results.forEach((bits, lane) => {
    const place = placeOf(lane);
    if (typeof bits === 'number') {
      if (type === DOUBLE) view.setFloat64(place, bits, true);
      else view.setFloat32(place, bits, true);
    } else if (type === DOUBLE) view.setBigUint64(place, bits, true);
    else view.setUint32(place, Number(bits), true);
  });
  return 0;
};

/** `count` halves at `source` to singles. Denormals are numbers here whatever MXCSR says (SDM Vol. 2, VCVTPH2PS). */
const fromHalf: Helper = (context, destination, source, count) => {
  const { view } = context;
  const isExact = view.getUint32(STATE_EXACT_FLOATS, true) !== 0;
  unit.begin(isExact ? view.getUint32(STATE_MXCSR, true) & ~0x40 : MXCSR_PLAIN);
  const results = Array.from({ length: count }, (_, lane) => {
    const result = unit.convert(HALF, SINGLE, read(view, HALF, source + 2 * lane));
    unit.flags &= 1;
    return result;
  });
  const raised = end(context);
  if (raised !== 0) return raised;
  results.forEach((bits, lane) => view.setUint32(destination + 4 * lane, Number(bits), true));
  return 0;
};

/** From `HALF_SOURCE` to memory, or to a place in the state. `immediate`: the number of singles, and from bit 8 on the instruction's own, which chooses how to round. Tiny results are never flushed. */
const toHalf: Helper = (context, destination, _source, immediate, forms) => {
  const count = immediate & 0xff;
  const isMemory = (forms & FORM_DESTINATION_MEMORY) !== 0;
  if (isMemory && !context.writable(destination, 2 * count)) return 1;
  const { view } = context;
  const isExact = view.getUint32(STATE_EXACT_FLOATS, true) !== 0;
  const mxcsr = (isExact ? view.getUint32(STATE_MXCSR, true) : MXCSR_PLAIN) & ~0x8000;
  const control = immediate >>> 8;
  const rounded = (control & 4) !== 0 ? mxcsr : (mxcsr & ~(3 << ROUNDING_SHIFT)) | ((control & 3) << ROUNDING_SHIFT);
  unit.begin(rounded);
  const results = Array.from({ length: count }, (_, lane) => unit.convert(SINGLE, HALF, read(view, SINGLE, HALF_SOURCE + 4 * lane)));
  const raised = end(context);
  if (raised !== 0) return raised;
  const at = isMemory ? context.offset(destination) : destination;
  results.forEach((bits, lane) => view.setUint16(at + 2 * lane, Number(bits), true));
  return 0;
};

export const fmaHelpers: HelperTable = { fma, 'from-half': fromHalf, 'to-half': toHalf };

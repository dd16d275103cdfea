/** x87 transcendental instructions (SDM Vol. 1, 8.3.7). */

import { X87_C2 } from '../../abi/x87.ts';
import { EXPONENT_BIAS, Float80, setIndefinite } from './float80.ts';
import {
  angleInRange,
  arcTangent2,
  cosine,
  exponential2Minus1,
  sine,
  tangent,
  yLog2X,
  yLog2XPlus1,
} from './float80-transcendental.ts';
import type { Helper, HelperTable } from './types.ts';
import {
  begin,
  finish,
  isEmpty,
  notePointers,
  pop,
  push,
  raisePending,
  readStack,
  stackOverflow,
  stackUnderflow,
  suppressed,
  writeStack,
} from './x87-state.ts';

const operand = new Float80();
const other = new Float80();
const answer = new Float80();
const second = new Float80();

/** FYL2X and its kind: ST(1) becomes the result of ST(0) and ST(1), and ST(0) is popped. */
function twoOperands(operate: (result: Float80, top: Float80, below: Float80) => void): Helper {
  return (context) => {
    const view = context.view;
    if (!begin(view)) return raisePending(context);
    notePointers(view, 0);
    if (isEmpty(view, 0) || isEmpty(view, 1)) {
      if (stackUnderflow()) setIndefinite(answer);
    } else {
      readStack(view, 0, operand);
      readStack(view, 1, other);
      operate(answer, operand, other);
    }
    if (!suppressed()) {
      writeStack(view, 1, answer);
      pop(view);
    }
    finish(view);
    return 0;
  };
}

const f2xm1: Helper = (context) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  readStack(view, 0, operand);
  if (isEmpty(view, 0)) {
    if (stackUnderflow()) setIndefinite(answer);
  } else exponential2Minus1(answer, operand);
  if (!suppressed()) writeStack(view, 0, answer);
  finish(view);
  return 0;
};

type Angle = (result: Float80, x: Float80) => void;

/** FSIN and FCOS. */
function oneAngle(operate: Angle): Helper {
  return (context) => {
    const view = context.view;
    if (!begin(view)) return raisePending(context);
    notePointers(view, 0);
    readStack(view, 0, operand);
    if (isEmpty(view, 0)) {
      if (stackUnderflow()) setIndefinite(answer);
    } else {
      if (!angleInRange(operand)) {
        finish(view, X87_C2, X87_C2);
        return 0;
      }
      operate(answer, operand);
    }
    if (!suppressed()) writeStack(view, 0, answer);
    finish(view, X87_C2, 0);
    return 0;
  };
}

/** FSINCOS and FPTAN: a second result is pushed. */
function twoAngles(operate: Angle, operateSecond: Angle): Helper {
  return (context) => {
    const view = context.view;
    if (!begin(view)) return raisePending(context);
    notePointers(view, 0);
    readStack(view, 0, operand);
    if (isEmpty(view, 0) || !isEmpty(view, 7)) {
      if (isEmpty(view, 0) ? stackUnderflow() : stackOverflow()) {
        setIndefinite(answer);
        setIndefinite(second);
      }
    } else {
      if (!angleInRange(operand)) {
        finish(view, X87_C2, X87_C2);
        return 0;
      }
      operateSecond(second, operand);
      operate(answer, operand);
    }
    if (!suppressed()) {
      writeStack(view, 0, answer);
      push(view, second);
    }
    finish(view, X87_C2, 0);
    return 0;
  };
}

/** FPTAN pushes 1, or the NaN that it gave. */
function one(result: Float80, x: Float80): void {
  if (x.exponent === 0x7fff || (x.exponent !== 0 && x.high >= 0)) tangent(result, x);
  else result.set(0, EXPONENT_BIAS, 0x80000000, 0);
}

export const x87TranscendentalHelpers: HelperTable = {
  f2xm1,
  fyl2x: twoOperands(yLog2X),
  fyl2xp1: twoOperands(yLog2XPlus1),
  fpatan: twoOperands((result, x, y) => arcTangent2(result, y, x)),
  fsin: oneAngle(sine),
  fcos: oneAngle(cosine),
  fsincos: twoAngles(sine, cosine),
  fptan: twoAngles(tangent, one),
};


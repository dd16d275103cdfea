/** For the unit tests: a CPU state with a little memory behind it, and the context of a helper over it. */

import { STATE_FAULT_VECTOR, STATE_SIZE, STATE_X87 } from '../state.ts';
import type { HelperContext } from './types.ts';

/** Where the memory operand is; addresses are offsets here. */
export const OPERAND = STATE_SIZE;

export interface TestContext extends HelperContext {
  readonly view: DataView;
  readonly u8: Uint8Array;
}

export function createContext(): TestContext {
  const u8 = new Uint8Array(STATE_SIZE + 4096);
  const view = new DataView(u8.buffer);
  return {
    view,
    u8,
    readable: () => true,
    writable: () => true,
    offset: (address) => address,
    raise(vector) {
      view.setUint32(STATE_FAULT_VECTOR, vector, true);
      return 1;
    },
    requireExactFloats: () => 1,
    timestamp: () => [1, 2],
    cpu: 'v2',
    processor: 0,
  };
}

/** An operand ST(i), as a helper gets it. */
export function st(index: number): number {
  return STATE_X87 + index * 16;
}

/** A small deterministic generator (xorshift32), so that a failure can be repeated. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** 32 bits, signed. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state;
  }

  below(limit: number): number {
    return (this.next() >>> 0) % limit;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

/** VMASKMOV*, VPMASKMOV*, V*GATHER* (SDM Vol. 2): lanes whose mask has its sign set. All accesses are checked before the first one is done. */
import { STATE_VECTOR_SCRATCH, STATE_XMM, STATE_YMM_HIGH } from '../state.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';

const VECTOR_GP = 13;
/** Behind the result and the mask, of 32 bytes each. */
const ADDRESS = STATE_VECTOR_SCRATCH + 64;
const MASK = STATE_VECTOR_SCRATCH + 32;
const ADDRESS_BITS = 64;

function isChosen(view: DataView, mask: number, lane: number, elementSize: number): boolean {
  return view.getUint8(mask + lane * elementSize + elementSize - 1) >= 0x80;
}

/** A 64-bit sum as a guest address; undefined where an access faults whatever the pages are. */
function guestAddress(context: HelperContext, sum: bigint): number | undefined {
  const address = BigInt.asUintN(ADDRESS_BITS, sum);
  if (address < 0x1_0000_0000n) return Number(address);
  const isCanonical = BigInt.asIntN(48, address) === BigInt.asIntN(ADDRESS_BITS, address);
  if (!isCanonical) context.raise(VECTOR_GP);
  else context.readable(Number(address), 1);
  return undefined;
}

/** Element addresses by lane, checked; undefined after a fault was noted. Lanes that are not chosen have none. */
function elements(context: HelperContext, count: number, elementSize: number, mask: number, write: boolean, addressOf: (lane: number) => bigint): (number | undefined)[] | undefined {
  const result: (number | undefined)[] = [];
  for (let lane = 0; lane < count; lane++) {
    if (!isChosen(context.view, mask, lane, elementSize)) {
      result.push(undefined);
      continue;
    }
    const address = guestAddress(context, addressOf(lane));
    if (address === undefined) return undefined;
    if (!(write ? context.writable(address, elementSize) : context.readable(address, elementSize))) return undefined;
    result.push(address);
  }
  return result;
}

function consecutive(context: HelperContext, mask: number, immediate: number, write: boolean): (number | undefined)[] | undefined {
  const elementSize = immediate & 0xff;
  const base = context.view.getBigUint64(ADDRESS, true);
  return elements(context, (immediate >>> 8) / elementSize, elementSize, mask, write, (lane) => base + BigInt(lane * elementSize));
}

/** `immediate`: bytes of an element, and from bit 8 on those of the vector. */
const load: Helper = (context, destination, mask, immediate) => {
  const addresses = consecutive(context, mask, immediate, false);
  if (addresses === undefined) return 1;
  const { u8 } = context;
  const size = immediate & 0xff;
  u8.fill(0, destination, destination + 32);
  addresses.forEach((address, lane) => {
    if (address !== undefined) u8.copyWithin(destination + lane * size, context.offset(address), context.offset(address) + size);
  });
  return 0;
};

const store: Helper = (context, source, mask, immediate) => {
  const addresses = consecutive(context, mask, immediate, true);
  if (addresses === undefined) return 1;
  const { u8 } = context;
  const size = immediate & 0xff;
  addresses.forEach((address, lane) => {
    if (address !== undefined) u8.copyWithin(context.offset(address), source + lane * size, source + (lane + 1) * size);
  });
  return 0;
};

/** `index`: the register of the indexes. `immediate`: bytes of an element, from bit 4 on of an index, from bit 8 on their number, from 16 on the scale. */
const gather: Helper = (context, destination, index, immediate) => {
  const { view, u8 } = context;
  const size = immediate & 15;
  const indexSize = (immediate >>> 4) & 15;
  const count = (immediate >>> 8) & 0xff;
  const scale = BigInt(immediate >>> 16);
  const base = view.getBigUint64(ADDRESS, true);
  const indexOf = (lane: number): bigint => {
    const byte = lane * indexSize;
    const at = byte < 16 ? index + byte : index - STATE_XMM + STATE_YMM_HIGH + byte - 16;
    return indexSize === 4 ? BigInt(view.getInt32(at, true)) : view.getBigInt64(at, true);
  };
  const addresses = elements(context, count, size, MASK, false, (lane) => base + (indexOf(lane) << scale));
  if (addresses === undefined) return 1;
  addresses.forEach((address, lane) => {
    if (address !== undefined) u8.copyWithin(destination + lane * size, context.offset(address), context.offset(address) + size);
  });
  u8.fill(0, destination + count * size, destination + 32);
  return 0;
};

export const maskedHelpers: HelperTable = { 'masked-load': load, 'masked-store': store, gather };

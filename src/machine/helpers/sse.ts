/** SSE instructions in TypeScript: CRC32 (SDM Vol. 2A) and the masked stores (MASKMOVDQU, Vol. 2B). */
import { STATE_GPR, STATE_SCRATCH } from '../state.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';

const RDI = 7;
const GENERAL_PROTECTION = 13;
/** 0x11EDC6F41 with its bits reversed. */
const CRC32C_POLYNOMIAL = 0x82f6_3b78;

const CRC32C_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) !== 0 ? CRC32C_POLYNOMIAL : 0);
  return value;
});

/** Scratch: 4 bytes of CRC, to be replaced, and at offset 8 the data; `immediate` is the data's size. */
const crc32: Helper = (context, _destination, _source, size) => {
  const { view } = context;
  let crc = view.getInt32(STATE_SCRATCH, true);
  for (let index = 0; index < size; index++) {
    crc = (crc >>> 8) ^ CRC32C_TABLE[(crc ^ view.getUint8(STATE_SCRATCH + 8 + index)) & 0xff]!;
  }
  view.setInt32(STATE_SCRATCH, crc, true);
  return 0;
};

/** Stores the bytes of `source` whose mask byte has its highest bit set at [rdi]; faults only for those. */
function maskedStore(context: HelperContext, source: number, mask: number, size: number): number {
  const { view } = context;
  const address = view.getUint32(STATE_GPR + 8 * RDI, true);
  if (view.getUint32(STATE_GPR + 8 * RDI + 4, true) !== 0) return context.raise(GENERAL_PROTECTION);
  for (let index = 0; index < size; index++) {
    if (view.getUint8(mask + index) >= 0x80 && !context.writable(address + index, 1)) return 1;
  }
  for (let index = 0; index < size; index++) {
    if (context.view.getUint8(mask + index) < 0x80) continue;
    context.u8[context.offset(address + index)] = context.view.getUint8(source + index);
  }
  return 0;
}

export const SSE_HELPERS: HelperTable = {
  crc32,
  maskmovdqu: (context, source, mask) => maskedStore(context, source, mask, 16),
  maskmovq: (context, source, mask) => maskedStore(context, source, mask, 8),
};

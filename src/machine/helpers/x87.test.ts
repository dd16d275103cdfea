import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST_FSAVE, REQUEST_SIGNAL } from './oracle.ts';
import { Random } from './testing.ts';
import { TRANSCENDENTAL_CASES, X87_CASES } from './x87-cases.ts';
import { differences } from './x87-host.ts';

const COUNT = Number(process.env['X87_COUNT'] ?? 200);
const SEED = Number(process.env['X87_SEED'] ?? 1);

for (const instruction of X87_CASES) {
  test(`${instruction.name} is as on the host CPU`, () => {
    const found = differences(instruction, COUNT, new Random(SEED));
    assert.equal(found.length, 0, `${found.length} of ${COUNT} differ\n${found.slice(0, 3).join('\n')}`);
  });
}

const REGISTERS = REQUEST_FSAVE + 28;

/** A register as an integer that grows by one from each value to the next. */
function ordinal(request: DataView, offset: number): bigint {
  const word = request.getUint16(offset + 8, true);
  const magnitude = (BigInt(word & 0x7fff) << 63n) + (request.getBigUint64(offset, true) & 0x7fffffffffffffffn);
  return word >>> 15 ? -magnitude : magnitude;
}

/** Equal words, flags but C1 and tags, and registers within one unit in the last place. */
function equalWithinUlp(mine: DataView, theirs: DataView): boolean {
  const signal = theirs.getUint32(REQUEST_SIGNAL, true);
  if (signal !== mine.getUint32(REQUEST_SIGNAL, true)) return false;
  if (signal !== 0) return true;
  const words = (request: DataView): number[] => [
    request.getUint16(REQUEST_FSAVE, true),
    request.getUint16(REQUEST_FSAVE + 4, true) & ~0x200,
    request.getUint16(REQUEST_FSAVE + 8, true),
  ];
  if (words(mine).join() !== words(theirs).join()) return false;
  for (let index = 0; index < 8; index++) {
    const distance = ordinal(mine, REGISTERS + index * 10) - ordinal(theirs, REGISTERS + index * 10);
    if (distance > 1n || distance < -1n) return false;
  }
  return true;
}

for (const instruction of TRANSCENDENTAL_CASES) {
  test(`${instruction.name} is as on the host CPU, within one unit in the last place`, () => {
    const found = differences(instruction, COUNT, new Random(SEED), equalWithinUlp);
    assert.equal(found.length, 0, `${found.length} of ${COUNT} differ\n${found.slice(0, 3).join('\n')}`);
  });
}

/** Debian's versions against dpkg itself. 100,000 pairs: `node --import tsx test/scan/dpkg-pairs.ts 100000`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../images/random.ts';
import { disagreements, pairsFrom } from './dpkg-pairs.ts';

test('1,000 pairs of versions: as dpkg --compare-versions', () => {
  const seed = Date.now() % 1_000_000;
  assert.deepEqual(disagreements(pairsFrom(randomFrom(seed), 1000)), [], `seed ${seed}`);
});

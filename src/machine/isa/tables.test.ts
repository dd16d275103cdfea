import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { packTables } from './pack.ts';
import { ROW_COUNT, rowOf } from './row-store.ts';
import { DEFINITIONS } from './definitions.ts';

test('tables.generated.ts is what the rows say (else: node --import tsx scripts/generate-isa.ts)', () => {
  assert.equal(readFileSync(new URL('tables.generated.ts', import.meta.url), 'utf8'), packTables());
});

test('rowOf() gives the rows of the table', () => {
  assert.equal(ROW_COUNT, DEFINITIONS.length);
  for (const row of DEFINITIONS) {
    const { opcodeRegister, default64, lockable, byte, aligned } = row;
    const whole = { ...row, opcodeRegister: !!opcodeRegister, default64: !!default64, lockable: !!lockable, byte: !!byte, aligned: !!aligned };
    assert.deepEqual(rowOf(row.id), whole);
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fuzzCode } from './code.ts';

const image = readFileSync(new URL('../../dist/interpreter.bin', import.meta.url));
const COUNT = Number(process.env['CAISSON_FUZZ_CODE'] ?? 1_000_000);

test('random bytes as code end in an exit, in the interpreter and with translation', () => {
  const both = fuzzCode(image, COUNT * 0.9, 1, 'both');
  const translator = fuzzCode(image, COUNT * 0.1, 2, 'translator');
  assert.equal(both.runs + translator.runs, COUNT);
  // Every kind of exit that random code has: undefined instructions, page faults, system calls.
  for (const kind of ['fault 6', 'fault 14', 'fault 13']) assert.ok((both.exits[kind] ?? 0) > 0, kind);
});

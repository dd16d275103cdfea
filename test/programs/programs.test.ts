/** Debian's programs in the sandbox against the same on the host: programs.tsv is the list, runner.ts the comparison. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { describe, test } from 'node:test';
import { compare, makeScratch, readLines, runInSandbox, runNative } from './runner.ts';

const lines = readLines();
/** Every Nth line only, for a short run under another Node version. */
const step = Number(process.env['CAISSON_PROGRAMS_STEP'] ?? 1);

test('programs.tsv has at least 200 lines over at least 80 programs', () => {
  assert.ok(lines.length >= 200);
  assert.ok(new Set(lines.map((line) => line.program)).size >= 80);
});

describe('programs', { concurrency: 2 }, () => {
  for (const line of lines.filter((_, index) => index % step === 0)) {
    test(`line ${line.number}: ${line.program}: ${line.command.slice(0, 60)}`, async () => {
      const scratch = makeScratch();
      try {
        const native = await runNative(line, scratch);
        const sandbox = await runInSandbox(line, scratch);
        assert.equal(compare(native, sandbox), '');
      } finally {
        fs.rmSync(scratch, { recursive: true, force: true });
      }
    });
  }
});

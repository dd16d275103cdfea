/**
 * For work on the suite: runs lines and prints what differs.
 *
 *   node --import tsx test/programs/try.ts native           are all lines repeatable on the host?
 *   node --import tsx test/programs/try.ts sandbox [WORD]   compare the lines whose program or command contains WORD
 */
import * as fs from 'node:fs';
import { compare, makeScratch, readLines, runInSandbox, runNative } from './runner.ts';

const [mode = 'sandbox', word = ''] = process.argv.slice(2);
let bad = 0;
const lines = readLines().filter((line) => `${line.number} ${line.program} ${line.command}`.includes(word));
const scratch = makeScratch();
for (const line of lines) {
  const native = await runNative(line, scratch);
  const second = mode === 'native' ? await runNative(line, scratch) : await runInSandbox(line, scratch);
  const difference = compare(native, second);
  if (difference !== '' || native.status === 'timed out') {
    bad++;
    console.log(`line ${line.number} (${line.program}): ${line.command.slice(0, 100)}\n${difference}\n`);
  }
}
fs.rmSync(scratch, { recursive: true, force: true });
console.log(`${lines.length - bad} of ${lines.length} lines agree`);

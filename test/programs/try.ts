/**
 * For work on the suite: runs lines and prints what differs.
 *
 *   node --import tsx test/programs/try.ts native           are all lines repeatable on the host?
 *   node --import tsx test/programs/try.ts sandbox [WORD [LINE]]   compare the lines whose program or command contains WORD, from LINE on
 *
 * The slowest lines are shown at the end.
 */
import * as fs from 'node:fs';
import { compare, makeScratch, readLines, runInSandbox, runNative } from './runner.ts';

const [mode = 'sandbox', word = '', from = '1'] = process.argv.slice(2);
let bad = 0;
const times: { readonly number: number; readonly native: number; readonly second: number }[] = [];
const lines = readLines().filter((line) => line.number >= Number(from) && `${line.number} ${line.program} ${line.command}`.includes(word));
const scratch = makeScratch();
for (const line of lines) {
  const native = await runNative(line, scratch);
  const second = mode === 'native' ? await runNative(line, scratch) : await runInSandbox(line, scratch);
  const difference = compare(native, second);
  times.push({ number: line.number, native: native.milliseconds, second: second.milliseconds });
  if (difference !== '' || native.status === 'timed out') {
    bad++;
    console.log(`line ${line.number} (${line.program}): ${line.command.slice(0, 100)}\n${difference}\n`);
  }
}
fs.rmSync(scratch, { recursive: true, force: true });
for (const { number, native, second } of times.sort((a, b) => b.second - a.second).slice(0, 15)) console.log(`line ${number}: ${native.toFixed(0)} ms, ${second.toFixed(0)} ms`);
console.log(`${lines.length - bad} of ${lines.length} lines agree`);

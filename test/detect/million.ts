/**
 * A million events, none lost and none out of order. A test of its own, because it takes a minute or two.
 *
 *   npm run test:events [COUNT]
 */
import { execFileSync, spawn } from 'node:child_process';
import { openSync, createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { caissonPath } from '../cli/caisson.ts';
import { Root } from './testing.ts';

const count = Number(process.argv[2] ?? 1_000_000);
const root = new Root();
const pipe = root.file('pipe');
execFileSync('mkfifo', [pipe]);
// Opened for both, so that it has a reader before it has a writer; the last line ends it.
const reader = createReadStream('', { fd: openSync(pipe, 'r+') });
const started = performance.now();
const child = spawn(process.execPath, [caissonPath, ...root.shell(`deeds many ${count}`, ['--rules', 'default', '--events', pipe])], { stdio: ['ignore', 'inherit', 'inherit'] });
let expected = 1;
let opened = 0;
let end: { readonly events: number; readonly waits: number } | undefined;
for await (const line of createInterface({ input: reader })) {
  const event = JSON.parse(line) as { readonly caisson?: string; readonly number: number; readonly events: number; readonly waits: number; readonly file?: { readonly name: string } };
  if (event.caisson === 'end') {
    end = event;
    break;
  }
  if (event.caisson !== undefined) continue;
  if (event.number !== expected) throw new Error(`event ${expected} is missing: ${event.number} came`);
  expected++;
  if (event.file?.name === '/etc/hostname') opened++;
}
const status = child.exitCode ?? (await new Promise<number>((resolve) => child.on('close', resolve)));
root.remove();
const isWhole = status === 0 && end?.events === expected - 1 && opened === count;
console.log(`${expected - 1} events of ${end?.events ?? 0}, ${opened} opens of ${count}, ${end?.waits ?? 0} waits, ${((performance.now() - started) / 1000).toFixed(1)} s: ${isWhole ? 'all there, in order' : 'NOT all there'}`);
process.exit(isWhole ? 0 : 1);

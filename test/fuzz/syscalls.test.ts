/**
 * A million random system calls: no exception of ours, no hang, memory bounded (promise I4). Each process of the guest
 * makes some thousand of them; see syscalls.c, which also says how to make one batch again.
 *
 * CAISSON_FUZZ_SYSCALLS is how many, CAISSON_FUZZ_SEED where to begin: with others, a longer run is another run.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SYSCALL_ROWS } from '../../src/kernel/syscalls/table.ts';
import type { ArgumentKind } from '../../src/kernel/types.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const COUNT = Number(process.env['CAISSON_FUZZ_SYSCALLS'] ?? 1_000_000);
const SEED = Number(process.env['CAISSON_FUZZ_SEED'] ?? 1);
const COMMAND = process.env['CAISSON_JS'] ?? `${root}dist/caisson.js`;
const GUEST_MEMORY = 256 * 2 ** 20;
/** What the command may need beside the guest's memory: Node, code, and memories of ended processes that V8 has not freed yet. */
const OWN_MEMORY = 1280 * 2 ** 20;
const TIMEOUT_MS = 12 * 60_000 + COUNT;

function letter(kind: ArgumentKind): string {
  if (kind === 'fd') return 'f';
  if (kind === 'path') return 's';
  if (kind === 'pointer' || kind === 'buffer' || kind.startsWith('pointer:')) return 'p';
  if (kind === 'size') return 'n';
  return kind === 'signal' ? 'g' : 'i';
}

/** The table as C. Calls that are not there have no kinds: their arguments may be anything. */
function compile(): string {
  const directory = `${root}.cache/fuzz`;
  mkdirSync(directory, { recursive: true });
  const rows = SYSCALL_ROWS.map(({ number, name, handler, arguments: kinds }) => `  {${number}, ${handler === undefined ? 0 : 1}, "${name}", "${kinds.map(letter).join('')}"},`);
  writeFileSync(`${directory}/syscalls-table.h`, `static const struct call calls[] = {\n${rows.join('\n')}\n};\n`);
  const flags = ['-O1', '-fno-stack-protector', '-Wall', '-Wno-unused-result', '-static', '-I', directory];
  const { status, stderr } = spawnSync('gcc', [...flags, '-o', `${directory}/syscalls`, `${root}test/fuzz/syscalls.c`], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return `${directory}/syscalls`;
}

/** Largest resident memory so far, in bytes. */
function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

test(`${COUNT} random system calls`, async () => {
  const child = spawn(process.execPath, [COMMAND, 'do', '-m', String(GUEST_MEMORY), '-w', '/tmp', '--', compile(), String(COUNT), String(SEED)], { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
  child.stdin.end();
  const output = { stdout: '', stderr: '' };
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, child.pid === undefined || child.exitCode !== null ? 0 : peakMemory(child.pid))), 200);
  child.stdout.setEncoding('latin1').on('data', (text: string) => (output.stdout += text));
  // One line a batch; the last ones tell where it stopped.
  child.stderr.setEncoding('latin1').on('data', (text: string) => (output.stderr = (output.stderr + text).slice(-20_000)));
  const status = await new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  clearInterval(timer);
  const last = output.stderr.slice(-3000);
  assert.doesNotMatch(output.stderr, /internal error|\n\s+at .*\(|RangeError|TypeError: /, last);
  assert.equal(status, 0, `${output.stdout}${last}`);
  const [calls = 0, succeeded = 0, failed = 0] = [...output.stdout.matchAll(/\d+/g)].map(Number);
  assert.ok(calls >= COUNT, output.stdout);
  assert.ok(succeeded > calls / 20 && failed > calls / 20, output.stdout);
  assert.ok(peak < GUEST_MEMORY + OWN_MEMORY, `${Math.round(peak / 2 ** 20)} MiB resident`);
});

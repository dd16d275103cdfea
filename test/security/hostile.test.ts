/** Commands that try to hurt: the guest gets what Linux gives, the user one line and an exit code, the host is as it was (promise I4). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { caisson, inSandbox } from '../cli/caisson.ts';
import type { RunResult } from '../cli/caisson.ts';

/** No stack, no message of the engine's own, and not killed by the test's time limit. */
function assertOrderly({ stderr, status, signal }: RunResult): void {
  assert.equal(signal, null);
  assert.doesNotMatch(stderr, /internal error|\n\s+at .*\(|RangeError|TypeError: /);
  assert.notEqual(status, null);
}

test('a fork bomb ends at the limit', async () => {
  const result = await inSandbox('f() { f | f & }; f; sleep 1', ['--timeout', '8s', '--pids-limit', '40'], { timeoutMs: 55_000 });
  assertOrderly(result);
});

test('a memory bomb gets MemoryError or is killed', async () => {
  const result = await caisson(['do', '-m', '256m', '--timeout', '30s', '--', '/usr/bin/python3', '-c', 'x = []\nwhile True: x.append(bytearray(10 << 20))']);
  assertOrderly(result);
  assert.ok(result.status !== 0 && result.status !== 124, String(result.status));
});

test('deep recursion is a fault of the guest', async () => {
  assertOrderly(await caisson(['do', '--', 'bash', '-c', 'f() { f; }; f'], { timeoutMs: 55_000 }));
});

/** Path of a program beside this file, compiled into the directory. */
function compiled(name: string, directory: string): string {
  const program = join(directory, name);
  assert.equal(spawnSync('gcc', ['-O1', '-static', '-o', program, fileURLToPath(new URL(`${name}.c`, import.meta.url))]).status, 0);
  return program;
}

test('mounts that multiply by propagation end at the bound', async () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'caisson-hostile-'));
  const result = await caisson(['do', '--', compiled('mounts', directory)], { timeoutMs: 30_000 });
  assertOrderly(result);
  assert.equal(result.stdout, 'No space left on device\nalive\n');
  fs.rmSync(directory, { recursive: true });
});

test('a guest that overwrites the counters of the machine is preempted all the same', async () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'caisson-hostile-'));
  const program = compiled('counters', directory);
  for (const way of ['0', '1', '2']) {
    for (const tier of ['both', 'translator', 'interpreter']) {
      const result = await caisson(['do', '--tier', tier, '--timeout', '4s', '--', program, way], { timeoutMs: 55_000 });
      assertOrderly(result);
      assert.ok([124, 132, 135, 139].includes(result.status ?? 0), `way ${way}, ${tier}: ${result.status} ${result.stderr}`);
    }
  }
  fs.rmSync(directory, { recursive: true });
});

test('random bytes as code', async () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'caisson-hostile-'));
  const program = fs.readFileSync('/bin/busybox');
  let seed = 12345;
  for (let round = 0; round < 12; round++) {
    const bytes = Buffer.from(program);
    for (let at = 0x1000; at < 0x3000; at++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      bytes[at] = seed >>> 16;
    }
    for (let flips = 0; flips < 40; flips++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      bytes[seed % (round < 6 ? 512 : bytes.length)] = seed >>> 24;
    }
    fs.writeFileSync(join(directory, 'p'), bytes, { mode: 0o755 });
    assertOrderly(await caisson(['do', '--timeout', '5s', '--', join(directory, 'p'), 'true'], { timeoutMs: 40_000 }));
  }
  fs.rmSync(directory, { recursive: true });
});

test('truncated and enormous ELF headers are refused', async () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'caisson-elf-'));
  const whole = fs.readFileSync('/bin/true');
  const variants: Buffer[] = [];
  for (const length of [0, 1, 4, 16, 52, 63, 64, 120, 500, 4096]) variants.push(whole.subarray(0, length));
  for (const [offset, value] of [[54, 0xffff], [56, 0xffff], [32, 0xffffff], [24, 0xffffff], [18, 3], [16, 9]] as const) {
    const bytes = Buffer.from(whole);
    bytes.writeUInt16LE(value & 0xffff, offset);
    variants.push(bytes);
  }
  for (const at of [0, 8, 16, 24, 32, 40, 48]) {
    for (let header = 0; header < 4; header++) {
      const bytes = Buffer.from(whole);
      bytes.fill(0xff, 64 + 56 * header + at, 64 + 56 * header + at + 8);
      variants.push(bytes);
    }
  }
  const names = variants.map((bytes, index) => {
    fs.writeFileSync(join(directory, `e${index}`), bytes, { mode: 0o755 });
    return `e${index}`;
  });
  const result = await inSandbox(`for p in ${names.join(' ')}; do timeout 5 ./$p; done >/dev/null 2>&1; echo survived`, [], { cwd: directory, timeoutMs: 120_000 });
  assertOrderly(result);
  assert.equal(result.stdout, 'survived\n');
  fs.rmSync(directory, { recursive: true });
});

test('endless output to a closed pipe, and endless input', async () => {
  assertOrderly(await inSandbox('yes | head -c 1000 | wc -c; (yes; true) | true'));
  assertOrderly(await caisson(['do', '--timeout', '3s', '--', 'sh', '-c', 'cat /dev/zero > /dev/null']));
});

test('a full copy layer is ENOSPC or the memory limit, not a crash', async () => {
  const result = await inSandbox('head -c 300000000 /dev/zero > /tmp/big || echo full', ['-m', '64m'], { timeoutMs: 110_000 });
  assertOrderly(result);
  assert.equal(result.stdout, 'full\n');
});

test('files that change under hostfs', async () => {
  const cwd = fs.mkdtempSync(join(tmpdir(), 'caisson-change-'));
  const file = join(cwd, 'f');
  fs.writeFileSync(file, 'x'.repeat(100_000));
  let round = 0;
  const timer = setInterval(() => {
    round++;
    if (round % 3 === 0) fs.rmSync(file, { force: true });
    else fs.writeFileSync(file, 'y'.repeat((round * 7919) % 200_000));
  }, 3);
  const result = await inSandbox('i=0; while [ $i -lt 300 ]; do cat f > /dev/null; ls -l f > /dev/null; cp f g; i=$((i+1)); done 2>/dev/null; /usr/bin/python3 -c "import mmap; f = open(\'g\', \'rb\'); len(f.read())"; echo done', [], { cwd });
  clearInterval(timer);
  assertOrderly(result);
  assert.match(result.stdout, /done\n$/);
  fs.rmSync(cwd, { recursive: true });
});

test('names that are not UTF-8', async () => {
  const cwd = fs.mkdtempSync(join(tmpdir(), 'caisson-names-'));
  fs.writeFileSync(Buffer.concat([Buffer.from(`${cwd}/n`), Buffer.from([0xff, 0xe9])]), 'content');
  const result = await inSandbox('cat n*; for f in *; do printf %s "$f" | od -An -tx1; done; touch $(printf "m\\376"); ls | wc -l', [], { cwd });
  assert.equal(result.stdout, 'content 6e ff e9\n2\n');
  fs.rmSync(cwd, { recursive: true });
});

/** Both tiers on whole programs, against the host: what is translated means what is interpreted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import test, { before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { caisson } from '../cli/caisson.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const directory = at('../../.cache/machine/');
const program = `${directory}tiers`;
const nans = `${directory}nans`;
const handlers = `${directory}handlers`;
const sequences = `${directory}sequences`;
const checks = `${directory}checks`;
const flags = `${directory}flags`;

/** What keeps gcc from leading all computed gotos through one jump. */
const ONE_JUMP_A_HANDLER = ['-fno-gcse', '-fno-crossjumping', '--param', 'max-goto-duplication-insns=60'];

/** Programs of the host that run long enough to be translated. */
const COMMANDS: readonly (readonly string[])[] = [
  [program],
  [nans],
  [handlers],
  [sequences],
  [checks],
  [flags],
  [flags, 'handler'],
  ['/bin/bash', '-c', 'i=0; s=; while [ $i -lt 20000 ]; do i=$((i + 1)); case $i in *000) s=$s,$i;; esac; done; echo $s'],
  ['/usr/bin/python3', '-c', 'import json, zlib; d = {str(i): [i * i % 97, i / 7] for i in range(5000)}; t = json.dumps(d); print(len(t), zlib.crc32(t.encode()), sum(ord(c) for c in t))'],
  ['/usr/bin/perl', '-e', 'my ($h, $s); for (1 .. 30000) { $h->{$_ % 701} += $_; $s ^= $_ * 7 } print "$s ", join(",", map { $h->{$_} } (1 .. 5)), "\\n"'],
  ['/usr/bin/openssl', 'version'],
  ['/usr/bin/awk', 'BEGIN { for (i = 0; i < 50000; i++) { a[i % 99] += i; s = (s * 31 + i) % 1000003 } print s, a[7] }'],
];

before(() => {
  mkdirSync(directory, { recursive: true });
  const programs = [[program, 'tiers.c', '-O1'], [nans, 'nans.c', '-O2'], [handlers, 'handlers.c', '-O2', ...ONE_JUMP_A_HANDLER], [sequences, 'sequences.c', '-O1', '-no-pie'], [checks, 'checks.c', '-O2'], [flags, 'flags.c', '-O1', '-no-pie', '-mno-red-zone']] as const;
  for (const [output, source, ...flags] of programs) {
    const { status, stderr } = spawnSync('gcc', [...flags, '-o', output, at(source), '-lm'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
});

for (const tier of ['interpreter', 'both', 'translator']) {
  test(`--tier ${tier} runs programs as the host does`, async () => {
    for (const argv of COMMANDS) {
      const native = spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8', env: { LANG: 'C.UTF-8', PATH: '/usr/bin:/bin' } });
      const inside = await caisson(['do', '--tier', tier, '--', ...argv], { env: { LANG: 'C.UTF-8', PATH: '/usr/bin:/bin' }, timeoutMs: 120_000 });
      assert.deepEqual([inside.stdout, inside.status], [native.stdout, native.status], `${argv.join(' ')}: ${inside.stderr}`);
    }
  });
}

test('translations of an earlier run mean the same in the next', async () => {
  const native = spawnSync(program, { encoding: 'utf8' });
  for (let run = 0; run < 3; run++) {
    const inside = await caisson(['do', '--', program]);
    assert.deepEqual([inside.stdout, inside.status], [native.stdout, native.status], `run ${run}`);
  }
});

test('an interpreter means the same from run to run, while its units become others: handlers come that were not there when one was made of them', async () => {
  // The first runs use a part of the instruction set.
  for (const [run, used] of ['17', '17', '24', '24', '24', '17'].entries()) {
    const native = spawnSync(handlers, [used], { encoding: 'utf8' });
    const inside = await caisson(['do', '--', handlers, used]);
    assert.deepEqual([inside.stdout, inside.status], [native.stdout, native.status], `run ${run}`);
  }
});

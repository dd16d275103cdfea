/** x86-64-v3 on whole programs, against the host: loops that gcc makes vectors of, registers across signals, threads and fork, and CPUID. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import test, { before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { caisson } from '../cli/caisson.ts';
import { hostHas } from './native.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const program = `${at('../../.cache/machine/')}vectors`;
const skip = !(hostHas('avx2') && hostHas('fma') && hostHas('bmi2') && hostHas('f16c'));

before(() => {
  mkdirSync(at('../../.cache/machine/'), { recursive: true });
  const { status, stderr } = spawnSync('gcc', ['-O3', '-march=x86-64-v3', '-pthread', '-o', program, at('vectors.c'), '-lm'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

for (const tier of ['interpreter', 'both', 'translator']) {
  test(`--tier ${tier} --cpu v3 computes with vectors as the host does`, { skip }, async () => {
    const native = spawnSync(program, { encoding: 'utf8' });
    const inside = await caisson(['do', '--tier', tier, '--cpu', 'v3', '--', program], { timeoutMs: 120_000 });
    assert.deepEqual([inside.stdout, inside.status], [native.stdout, native.status], inside.stderr);
  });
}

test('CPUID, XGETBV and /proc/cpuinfo say what --cpu says', async () => {
  const words = async (cpu: string): Promise<string> => (await caisson(['do', '--cpu', cpu, '--', program, 'cpuid'])).stdout;
  assert.equal(await words('v2'), 'fma 0 movbe 0 avx 0 f16c 0 osxsave 1 bmi1 0 avx2 0 bmi2 0 avx512 0 lzcnt 0 xcr0 3 size 576\n');
  assert.equal(await words('v3'), 'fma 1 movbe 1 avx 1 f16c 1 osxsave 1 bmi1 1 avx2 1 bmi2 1 avx512 0 lzcnt 1 xcr0 7 size 832\n');
  const flags = await caisson(['do', '--cpu', 'v3', '--', '/bin/grep', '-o', '-w', '-E', 'avx|avx2|bmi1|bmi2|fma|f16c|abm|movbe', '/proc/cpuinfo']);
  assert.deepEqual(flags.stdout.trim().split('\n').toSorted(), ['abm', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe']);
});

test('without AVX its instructions are undefined, and another processor is refused in a line', async () => {
  assert.equal((await caisson(['do', '--', program])).status, 132);
  const refused = await caisson(['do', '--cpu', 'v4', '--', '/bin/true']);
  assert.deepEqual([refused.status, refused.stderr], [125, "caisson: cannot use --cpu v4: it is one of v2, v3 (see the command's --help)\n"]);
});

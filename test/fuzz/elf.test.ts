import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const root = fileURLToPath(new URL('../../', import.meta.url));
const COUNT = Number(process.env['CAISSON_FUZZ_ELF'] ?? 10_000);

function compile(source: string, output: string, flags: readonly string[]): string {
  mkdirSync(`${root}.cache/fuzz`, { recursive: true });
  const file = `${root}.cache/fuzz/${output}`;
  const { status, stderr } = spawnSync('gcc', ['-O1', ...flags, '-o', file, `${root}test/fuzz/${source}`], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return file;
}

test('mutated ELF files are refused or run to some end', () => {
  const driver = compile('elf.c', 'elf', []);
  const seed = compile('elf-seed.c', 'elf-seed', ['-static', '-nostdlib']);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${root}dist/caisson.js`, 'do', '-w', '/tmp', '--', driver, seed, String(COUNT), '11'],
    { encoding: 'utf8', timeout: 900_000 },
  );
  assert.equal(stdout, `${COUNT} runs: refused, ended, killed\n`, stderr);
  assert.equal(status, 0);
});

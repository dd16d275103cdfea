/** io_uring is off unless the user says so, and no way around rules, filters and bounds. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { caisson } from '../cli/caisson.ts';

const directory = mkdtempSync(join(tmpdir(), 'caisson-uring-'));
after(() => rmSync(directory, { recursive: true }));
const program = join(directory, 'uring');
execFileSync('gcc', ['-O1', '-o', program, fileURLToPath(new URL('uring_limits.c', import.meta.url))], { stdio: 'inherit' });

/** One check of uring_limits.c passes in a sandbox with these flags. */
async function passes(check: string, ...flags: readonly string[]): Promise<void> {
  const { stdout, stderr } = await caisson(['do', '-v', `${directory}:${directory}`, ...flags, '--', program, '/tmp', check]);
  assert.match(stdout, new RegExp(`^ok ${check}$`, 'm'), stdout + stderr);
}

const ON = ['--security-opt', 'io_uring=on'];

test('io_uring is off unless --security-opt io_uring=on says otherwise, and the last one counts', async () => {
  await passes('off_by_default');
  await passes('off_by_default', ...ON, '--security-opt', 'io_uring=off');
});

test('a rule denies what a request of io_uring opens', async () => {
  const rules = join(directory, 'rules.yaml');
  writeFileSync(rules, '- rule: Forbidden\n  desc: Nobody opens it.\n  condition: evt.type in (open, openat) and fd.name = /tmp/forbidden\n  output: "%proc.name"\n  priority: ERROR\n');
  await passes('rule_denies_open', ...ON, '--rules', rules, '--on-rule', 'deny');
});

test('a filter of system calls denies a request of io_uring', () => passes('filter_denies_mkdir', ...ON));

test('rings are bounded, end with their descriptor, and take garbage', async () => {
  await passes('rings_are_bounded', ...ON);
  await passes('rings_end_with_their_descriptor', ...ON);
  await passes('garbage_in_the_rings', ...ON);
});

test('another --security-opt is refused with what there is', async () => {
  const { status, stderr } = await caisson(['do', '--security-opt', 'seccomp=unconfined', '--', 'true']);
  assert.equal(status, 125);
  assert.match(stderr, /cannot use --security-opt seccomp=unconfined: there is io_uring=on and io_uring=off/);
});

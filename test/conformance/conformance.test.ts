/**
 * Every check of the conformance programs, on the host and inside, as a test of its own: as root (where root runs the
 * tests) and as an ordinary user. A check that the host skips, for want of a right or of a feature, is none.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { compile, complaints, nativeScratch, programNames, ROOT, run, uncheckedCalls, type User } from './suite.ts';

const ORDINARY: User = { uid: 1234, gid: 1234 };
const isRoot = process.geteuid?.() === 0;
/** Where an ordinary user can read the programs and the command, wherever the checkout is. */
const stage = mkdtempSync(join(tmpdir(), 'caisson-conformance-'));
after(() => rmSync(stage, { recursive: true }));
chmodSync(stage, 0o755);
cpSync(join(ROOT, 'dist'), join(stage, 'dist'), { recursive: true });
const command = join(stage, 'dist/caisson.js');

/** How a user starts a program inside. Where an ordinary user cannot run this Node, root starts it for him. */
function inside(user: User | undefined, program: string): ReturnType<typeof run> {
  if (user === undefined) return run(process.execPath, [command, 'do', ...(isRoot ? ['--cap-add', 'ALL'] : []), '--', program, '/tmp']);
  const mayRunNode = spawnSync(process.execPath, ['--version'], { ...user, cwd: '/' }).status === 0;
  if (mayRunNode) return run(process.execPath, [command, 'do', '--', program, '/tmp'], user);
  return run(process.execPath, [command, 'do', '-u', `${user.uid}:${user.gid}`, '--', program, '/tmp']);
}

/** Both at the same time: most checks wait rather than compute. */
async function suite(name: string, program: string, user: User | undefined): Promise<void> {
  const [onHost, within] = await Promise.all([run(program, [nativeScratch], user), inside(user, program)]);
  const wrong = complaints(onHost, within);
  const reason = (wanted: string): string => wrong.filter(({ check }) => check === wanted).map(({ text }) => text).join('');
  describe(`${name} as ${isRoot && user === undefined ? 'root' : 'an ordinary user'}`, () => {
    test(`${name} ends by itself`, () => assert.equal(reason(''), ''));
    for (const [check, verdict] of onHost.verdicts) if (verdict !== 'skip') test(`${name}: ${check}`, () => assert.equal(reason(check), ''));
  });
}

test('every call of the table has a check of the errors of bad arguments', () => assert.deepEqual(uncheckedCalls(), []));

for (const name of programNames()) {
  const program = join(stage, name);
  cpSync(compile(name), program);
  await suite(name, program, undefined);
  if (isRoot) await suite(name, program, ORDINARY);
}

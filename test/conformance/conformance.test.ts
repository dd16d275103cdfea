/**
 * Every check of the conformance programs, on the host and inside, as a test of its own: as root (where root runs the
 * tests) and as an ordinary user. A check that the host skips, for want of a right or of a feature, is none.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { compile, complaints, nativeScratch, programNames, ROOT, run, uncheckedCalls, type User } from './suite.ts';

const ORDINARY: User = { uid: 1234, gid: 1234 };
const isRoot = process.geteuid?.() === 0;
/** Where an ordinary user can read the programs and the command, wherever the checkout is. */
const stage = mkdtempSync(join(tmpdir(), 'caisson-conformance-'));
process.on('exit', () => rmSync(stage, { recursive: true }));
chmodSync(stage, 0o755);
// Another build than dist/'s can be tried.
cpSync(dirname(process.env['CAISSON_JS'] ?? join(ROOT, 'dist/caisson.js')), join(stage, 'dist'), { recursive: true });
const command = join(stage, 'dist/caisson.js');

/** How a user starts a program inside. Where an ordinary user cannot run this Node, root starts it for him. */
function inside(user: User | undefined, program: string): ReturnType<typeof run> {
  if (user === undefined) return run(process.execPath, [command, 'do', '--security-opt', 'io_uring=on', ...(isRoot ? ['--cap-add', 'ALL'] : []), '--', program, '/tmp']);
  const mayRunNode = spawnSync(process.execPath, ['--version'], { ...user, cwd: '/' }).status === 0;
  if (mayRunNode) return run(process.execPath, [command, 'do', '--security-opt', 'io_uring=on', '--', program, '/tmp'], user);
  return run(process.execPath, [command, 'do', '--security-opt', 'io_uring=on', '-u', `${user.uid}:${user.gid}`, '--', program, '/tmp']);
}

/** Both at the same time: most checks wait rather than compute. The test itself is that the program ends. */
async function suite(context: TestContext, program: string, user: User | undefined): Promise<void> {
  const [onHost, within] = await Promise.all([run(program, [nativeScratch], user), inside(user, program)]);
  const wrong = complaints(onHost, within);
  const reason = (wanted: string): string => wrong.filter(({ check }) => check === wanted).map(({ text }) => text).join('');
  for (const [check, verdict] of onHost.verdicts) if (verdict !== 'skip') await context.test(check, () => assert.equal(reason(check), ''));
  assert.equal(reason(''), '');
}

test('every call of the table has a check of the errors of bad arguments', () => assert.deepEqual(uncheckedCalls(), []));

for (const name of programNames()) {
  const program = join(stage, name);
  cpSync(compile(name), program);
  test(`${name} as ${isRoot ? 'root' : 'an ordinary user'}`, (context) => suite(context, program, undefined));
  if (isRoot) test(`${name} as an ordinary user`, (context) => suite(context, program, ORDINARY));
}

/**
 * The test command: prepares what the tests need, runs every check and suite, and adds up.
 *
 *   npm test                      everything
 *   npm test -- src/fs kernel     only test files whose path contains one of the words
 *
 * The last line is `N passed, N failed`; the exit status is 0 only if nothing failed. A skipped test
 * is a failed one.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { TEST_NODE_OPTIONS, findTests, root, runSuite } from './run-tests.mjs';

const words = process.argv.slice(2);
const totals = { passed: 0, failed: 0 };

function count(ok) {
  if (ok) totals.passed++;
  else totals.failed++;
}

function check(title, command, args) {
  const started = performance.now();
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, FORCE_COLOR: '0' } });
  const ok = status === 0 && error === undefined;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  count(ok);
  return ok;
}

process.chdir(root);
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} ${TEST_NODE_OPTIONS}`.trim();
const bin = join(root, 'node_modules', '.bin');
const childEnvironment = process.env.NODE_OPTIONS;

process.env.NODE_OPTIONS = '';
if (!prepare()) count(false);
if (check('build', process.execPath, ['scripts/build.mjs']) && words.length === 0) {
  check('types', join(bin, 'tsc'), ['--noEmit', '-p', '.']);
  check('lint', join(bin, 'eslint'), ['.']);
  check('imports', process.execPath, ['scripts/check-imports.mjs']);
  check('documents', process.execPath, ['scripts/check-documents.mjs']);
  check('compatibility page', process.execPath, ['--import', 'tsx', 'scripts/compatibility.ts', '--check']);
}
process.env.NODE_OPTIONS = childEnvironment;

async function suite(title, files, concurrency) {
  const { passed, failed } = await runSuite(title, files, concurrency);
  totals.passed += passed;
  totals.failed += failed;
}

await suite('unit tests', findTests('src', words), Math.max(1, cpus().length));
const suites = [...new Set(findTests('test', words).map((file) => file.split('/').slice(0, 2).join('/')))];
for (const name of suites) await suite(name, findTests('test', words).filter((file) => file.startsWith(`${name}/`)), 1);
process.env.NODE_OPTIONS = '';
if (words.length === 0 || words.includes('node-lts')) check('other Node versions', process.execPath, ['scripts/test-node-lts.mjs']);

console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);

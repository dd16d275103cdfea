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
import { existsSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const words = process.argv.slice(2);
const FILE_TIMEOUT_MS = 15 * 60_000;
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

function findTests(directory) {
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort();
}

function describeFailure(data) {
  const error = data.details.error;
  const cause = error?.cause ?? error;
  const text = typeof cause === 'string' ? cause : (cause?.stack ?? cause?.message ?? 'no reason given');
  return text.split('\n').slice(0, 30).map((line) => `      ${line}`).join('\n');
}

/** Runs test files, each in a process of its own, and counts single tests. A file that dies counts as one failure. */
async function runSuite(title, files, concurrency) {
  if (files.length === 0) return;
  const started = performance.now();
  const before = { ...totals };
  const stream = run({ files: files.map((file) => join(root, file)), concurrency, timeout: FILE_TIMEOUT_MS });
  stream.on('test:pass', (data) => {
    if (data.details.type === 'suite' || files.some((file) => data.name.endsWith(file))) return;
    const skipped = data.skip !== undefined || data.todo !== undefined;
    if (skipped) console.log(`FAIL ${data.name}: skipped`);
    count(!skipped);
  });
  stream.on('test:fail', (data) => {
    const isContainer = data.details.error?.failureType === 'subtestsFailed';
    if (isContainer) return;
    console.log(`FAIL ${relative(root, data.file ?? '')}: ${data.name}\n${describeFailure(data)}`);
    count(false);
  });
  for await (const _ of stream) void _;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${totals.failed === before.failed ? 'ok  ' : 'FAIL'} ${title}: ${totals.passed - before.passed} passed, ${totals.failed - before.failed} failed (${files.length} files, ${seconds} s)`);
}

process.chdir(root);
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import tsx --disable-warning=ExperimentalWarning`.trim();
const bin = join(root, 'node_modules', '.bin');
const childEnvironment = process.env.NODE_OPTIONS;

process.env.NODE_OPTIONS = '';
if (!prepare()) count(false);
if (check('build', process.execPath, ['scripts/build.mjs']) && words.length === 0) {
  check('types', join(bin, 'tsc'), ['--noEmit', '-p', '.']);
  check('lint', join(bin, 'eslint'), ['.']);
  check('imports', process.execPath, ['scripts/check-imports.mjs']);
  check('compatibility page', process.execPath, ['--import', 'tsx', 'scripts/compatibility.ts', '--check']);
}
process.env.NODE_OPTIONS = childEnvironment;

await runSuite('unit tests', findTests('src'), Math.max(1, cpus().length));
const suites = [...new Set(findTests('test').map((file) => file.split('/').slice(0, 2).join('/')))];
for (const suite of suites) await runSuite(suite, findTests('test').filter((file) => file.startsWith(suite)), 1);

console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);

/** Finds test files and runs them, for the test command and for the one under other Node versions. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** What Node needs to run our TypeScript. */
export const TEST_NODE_OPTIONS = `--import ${new URL('test-environment.mjs', import.meta.url)}`;
const FILE_TIMEOUT_MS = 15 * 60_000;

/** Files below `directory` whose path contains one of the words, if there are any words. */
export function findTests(directory, words = []) {
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

/**
 * Runs test files, each in a process of its own, and counts single tests. A file that dies counts as one failure, and so
 * does a test that is skipped.
 */
export async function runSuite(title, files, concurrency) {
  const totals = { passed: 0, failed: 0 };
  if (files.length === 0) return totals;
  const started = performance.now();
  const stream = run({ files: files.map((file) => join(root, file)), concurrency, timeout: FILE_TIMEOUT_MS });
  stream.on('test:pass', (data) => {
    if (data.details.type === 'suite' || files.some((file) => data.name.endsWith(file))) return;
    const skipped = data.skip !== undefined || data.todo !== undefined;
    if (skipped) console.log(`FAIL ${data.name}: skipped`);
    if (skipped) totals.failed++;
    else totals.passed++;
  });
  stream.on('test:fail', (data) => {
    const isContainer = data.details.error?.failureType === 'subtestsFailed';
    if (isContainer) return;
    console.log(`FAIL ${relative(root, data.file ?? '')}: ${data.name}\n${describeFailure(data)}`);
    totals.failed++;
  });
  for await (const _ of stream) void _;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${totals.failed === 0 ? 'ok  ' : 'FAIL'} ${title}: ${totals.passed} passed, ${totals.failed} failed (${files.length} files, ${seconds} s)`);
  return totals;
}

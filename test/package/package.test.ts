/**
 * The package as its user gets it: packed, installed into an empty directory, run with npx, imported as ESM, its types
 * under NodeNext, and every example of its docstrings compiled and run against what it says it prints.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'caisson-package-'));
/** People have such names in their paths. */
const project = join(scratch, 'my project #1 äöü%20');
/** Nothing is fetched: there is nothing to fetch. */
const NPM = { npm_config_offline: 'true', npm_config_cache: join(scratch, 'npm'), npm_config_update_notifier: 'false' };

function run(command: string, args: readonly string[], cwd: string): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', HOME: scratch, LANG: 'C.UTF-8', ...NPM } });
}

function mustRun(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = run(command, args, cwd);
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

const tsc = (...args: string[]): string => mustRun(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...args], project);

before(() => {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n');
  const packed = mustRun('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', scratch], root).trim();
  mustRun('npm', ['install', '--no-audit', '--no-fund', join(scratch, packed)], project);
});

after(() => rmSync(scratch, { recursive: true, force: true }));

test('it brings no other package, no native code, and nothing of the repository but what is built', () => {
  assert.deepEqual(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.')), ['caisson']);
  const installed = join(project, 'node_modules/caisson');
  assert.deepEqual(readdirSync(installed).sort(), ['LICENSE', 'README.md', 'dist', 'package.json']);
  assert.deepEqual(readdirSync(installed, { recursive: true }).filter((name) => /\.(node|so)$|\.test\.|\.tsx?$(?<!\.d\.ts)/.test(String(name))), []);
  const { dependencies, optionalDependencies, scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, Record<string, string> | undefined>;
  assert.deepEqual([dependencies, optionalDependencies, scripts?.['install'], scripts?.['postinstall']], [undefined, undefined, undefined, undefined]);
});

test('the licences of what is bundled come along', () => {
  const text = readFileSync(join(project, 'node_modules/caisson/dist/LICENSES.txt'), 'utf8');
  for (const known of [/^openpgp [\d.]+ \(LGPL-3\.0\+\)\n\n *GNU LESSER GENERAL PUBLIC LICENSE$/m, /^hono [\d.]+ \(MIT\)$/m, /^yaml [\d.]+ \(ISC\)$/m]) assert.match(text, known);
});

test('npx runs the command', () => {
  assert.equal(mustRun('npx', ['caisson', 'do', '--', 'true'], project), '');
  assert.equal(mustRun('npx', ['caisson', 'do', '--', 'sh', '-c', 'echo $((6 * 7)); uname -r'], project), '42\n6.6.0-caisson\n');
  // Hot enough to be translated.
  assert.equal(mustRun('npx', ['caisson', 'do', '--', 'sh', '-c', 'i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done; echo $i'], project), '50000\n');
  const failed = run('npx', ['caisson', 'do', '--', 'sh', '-c', 'exit 7'], project);
  assert.equal(failed.status, 7, failed.stderr);
});

test('an ESM script imports the API', () => {
  writeFileSync(join(project, 'script.mjs'), `
    import { Sandbox } from 'caisson';
    const sandbox = await Sandbox.create();
    const { stdout, exitCode } = await sandbox.commands.run('echo "$0 $((6 * 7))"; exit 3');
    console.log(JSON.stringify({ stdout, exitCode }));
    await sandbox.kill();
  `);
  assert.equal(mustRun(process.execPath, ['script.mjs'], project), '{"stdout":"/bin/sh 42\\n","exitCode":3}\n');
});

interface Example {
  readonly code: string;
  /** What its comments say that it prints. */
  readonly output: string;
}

/** The lines after `@example` in docstrings, up to the next tag or the end. */
function examplesOf(text: string): Example[] {
  return [...text.matchAll(/@example\n((?:\s*\* (?!@).*\n)+)/g)].map((match) => {
    const code = (match[1] ?? '').replace(/^\s*\* /gm, '');
    return { code, output: [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said]) => `${said}\n`).join('') };
  });
}

test('the declarations resolve under NodeNext, and every example of a docstring prints what it says', () => {
  const examples = ['sandbox', 'commands', 'files'].flatMap((name) => examplesOf(readFileSync(join(root, `src/sandbox/${name}.ts`), 'utf8')));
  assert.ok(examples.length >= 12);
  const functions = examples.map(({ code }, index) =>
    code.includes('await using sandbox') ? `async function example${index}(): Promise<void> {\n${code}}\n` : `async function example${index}(): Promise<void> {\nawait using sandbox = await Sandbox.create();\n${code}}\n`);
  const calls = examples.map((_, index) => `console.log('-- ${index}');\nawait example${index}();\n`);
  writeFileSync(join(project, 'examples.ts'), `import { Sandbox, SandboxError } from 'caisson';\nimport type { CommandResult, FileInfo, SandboxOptions } from 'caisson';\nexport type { CommandResult, FileInfo, SandboxOptions };\n${functions.join('')}${calls.join('')}`);
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { module: 'NodeNext', target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable', 'DOM'], types: [], strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
    files: ['examples.ts'],
  }));
  tsc('-p', '.');
  const expected = examples.map(({ output }, index) => `-- ${index}\n${output}`).join('');
  assert.equal(mustRun(process.execPath, ['examples.js'], project), expected);
});

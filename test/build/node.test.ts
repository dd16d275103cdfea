/** A Dockerfile of a Node program: `npm ci` inside gives what it gives on this machine. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commandIn, peer } from '../images/fixtures.ts';
import { nodeTar, npmDirectory } from './programs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-node-'));
const { mustRun } = commandIn({ CAISSON_HOME: join(scratch, 'store') });
const TIMEOUT_MS = 10 * 60_000;

after(() => rmSync(scratch, { recursive: true, force: true }));

/** A package as `npm pack` makes it. */
function packed(name: string, manifest: object, files: Readonly<Record<string, string>>): void {
  const directory = join(scratch, 'packages', name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, version: '1.0.0', ...manifest }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
  mkdirSync(join(scratch, 'vendor'), { recursive: true });
  npm(['pack', '--silent', '--pack-destination', join(scratch, 'vendor')], directory);
}

function npm(args: readonly string[], cwd: string): void {
  peer(process.execPath, [join(npmDirectory(), 'bin/npm-cli.js'), ...args], { cwd, env: { HOME: join(scratch, 'home'), PATH: process.env['PATH'] ?? '' } });
}

test('a Node program: npm ci gives the tree that it gives on this machine, and the program runs', async () => {
  packed('words', { main: 'words.js' }, { 'words.js': "module.exports = ['hello', 'from', 'packages'];\n" });
  packed('greet', { bin: { greet: 'greet.js' }, scripts: { postinstall: 'node -e "require(\'fs\').writeFileSync(\'built.txt\', \'by a script\')"' } }, { 'greet.js': "#!/usr/bin/env node\nconsole.log(require('words').join(' '));\n" });
  const app = join(scratch, 'app');
  cpSync(join(scratch, 'vendor'), join(app, 'vendor'), { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', version: '1.0.0', private: true, dependencies: { greet: 'file:vendor/greet-1.0.0.tgz', words: 'file:vendor/words-1.0.0.tgz' } }));
  npm(['install', '--package-lock-only', '--offline', '--silent'], app);
  writeFileSync(join(app, 'index.js'), "console.log(require('words').length, require('fs').readFileSync(require.resolve('greet/built.txt'), 'utf8'));\n");
  writeFileSync(join(app, '.dockerignore'), 'node_modules\n');
  writeFileSync(join(app, 'Dockerfile'), 'FROM node:host AS app\nWORKDIR /app\nCOPY package.json package-lock.json ./\nCOPY vendor vendor\nRUN --mount=type=cache,target=/root/.npm npm ci --offline --no-audit --no-fund --foreground-scripts\nCOPY index.js .\nCMD ["node", "index.js"]\nFROM scratch AS tree\nCOPY --from=app /app/node_modules /\nFROM app\n');
  await mustRun(['import', nodeTar(), 'node:host']);
  await mustRun(['build', '-t', 'app:1', app], { timeoutMs: TIMEOUT_MS });
  assert.equal(await mustRun(['run', 'app:1']), '3 by a script\n');
  assert.equal(await mustRun(['run', 'app:1', 'node_modules/.bin/greet']), 'hello from packages\n');
  await mustRun(['build', '--target', 'tree', '-o', join(scratch, 'tree'), app], { timeoutMs: TIMEOUT_MS });
  npm(['ci', '--offline', '--no-audit', '--no-fund', '--silent'], app);
  const difference = spawnSync('diff', ['-r', '--no-dereference', join(app, 'node_modules'), join(scratch, 'tree')], { encoding: 'utf8' });
  assert.equal(difference.status, 0, difference.stdout);
  assert.ok(existsSync(join(scratch, 'tree/greet/built.txt')));
});

/**
 * The engine in a browser: the rooms from `container` down, bundled for it, run a static C program and Debian's static
 * busybox in headless Chromium and give what the host gives.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import type { Job, JobResult } from './engine-worker.ts';

const BUSYBOX = '/bin/busybox';
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'caisson-browser-'));
const program = join(scratch, 'program');
const served = new Map<string, { readonly type: string; readonly body: Uint8Array }>();
const server = createServer((request, response) => {
  const file = served.get(request.url ?? '');
  response.writeHead(file === undefined ? 404 : 200, { 'content-type': file?.type ?? 'text/plain' }).end(file?.body);
});
let browser: Browser;
let page: Page;

/** Bundling for a browser fails if anything that is reached imports `node:*`. */
async function bundleEngine(): Promise<Uint8Array> {
  const { outputFiles } = await build({ entryPoints: [here('engine-worker.ts')], bundle: true, platform: 'browser', format: 'esm', write: false, logLevel: 'warning' });
  return outputFiles[0]?.contents ?? new Uint8Array();
}

before(async () => {
  const compiled = spawnSync('gcc', ['-static', '-O2', '-pthread', '-o', program, here('program.c'), '-lm'], { encoding: 'utf8' });
  assert.equal(compiled.status, 0, compiled.stderr);
  served.set('/', { type: 'text/html', body: new TextEncoder().encode('<!doctype html><title>Caisson</title>') });
  served.set('/engine.js', { type: 'text/javascript', body: await bundleEngine() });
  for (const [url, path] of [['/interpreter.bin', here('../../dist/interpreter.bin')], ['/program', program], ['/busybox', BUSYBOX]] as const) {
    served.set(url, { type: 'application/octet-stream', body: readFileSync(path) });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', chromiumSandbox: false });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

after(async () => {
  await browser?.close();
  server.close();
  server.closeAllConnections();
  rmSync(scratch, { recursive: true, force: true });
});

/** A worker for each job, as each container has one. */
async function runInBrowser(job: Job): Promise<JobResult> {
  const answer = await page.evaluate(
    (sent) =>
      new Promise<{ result?: JobResult; failure?: string }>((resolve) => {
        const worker = new Worker('/engine.js', { type: 'module' });
        worker.onerror = (event) => resolve({ failure: event.message });
        worker.onmessage = (event) => {
          worker.terminate();
          resolve(event.data);
        };
        worker.postMessage(sent);
      }),
    job,
  );
  assert.equal(answer.failure, undefined);
  return answer.result as JobResult;
}

test('a static C program gives what it gives natively', async () => {
  const native = spawnSync(program, ['one', 'two'], { encoding: 'utf8' });
  const { translatedUnits, ...rest } = await runInBrowser({ files: { '/program': '/program' }, argv: ['/program', 'one', 'two'], env: [], input: '' });
  assert.deepEqual(rest, { stdout: native.stdout, stderr: native.stderr, code: native.status ?? undefined, signal: undefined });
  assert.equal(native.status, 42);
  assert.ok(translatedUnits > 0, 'the loop was translated');
});

test('busybox gives what it gives natively: a shell, pipes, files, a loop', async () => {
  const script = `
    busybox mkdir -p $ROOT/bin && busybox --install -s $ROOT/bin || exit 9
    PATH=$ROOT/bin; cd $ROOT || exit 9
    echo hello | sed s/h/j/; ls $ROOT; seq 3 | sort -r
    read line; echo "read: $line"; cat
    i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo $i
    seq 5000 | md5sum; seq 5000 | gzip | gunzip | wc; seq 100 | awk '{ sum += $1 } END { print sum }'
    mkdir -p one/two && ln -s two one/three && echo text >one/three/file && find one | sort && cat one/two/file
    (sleep 0.05; echo later) & wait; ls nothing; (exit 3); echo $?; kill -9 $$`;
  const root = join(scratch, 'root');
  for (const directory of ['bin', 'dev', 'proc', 'sys', 'tmp']) mkdirSync(join(root, directory), { recursive: true });
  const input = 'first\nsecond\nthird\n';
  const native = spawnSync(BUSYBOX, ['sh', '-c', script], { encoding: 'utf8', input, env: { ROOT: root, PATH: '/bin' } });
  const inside = await runInBrowser({ files: { '/bin/busybox': '/busybox' }, argv: ['busybox', 'sh', '-c', script], env: ['ROOT=/', 'PATH=/bin'], input });
  assert.equal(inside.stdout, native.stdout);
  assert.equal(inside.stderr, native.stderr);
  assert.match(inside.stdout, /^jello\nbin\ndev\nproc\nsys\ntmp\n3\n2\n1\nread: first\nsecond\nthird\n20000\n/);
  assert.deepEqual([inside.code, inside.signal], [undefined, 9]);
  assert.equal(native.signal, 'SIGKILL');
});

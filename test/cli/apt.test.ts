/** A package is installed from a mirror, inside only. Part of the suite where the host is Debian, we are root, and its mirror answers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { caisson } from './caisson.ts';

const TIMEOUT_MS = 10 * 60_000;

/** The first index that apt-get would fetch, if a server gives it to the host. */
async function reachableMirror(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { stdout } = spawnSync('apt-get', ['update', '--print-uris'], { encoding: 'utf8' });
  const address = /^'(http[^']*)'/m.exec(stdout ?? '')?.[1];
  if (address === undefined) return undefined;
  try {
    const answer = await fetch(address, { method: 'HEAD', signal: AbortSignal.timeout(10_000) });
    return answer.ok ? address : undefined;
  } catch {
    return undefined;
  }
}

const mirror = await reachableMirror();

if (mirror !== undefined) {
  test(`apt-get installs from ${new URL(mirror).hostname} inside, and the host stays as it was`, async () => {
    const status = '/var/lib/dpkg/status';
    const before = fs.readFileSync(status, 'utf8');
    const existed = fs.existsSync('/usr/bin/hello');
    const script = 'apt-get remove -y -q hello >/dev/null 2>&1; apt-get update -q && apt-get install -y -q hello && hello';
    const { stdout, stderr, status: exit } = await caisson(['do', '--net', 'outbound', '--', '/bin/sh', '-c', script], { timeoutMs: TIMEOUT_MS, env: { DEBIAN_FRONTEND: 'noninteractive' } });
    assert.equal(exit, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /\nHello, world!\n$/);
    assert.equal(fs.readFileSync(status, 'utf8'), before);
    assert.equal(fs.existsSync('/usr/bin/hello'), existed);
  });
}

/** `caisson drill`: nothing gets out of a sandbox, and everything gets out where the defence is missing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { caisson, spawnCaisson, until } from '../cli/caisson.ts';
import type { RunResult } from '../cli/caisson.ts';

interface Outcome {
  readonly verdict: string;
  readonly saw: readonly string[];
  readonly measured: readonly { readonly what: string; readonly value: number }[];
  readonly sightings: readonly { readonly canary: string; readonly what: string }[];
  readonly ending?: string;
}

interface Tried extends Outcome {
  readonly name: string;
  readonly kind: string;
  readonly isHarmless: boolean;
  readonly onTwin?: Outcome;
  readonly underOther?: Outcome;
}

const timeoutMs = 300_000;

function techniquesOf({ stdout, stderr }: RunResult): readonly Tried[] {
  assert.notEqual(stdout, '', stderr);
  return (JSON.parse(stdout) as { readonly techniques: readonly Tried[] }).techniques;
}

function described({ name, verdict, saw, sightings, ending, onTwin }: Tried): string {
  return `${name}: ${verdict}, ${ending ?? ''} ${saw.join('; ')} ${JSON.stringify(sightings)}; twin: ${JSON.stringify(onTwin)}`;
}

test('nothing gets out, and on its twin everything does', async () => {
  const result = await caisson(['drill', '--twins', '--format', 'json'], { timeoutMs });
  const techniques = techniquesOf(result);
  const probes = techniques.filter(({ verdict }) => verdict === 'measured');
  const others = techniques.filter(({ verdict }) => verdict !== 'measured');
  assert.deepEqual(others.filter(({ verdict }) => verdict !== 'held').map(described), []);
  assert.deepEqual(others.filter(({ onTwin }) => onTwin?.verdict !== 'out').map(described), []);
  assert.deepEqual(probes.map(({ name }) => name), ['timing']);
  for (const { measured, onTwin } of probes) for (const { value } of [...measured, ...onTwin?.measured ?? []]) assert.ok(value > 0, JSON.stringify(measured));
  assert.ok(others.length >= 60, String(others.length));
  assert.deepEqual([...new Set(techniques.map(({ kind }) => kind))].sort(), ['A', 'B', 'C', 'D', 'E', 'F', 'G']);
  assert.equal(result.status, 0, result.stderr);
  // Every canary has noticed something on some twin.
  const canaries = new Set(others.flatMap(({ onTwin }) => onTwin?.sightings ?? []).map(({ canary }) => canary));
  for (const canary of ['environment', 'file', 'guest', 'host-place', 'neighbour', 'neighbour-memory', 'process', 'process-environment', 'process-memory', 'prototype', 'segment', 'shared-memory', 'socket', 'terminal']) assert.ok(canaries.has(canary), `${canary} noticed nothing`);
});

test('nothing of it is left behind', async () => {
  const own = mkdtempSync(join(tmpdir(), 'caisson-drilled-'));
  try {
    const result = await caisson(['drill', '--only', 'read-process-memory,names-with-escapes', '--report', join(own, 'report.html')], { env: { TMPDIR: own } });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, /C +read-process-memory +held .*ESRCH[^]*2 techniques: 0 out, 2 held\n$/);
    assert.doesNotMatch(result.stdout, /\x1b/);
    assert.deepEqual(readdirSync(own), ['report.html']);
    assert.match(readFileSync(join(own, 'report.html'), 'utf8'), /read-process-memory/);
    assert.deepEqual(readdirSync('/dev/shm').filter((name) => name.startsWith('caisson-drill-')), []);
  } finally {
    rmSync(own, { recursive: true });
  }
});

test('an image is drilled', async () => {
  const own = mkdtempSync(join(tmpdir(), 'caisson-drilled-'));
  try {
    mkdirSync(join(own, 'root/etc'), { recursive: true });
    spawnSync('tar', ['-C', join(own, 'root'), '-cf', join(own, 'image.tar'), '.']);
    const env = { CAISSON_HOME: join(own, 'store') };
    assert.equal((await caisson(['import', join(own, 'image.tar'), 'tiny'], { env })).status, 0);
    const { stdout, stderr, status } = await caisson(['drill', 'tiny', '--only', 'link-at-start,paths-above,neighbour-port'], { env });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /3 techniques: 0 out, 3 held\n$/);
  } finally {
    rmSync(own, { recursive: true });
  }
});

test('what ends it early leaves nothing', async () => {
  const own = mkdtempSync(join(tmpdir(), 'caisson-drilled-'));
  try {
    const child = spawnCaisson(['drill', '--format', 'json'], { env: { TMPDIR: own } });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until(() => readdirSync(own).length > 0, 'it began nothing');
    child.kill('SIGTERM');
    assert.equal(await ended, 143);
    assert.deepEqual(readdirSync(own), []);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
});

test('what ends it early ends the engine that it has started', async () => {
  const own = mkdtempSync(join(tmpdir(), 'caisson-drilled-'));
  try {
    const [engine, note] = [join(own, 'engine'), join(own, 'pid')];
    writeFileSync(engine, `#!/bin/sh\necho $$ > ${note}.new && mv ${note}.new ${note}\nexec sleep 600\n`, { mode: 0o755 });
    const child = spawnCaisson(['drill', '--runtime', `${engine} {root}`, '--only', 'signal-process'], {});
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until(() => existsSync(note), 'it did not start the engine');
    child.kill('SIGTERM');
    assert.equal(await ended, 143);
    const pid = Number(readFileSync(note, 'utf8'));
    await until(() => !existsSync(`/proc/${pid}`), `the engine (${pid}) goes on`);
  } finally {
    rmSync(own, { recursive: true });
  }
});

test('other engines are tried beside it, with what does no harm', async () => {
  for (const engine of ['bwrap', 'unshare']) {
    const techniques = techniquesOf(await caisson(['drill', '--runtime', engine, '--only', 'shared-memory,signal-process,host-identity,core-pattern', '--format', 'json']));
    const verdicts = new Map(techniques.map(({ name, underOther }) => [name, underOther?.verdict]));
    // It could do harm to a host.
    assert.equal(verdicts.get('core-pattern'), undefined);
    assert.equal(verdicts.get('signal-process'), 'held', JSON.stringify(techniques));
    // A kernel that is shared has one identity.
    assert.equal(verdicts.get('host-identity'), 'out', JSON.stringify(techniques));
  }
});

/** An engine that starts the program of a bundle and nothing else. */
const NO_ENGINE = `#!/bin/sh
while [ $# -gt 2 ]; do shift; [ "$1" = --bundle ] && bundle=$2; done
cd "$bundle" && exec "$bundle/rootfs$(sed -n 's|.*"\\(/drill/[a-z-]*\\)".*|\\1|p' config.json)"
`;

test('a bundle that was taken elsewhere tells what gets out there', async () => {
  const own = mkdtempSync(join(tmpdir(), 'caisson-bundle-'));
  try {
    const names = ['paths-above', 'mount-above', 'code-rewritten', 'arguments-change'];
    const written = await caisson(['drill', '--write-bundle', join(own, 'bundle'), '--only', [...names, 'signal-process', 'core-pattern'].join(',')]);
    assert.equal(written.stdout, `4 techniques written; run them with ${join(own, 'bundle/run.sh')} ENGINE\n`, written.stderr);
    writeFileSync(join(own, 'no-engine'), NO_ENGINE, { mode: 0o755 });
    const { stdout, status, stderr } = spawnSync(join(own, 'bundle/run.sh'), [join(own, 'no-engine')], { encoding: 'utf8' });
    assert.deepEqual(new Map(stdout.trim().split('\n').map((line) => line.split(/ +/) as [string, string])), new Map([['paths-above', 'out'], ['mount-above', 'out'], ['code-rewritten', 'held'], ['arguments-change', 'out']]), stderr);
    assert.equal(status, 1);
    const again = await caisson(['drill', '--write-bundle', join(own, 'bundle')]);
    assert.match(again.stderr, /it is not empty/);
    assert.equal(again.status, 2);
  } finally {
    rmSync(own, { recursive: true });
  }
});

test('mistakes are told in a line, with the status 2', async () => {
  for (const [args, message] of [
    [['--only', 'dirty-pip'], /cannot use --only dirty-pip: .* \(did you mean dirty-pipe\?\)/],
    [['--runtime', 'something'], /cannot use --runtime something: .*\{root\}/],
    [['--runtime', '/nowhere/runc', '--only', 'shared-memory'], /cannot use --runtime \/nowhere\/runc: there is no such program/],
    [['--runtime', '/etc/passwd {root}', '--only', 'shared-memory'], /cannot use --runtime \/etc\/passwd: .*EACCES/],
    [['no-such-image', '--only', 'shared-memory'], /cannot drill "no-such-image": /],
    [['--list', '--format', 'sarif'], /cannot use --format sarif with --list/],
  ] as const) {
    const { stderr, stdout, status } = await caisson(['drill', ...args]);
    assert.equal(status, 2, stdout + stderr);
    assert.match(stderr, message);
    assert.equal(stderr.split('\n').length, 2, stderr);
  }
});

test('--list names each with its source and its twin', async () => {
  const { stdout, status } = await caisson(['drill', '--list', '--format', 'json']);
  assert.equal(status, 0);
  const list = JSON.parse(stdout) as readonly { readonly name: string; readonly source: string; readonly twin: string; readonly needs: string; readonly path?: string }[];
  assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
  for (const entry of list) for (const text of [entry.source, entry.twin, entry.needs]) assert.notEqual(text, '', entry.name);
});

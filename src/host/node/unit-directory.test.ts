import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { afterEach, beforeEach } from 'node:test';
import { UnitDirectory } from './unit-directory.ts';

let parent = '';
let path = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'units-'));
  path = join(parent, 'units-1.x64');
});
afterEach(() => rmSync(parent, { recursive: true }));

test('each program has a file of its own, and the layout comes back', () => {
  const directory = new UnitDirectory(path);
  assert.equal(directory.layoutSeed, undefined);
  directory.open('/usr/bin/python3').replace([Buffer.from('python')], 8);
  directory.open('/opt/python3').replace([Buffer.from('another')], 8);
  directory.keepLayout(7);
  const next = new UnitDirectory(path);
  assert.equal(next.layoutSeed, 7);
  assert.equal(Buffer.from(next.open('/usr/bin/python3').read(0) ?? []).toString(), 'python');
  assert.equal(Buffer.from(next.open('/opt/python3').read(0) ?? []).toString(), 'another');
  assert.equal(next.open('/bin/sh').count, 0);
});

test('a program\'s name cannot lead out of the directory', () => {
  new UnitDirectory(path).open('/x/../../../..').replace([Buffer.from('x')], 1);
  new UnitDirectory(path).open(`/${'long'.repeat(100)}\n/..`).replace([Buffer.from('x')], 1);
  assert.deepEqual(readdirSync(parent), ['units-1.x64']);
  assert.equal(readdirSync(path).length, 2);
});

test('older builds go, and the oldest programs where there are too many bytes', () => {
  for (let build = 2; build < 7; build++) {
    mkdirSync(join(parent, `units-${build}.x64`));
    utimesSync(join(parent, `units-${build}.x64`), build, build);
  }
  writeFileSync(join(parent, 'cli-1.cache'), '');
  const directory = new UnitDirectory(path);
  for (const name of ['old', 'new']) {
    directory.open(name).replace([Buffer.from(name)], 1);
    const file = readdirSync(path).find((entry) => entry.startsWith(name)) ?? '';
    truncateSync(join(path, file), 200 << 20);
    utimesSync(join(path, file), name === 'old' ? 1 : 2, name === 'old' ? 1 : 2);
  }
  directory.keepLayout(1);
  assert.deepEqual(readdirSync(parent).sort(), ['cli-1.cache', 'units-1.x64', 'units-5.x64', 'units-6.x64']);
  assert.deepEqual(readdirSync(path).map((name) => name.split('-')[0]).sort(), ['layout', 'new']);
  assert.ok(existsSync(join(parent, 'cli-1.cache')));
});

test('one process at a time makes machine code of a program, and who is killed at it is not followed for an hour', () => {
  const directory = new UnitDirectory(path);
  assert.equal(directory.claim('x'), true);
  assert.equal(new UnitDirectory(path).claim('x'), false);
  assert.equal(directory.claim('y'), true);
  directory.release('x');
  assert.equal(directory.claim('x'), true);
  const left = join(path, readdirSync(path).find((name) => /^x-.*\.optimizing$/.test(name)) ?? '');
  const hoursAgo = Date.now() / 1000 - 2 * 3600;
  utimesSync(left, hoursAgo, hoursAgo);
  assert.equal(directory.claim('x'), true);
  assert.equal(directory.claim('x'), false);
});

test('where nothing can be written nothing happens', () => {
  writeFileSync(path, 'a file where the directory should be');
  const directory = new UnitDirectory(path);
  directory.open('x').replace([Buffer.from('x')], 1);
  directory.keepLayout(1);
  assert.equal(directory.claim('x'), false);
  assert.equal(new UnitDirectory(path).layoutSeed, undefined);
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeFiles } from '../host/node/index.ts';
import { LogReader, LogWriter } from './log.ts';
import type { LogLine } from './log.ts';

function inDirectory(body: (path: string, directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-log-'));
  try {
    body(join(directory, 'log'), directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const writer = (path: string, maxBytes = 1 << 20, maxFiles = 2): LogWriter => new LogWriter({ files: nodeFiles, path, maxBytes, maxFiles, now: () => NOW });
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const shown = (lines: Iterable<LogLine>): string[] => Array.from(lines, ({ fd, bytes: text }) => `${fd}${Buffer.from(text).toString('latin1')}`);

test('LogWriter writes the lines of Kubernetes\' CRI, whole ones at once, the rest at the end', () =>
  inDirectory((path) => {
    const log = writer(path);
    log.write(1, bytes('one\ntwo\nthr'));
    log.write(2, bytes('error \xff\0\n'));
    log.write(1, bytes('ee\nrest'));
    log.end();
    const time = '2026-01-02T03:04:05.006000000Z';
    assert.equal(readFileSync(path, 'latin1'), `${time} stdout F one\n${time} stdout F two\n${time} stderr F error \xff\0\n${time} stdout F three\n${time} stdout P rest\n`);
    assert.deepEqual(shown(new LogReader(nodeFiles, path).all()), ['1one\n', '1two\n', '2error \xff\0\n', '1three\n', '1rest']);
  }));

test('LogWriter cuts long lines, sets full files aside, and goes on where an earlier start ended', () =>
  inDirectory((path, directory) => {
    const first = writer(path, 40_000, 3);
    first.write(1, bytes(`${'x'.repeat(50_000)}\n`));
    first.end();
    const second = writer(path, 40_000, 3);
    for (let line = 0; line < 3000; line++) second.write(1, bytes(`line ${line}\n`));
    second.end();
    assert.deepEqual(readdirSync(directory).sort(), ['log', 'log.1', 'log.2']);
    for (const name of readdirSync(directory)) assert.ok(statSync(join(directory, name)).size <= 40_000, name);
    const lines = shown(new LogReader(nodeFiles, path).all());
    assert.equal(lines.at(-1), '1line 2999\n');
    assert.ok(lines.every((line, index) => line === `1line ${3000 - lines.length + index}\n`));
  }));

test('LogReader.more() answers what is new, also when the file was set aside meanwhile, and passes over what is no line', () =>
  inDirectory((path) => {
    const log = writer(path, 150, 2);
    log.write(1, bytes('a\n'));
    const reader = new LogReader(nodeFiles, path);
    assert.deepEqual(shown(reader.all()), ['1a\n']);
    log.write(1, bytes('b\n'));
    assert.deepEqual(shown(reader.more()), ['1b\n']);
    for (const text of ['c\n', 'd\n', 'e\n']) log.write(1, bytes(text));
    assert.deepEqual(shown(reader.more()), ['1c\n', '1d\n', '1e\n']);
    assert.deepEqual(shown(reader.more()), []);
    writeFileSync(path, 'spoiled\n\n2026-01-02T03:04:05.006000000Z stdout X no\n2026-01-02T03:04:05.006000000Z stderr F yes\n');
    assert.deepEqual(shown(new LogReader(nodeFiles, path).more()), ['2yes\n']);
  }));

test('LogWriter.failure is the errno of what could not be written', () => {
  const log = writer('/nowhere/log');
  log.write(1, bytes('x\n'));
  log.end();
  assert.equal(log.failure, 2);
});

/** Owners and modes that the host would not let us give: kept, shared, forgotten, and never believed further than they say. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { O_CREAT, O_RDWR } from '../abi/fcntl.ts';
import { nodeFiles } from '../host/node/index.ts';
import { OwnedFiles } from './owned-files.ts';

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
/** Each look is later than the last one by so much that others' changes are looked for. */
let clock = 0;
const monotonicNs = (): number => (clock += 1e9);

function withFiles(body: (open: () => OwnedFiles, data: string, table: string) => void): void {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'caisson-owned-'));
  const [data, table] = [path.join(directory, 'data'), path.join(directory, 'owners')];
  fs.mkdirSync(data);
  try {
    body(() => new OwnedFiles(nodeFiles, table, own, monotonicNs), data, table);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

function seen(files: OwnedFiles, name: string): string | number {
  const stat = files.lstat(name);
  return typeof stat === 'number' ? stat : `${stat.uid}:${stat.gid} ${(stat.mode & 0o7777).toString(8)}`;
}

function make(files: OwnedFiles, name: string, mode: number): void {
  const handle = files.open(name, O_CREAT | O_RDWR, mode);
  assert.ok(handle >= 0);
  files.close(handle);
}

test('OwnedFiles keeps owners and modes, and gives the host what it needs to go on', () => {
  withFiles((open, data) => {
    const files = open();
    make(files, `${data}/a`, 0);
    assert.equal(seen(files, `${data}/a`), '0:0 600');
    assert.equal(files.lchown(`${data}/a`, 7, 8), 0);
    assert.equal(files.chmod(`${data}/a`, 0o4000), 0);
    assert.equal(files.mkdir(`${data}/d`, 0), 0);
    assert.equal(files.chmod(`${data}/d`, 0o1050), 0);
    assert.equal(files.symlink('/nowhere', `${data}/l`), 0);
    assert.equal(files.lchown(`${data}/l`, 9, 9), 0);
    assert.equal(files.chmod(`${data}/l`, 0o777), 0);
    const all = ['a', 'd', 'l'].map((name) => seen(files, `${data}/${name}`));
    assert.deepEqual(all, ['7:8 4000', '0:0 1050', '9:9 777']);
    assert.deepEqual(['a', 'd'].map((name) => (fs.lstatSync(`${data}/${name}`).mode & 0o7777).toString(8)), ['600', '750']);
    assert.equal(fs.lstatSync(`${data}/a`).uid, own.uid);
    assert.deepEqual(['a', 'd', 'l'].map((name) => seen(open(), `${data}/${name}`)), all, 'another process, later');
  });
});

test('OwnedFiles of two processes see each other\'s changes, and what is gone is forgotten', () => {
  withFiles((open, data, table) => {
    const [one, other] = [open(), open()];
    make(one, `${data}/a`, 0o644);
    one.lchown(`${data}/a`, 1, 1);
    assert.equal(seen(other, `${data}/a`), '1:1 644');
    other.lchown(`${data}/a`, 2, 2);
    assert.equal(seen(one, `${data}/a`), '2:2 644');
    make(one, `${data}/b`, 0o644);
    one.lchown(`${data}/b`, 3, 3);
    assert.equal(one.rename(`${data}/b`, `${data}/a`), 0);
    assert.equal(seen(other, `${data}/a`), '3:3 644');
    one.link(`${data}/a`, `${data}/c`);
    one.unlink(`${data}/a`);
    assert.equal(seen(other, `${data}/c`), '3:3 644', 'another name of it is left');
    one.unlink(`${data}/c`);
    assert.deepEqual(fs.readFileSync(table, 'utf8').trimEnd().split('\n').map((line) => line.replace(/^\d+ /, '')), ['1 1 644', '2 2 644', '3 3 644', '-', '-']);
  });
});

test('OwnedFiles rewrites a table that has become long, and takes no line that is none', () => {
  withFiles((open, data, table) => {
    const files = open();
    make(files, `${data}/a`, 0o644);
    const { ino } = fs.lstatSync(`${data}/a`);
    fs.writeFileSync(table, `${`${ino} 5 5 600\n`.repeat(100_000)}${ino} 4 4 7777777\n-1 0 0 0\nx\n${ino} 6 6 640\n${ino} 7`);
    assert.equal(seen(files, `${data}/a`), '6:6 640', 'the last line was cut short');
    fs.appendFileSync(table, ' 7 600\n');
    assert.equal(seen(files, `${data}/a`), '7:7 600');
    files.lchown(`${data}/a`, 8, 8);
    assert.equal(fs.readFileSync(table, 'utf8'), `${ino} 8 8 600\n`);
    files.lchown(`${data}/a`, 9, 9);
    assert.equal(seen(open(), `${data}/a`), '9:9 600');
  });
});

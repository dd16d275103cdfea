/** What a hostfs never shows: what is hidden, and what a link swapped in behind its back would lead to. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { spawnSync } from 'node:child_process';
import { nodeFiles } from '../host/node/index.ts';
import { HostFs, HostInode } from './hostfs.ts';

function withDirectory(body: (directory: string) => void): void {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'caisson-hostfs-'));
  try {
    body(directory);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

function open(root: string, options: Partial<Parameters<typeof HostFs.open>[0]> = {}): HostFs {
  const made = HostFs.open({ files: nodeFiles, root, dev: 3, monotonicNs: () => performance.now() * 1e6, ...options });
  assert.ok(made instanceof HostFs);
  return made;
}

function child(inode: HostInode, name: string): HostInode {
  const found = inode.lookup(name);
  assert.ok(found instanceof HostInode, `${name}: ${String(found)}`);
  return found;
}

test('a directory swapped for a symbolic link does not lead out', () => {
  withDirectory((directory) => {
    fs.mkdirSync(`${directory}/granted/sub`, { recursive: true });
    fs.mkdirSync(`${directory}/secret`);
    fs.writeFileSync(`${directory}/secret/key`, 'secret');
    fs.writeFileSync(`${directory}/granted/sub/key`, 'mine');
    for (const writable of [false, true]) {
      const host = open(`${directory}/granted`, { writable });
      const sub = child(host.root, 'sub');
      fs.renameSync(`${directory}/granted/sub`, `${directory}/granted/kept`);
      fs.symlinkSync('../secret', `${directory}/granted/sub`);
      const found = sub.lookup('key');
      if (typeof found !== 'number') {
        const buffer = new Uint8Array(20);
        const count = found.readAt(buffer, 0);
        assert.notEqual(new TextDecoder().decode(buffer.subarray(0, Math.max(0, count))), 'secret');
      }
      if (writable) assert.notEqual(typeof sub.create('made', 0o100644, 0, 0) === 'number' ? 0 : fs.existsSync(`${directory}/secret/made`), true);
      host.handles.closeAll();
      fs.unlinkSync(`${directory}/granted/sub`);
      fs.renameSync(`${directory}/granted/kept`, `${directory}/granted/sub`);
    }
  });
});

test('a file replaced between look-up and opening is not the one that is read', () => {
  withDirectory((directory) => {
    fs.writeFileSync(`${directory}/f`, 'first');
    const host = open(directory);
    const file = child(host.root, 'f');
    fs.writeFileSync(`${directory}/g`, 'other');
    fs.renameSync(`${directory}/g`, `${directory}/f`);
    assert.ok(file.prepareOpen(0) < 0);
    host.handles.closeAll();
  });
});

test('hidden paths look absent and masked directories look empty', () => {
  withDirectory((directory) => {
    fs.mkdirSync(`${directory}/home/.ssh`, { recursive: true });
    fs.writeFileSync(`${directory}/home/.ssh/id`, 'key');
    fs.writeFileSync(`${directory}/home/.netrc`, 'token');
    fs.mkdirSync(`${directory}/proc`);
    fs.writeFileSync(`${directory}/proc/kcore`, 'x');
    const host = open(directory, { hidden: [`${directory}/home/.ssh`, `${directory}/home/.netrc`], masked: [`${directory}/proc`] });
    const home = child(host.root, 'home');
    assert.equal(home.lookup('.ssh'), -2);
    assert.equal(home.lookup('.netrc'), -2);
    assert.deepEqual(home.readDirectory(), []);
    const proc = child(host.root, 'proc');
    assert.equal(proc.lookup('kcore'), -2);
    assert.deepEqual(proc.readDirectory(), []);
    host.handles.closeAll();
  });
});

test('a directory with something hidden below keeps its name', () => {
  withDirectory((directory) => {
    fs.mkdirSync(`${directory}/home/user/.ssh`, { recursive: true });
    const host = open(directory, { writable: true, hidden: [`${directory}/home/user/.ssh`] });
    assert.equal(host.root.rename('home', host.root, 'other', 0), -13);
    assert.equal(child(host.root, 'home').rename('user', host.root, 'other', 0), -13);
    host.handles.closeAll();
  });
});

test('FIFOs and sockets of the host stay closed', { skip: process.platform !== 'linux' }, () => {
  withDirectory((directory) => {
    spawnSync('mkfifo', [`${directory}/fifo`]);
    const host = open(directory);
    assert.equal(child(host.root, 'fifo').open(), -6);
    host.handles.closeAll();
  });
});

test('names that are not UTF-8 survive', () => {
  withDirectory((directory) => {
    fs.writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xe9])]), 'x');
    const host = open(directory);
    const entries = host.root.readDirectory();
    assert.ok(Array.isArray(entries));
    assert.equal(entries[0].name, '\xff\xe9');
    assert.equal(child(host.root, '\xff\xe9').size, 1);
    host.handles.closeAll();
  });
});

test('handles are bounded and come back', () => {
  withDirectory((directory) => {
    for (let index = 0; index < 400; index++) fs.writeFileSync(`${directory}/${index}`, String(index));
    const host = open(directory);
    const files = Array.from({ length: 400 }, (_, index) => child(host.root, String(index)));
    const buffer = new Uint8Array(8);
    for (let round = 0; round < 2; round++) {
      for (const [index, file] of files.entries()) {
        const count = file.readAt(buffer, 0);
        assert.equal(new TextDecoder().decode(buffer.subarray(0, count)), String(index));
      }
    }
    assert.ok(files.filter((file) => file.handle >= 0).length <= 240);
    host.handles.closeAll();
  });
});

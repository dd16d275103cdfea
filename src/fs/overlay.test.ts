/** What an overlay keeps from the host, and what it says that changed. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { nodeFiles } from '../host/node/index.ts';
import { changes } from './changes.ts';
import { HostFs } from './hostfs.ts';
import { OverlayFs, OverlayInode } from './overlay.ts';
import { TmpFs } from './tmpfs.ts';
import type { Inode } from './types.ts';

const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function withOverlay(prepare: (directory: string) => void, body: (overlay: OverlayFs, directory: string) => void): void {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'caisson-overlay-'));
  try {
    prepare(directory);
    const lower = HostFs.open({ files: nodeFiles, root: directory, dev: 3, monotonicNs: () => performance.now() * 1e6 });
    assert.ok(lower instanceof HostFs);
    body(new OverlayFs({ dev: 4, lower, upper: new TmpFs({ dev: 5, now, firstInode: 2 ** 48 }) }), directory);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

function at(overlay: OverlayFs, ...names: string[]): OverlayInode {
  let inode: Inode | number = overlay.root;
  for (const name of names) {
    assert.ok(typeof inode !== 'number');
    inode = inode.lookup(name);
  }
  assert.ok(inode instanceof OverlayInode, `${names.join('/')}: ${String(inode)}`);
  return inode;
}

function content(inode: Inode): string {
  const buffer = new Uint8Array(inode.size);
  assert.equal(inode.readAt(buffer, 0), buffer.length);
  return new TextDecoder().decode(buffer);
}

function lines(overlay: OverlayFs): string[] {
  return [...changes(overlay)].map((change) => `${change.kind} ${change.path}`);
}

test('changes() lists what was added, changed and deleted', () => {
  const prepare = (directory: string): void => {
    fs.mkdirSync(`${directory}/etc/sub`, { recursive: true });
    for (const name of ['a', 'b', 'c', 'sub/x']) fs.writeFileSync(`${directory}/etc/${name}`, name);
  };
  withOverlay(prepare, (overlay, directory) => {
    const etc = at(overlay, 'etc');
    assert.deepEqual(lines(overlay), []);
    assert.equal(at(overlay, 'etc', 'a').writeAt(text('A!'), 0), 2);
    assert.equal(etc.unlink('b'), 0);
    assert.ok(etc.create('new', 0o100644, 0, 0, 0) instanceof OverlayInode);
    assert.equal(at(overlay, 'etc', 'c').setAttributes({ mode: 0o600 }), 0);
    assert.deepEqual(lines(overlay), ['C /etc', 'C /etc/a', 'D /etc/b', 'C /etc/c', 'A /etc/new']);
    assert.deepEqual([...changes(overlay)].filter((change) => change.metadataOnly === true).map((change) => change.path), ['/etc', '/etc/c']);
    assert.equal(fs.readFileSync(`${directory}/etc/a`, 'utf8'), 'a');
    assert.ok(fs.existsSync(`${directory}/etc/b`));
  });
});

test('a renamed directory of the lower layer keeps its contents without a copy', () => {
  const prepare = (directory: string): void => {
    fs.mkdirSync(`${directory}/old/sub`, { recursive: true });
    fs.writeFileSync(`${directory}/old/sub/file`, 'contents');
  };
  withOverlay(prepare, (overlay) => {
    assert.equal(overlay.root.rename('old', overlay.root, 'new', 0), 0);
    assert.equal(content(at(overlay, 'new', 'sub', 'file')), 'contents');
    assert.equal(overlay.root.lookup('old'), -2);
    assert.deepEqual(lines(overlay), ['A /new', 'A /new/sub', 'A /new/sub/file', 'D /old']);
    assert.equal(overlay.upper.usedBytes < 4096, true);
  });
});

test('a large file is copied by the chunk', () => {
  withOverlay((directory) => fs.writeFileSync(`${directory}/big`, Buffer.alloc(1_000_000, 'x')), (overlay) => {
    const file = at(overlay, 'big');
    assert.equal(file.writeAt(text('end'), 999_990), 3);
    assert.equal(overlay.upper.usedBytes < 70_000, true);
    const all = content(file);
    assert.equal(all.length, 1_000_000);
    assert.equal(all.slice(999_985, 999_996), 'xxxxxendxxx');
    assert.equal(file.setAttributes({ size: 5 }), 0);
    assert.equal(content(file), 'xxxxx');
    assert.equal(file.setAttributes({ size: 8 }), 0);
    assert.equal(content(file), 'xxxxx\0\0\0');
  });
});

test('inode numbers survive copying up, and a directory made over a whiteout is empty', () => {
  const prepare = (directory: string): void => {
    fs.mkdirSync(`${directory}/d`);
    fs.writeFileSync(`${directory}/d/x`, '1');
  };
  withOverlay(prepare, (overlay) => {
    const file = at(overlay, 'd', 'x');
    const { ino } = file.stat();
    file.writeAt(text('2'), 0);
    assert.equal(file.stat().ino, ino);
    assert.equal(at(overlay, 'd').unlink('x'), 0);
    assert.equal(overlay.root.rmdir('d'), 0);
    assert.ok(overlay.root.create('d', 0o040755, 0, 0, 0) instanceof OverlayInode);
    assert.deepEqual(at(overlay, 'd').readDirectory(), []);
    assert.deepEqual(lines(overlay), ['D /d', 'A /d']);
  });
});

test('the upper layer is bounded', () => {
  const lower = new TmpFs({ dev: 1, now });
  const overlay = new OverlayFs({ dev: 4, lower, upper: new TmpFs({ dev: 5, now, maxBytes: 300_000, firstInode: 2 ** 48 }) });
  const file = overlay.root.create('f', 0o100644, 0, 0, 0);
  assert.ok(file instanceof OverlayInode);
  const written = file.writeAt(new Uint8Array(1_000_000), 0);
  assert.ok(written > 0 && written <= 300_000);
  assert.equal(file.writeAt(new Uint8Array(100_000), written), -28);
  assert.equal(overlay.root.unlink('f'), 0);
  assert.ok(overlay.upper.usedBytes < 2000);
});

/** For tests: a store in a directory of its own, and tars made of a few words. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLayer } from '../../src/fs/layer-files.ts';
import { LayerFs, LayerInode } from '../../src/fs/layerfs.ts';
import { createImageHost } from '../../src/host/node/image-host.ts';
import { nodeFiles } from '../../src/host/node/index.ts';
import type { ImageHost } from '../../src/host/types.ts';
import type { DiffId } from '../../src/image/digest.ts';
import { ImageStore } from '../../src/image/store.ts';
import { stringToBytes } from '../../src/image/tar-format.ts';
import { tarEnd, tarHeader, tarPadding } from '../../src/image/tar-writer.ts';
import type { NewEntry } from '../../src/image/tar-writer.ts';

/** `host`: what is different from Node.js. */
export async function withTemporaryStore(body: (store: ImageStore, directory: string) => Promise<void> | void, host: Partial<ImageHost> = {}): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-images-'));
  try {
    await body(ImageStore.open(Object.defineProperties(createImageHost(), Object.getOwnPropertyDescriptors(host)), directory), directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export interface TestEntry extends Partial<NewEntry> {
  readonly path: string;
  readonly text?: string;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** An entry is a file unless it says otherwise: a path with a slash at its end is a directory. */
export function tarOf(entries: readonly (TestEntry | Uint8Array)[]): Uint8Array {
  return concatenate([...entries.flatMap((entry) => {
    if (entry instanceof Uint8Array) return [entry];
    const { text = '', ...given } = entry;
    const type = given.type ?? (given.path.endsWith('/') ? 'directory' : 'file');
    const header = tarHeader({ mode: type === 'directory' ? 0o755 : 0o644, ...given, type, size: text.length });
    return type === 'file' ? [header, stringToBytes(text), tarPadding(text.length)] : [header];
  }), tarEnd()]);
}

/** In pieces of an odd length, as a network would give them. */
export async function* inPieces(bytes: Uint8Array, length = 777): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** The tree of some layers, the lowest first. */
export async function mountTars(store: ImageStore, tars: readonly Uint8Array[]): Promise<LayerFs> {
  const diffIds: DiffId[] = [];
  for (const tar of tars) diffIds.push((await store.layers.take({ source: inPieces(tar) })).diffId);
  return mountLayers(store, diffIds);
}

export function mountLayers(store: ImageStore, diffIds: readonly DiffId[]): LayerFs {
  return new LayerFs({ dev: 9, layers: diffIds.map((diffId) => {
    const layer = openLayer(nodeFiles, store.layers.pathsOf(diffId));
    if (typeof layer === 'number') throw new Error(`no layer: ${layer}`);
    return layer;
  }) });
}

const LETTERS: Readonly<Record<number, string>> = { 0x4000: 'd', 0x8000: '-', 0xa000: 'l', 0x2000: 'c', 0x6000: 'b', 0x1000: 'p' };

/** A line for each name: `- /etc/x 644 text`. */
export function listTree(fileSystem: LayerFs): readonly string[] {
  const lines: string[] = [];
  const visit = (directory: LayerInode, path: string): void => {
    const entries = directory.readDirectory();
    if (typeof entries === 'number') throw new Error(`no directory ${path}`);
    for (const { name, ino } of [...entries].sort((left, right) => (left.name < right.name ? -1 : 1))) {
      const inode = directory.lookup(name);
      if (!(inode instanceof LayerInode)) throw new Error(`${path}/${name} is listed, and looking it up gives ${inode}`);
      if (inode.ino !== ino) throw new Error(`${path}/${name} has two numbers`);
      const target = inode.readLink();
      const bytes = new Uint8Array(Math.min(inode.size, 100));
      const text = typeof target === 'string' ? ` -> ${target}` : (inode.mode & 0xf000) === 0x8000 && inode.readAt(bytes, 0) > 0 ? ` ${String.fromCharCode(...bytes)}` : '';
      lines.push(`${LETTERS[inode.mode & 0xf000] ?? '?'} ${path}/${name}${text}`);
      if (inode.path !== undefined) visit(inode, `${path}/${name}`);
    }
  };
  visit(fileSystem.root, '');
  return lines;
}

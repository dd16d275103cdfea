/** What did the command change? `--changes` lists it, `--export-changes` keeps it as an image layer, `--apply` copies it to the host. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../../abi/stat.ts';
import type { Change, Container } from '../../container/index.ts';
import { tarEnd, tarHeader, tarPadding } from '../../image/index.ts';
import type { NewEntry } from '../../image/index.ts';
import { UserError } from '../errors.ts';

const CHUNK_BYTES = 1 << 20;
const SECOND_NS = 1_000_000_000n;
/** OCI image-spec layer.md, "Whiteouts". */
const WHITEOUT_PREFIX = '.wh.';
const TYPES: ReadonlyMap<number, NewEntry['type']> = new Map([
  [S_IFREG, 'file'], [S_IFDIR, 'directory'], [S_IFLNK, 'symlink'], [S_IFIFO, 'fifo'], [S_IFCHR, 'character-device'], [S_IFBLK, 'block-device'],
]);

/** `A /path` lines, as `docker diff`. */
export function printChanges(container: Container): void {
  let text = '';
  for (const { kind, path } of container.changes()) text += `${kind} ${path}\n`;
  process.stdout.write(Buffer.from(text, 'latin1'));
}

function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(1, slash + 1), path.slice(slash + 1)];
}

type Inode = NonNullable<Change['inode']>;

function xattrsOf(inode: Inode): ReadonlyMap<string, string> {
  return new Map(inode.listXattr().flatMap((name) => {
    const value = inode.getXattr(name);
    return typeof value === 'number' ? [] : [[name, Buffer.from(value).toString('latin1')] as const];
  }));
}

/** Undefined: a socket, which has no form in a tar. */
function entryOf(path: string, inode: Inode): NewEntry | undefined {
  const type = TYPES.get(inode.mode & S_IFMT);
  if (type === undefined) return undefined;
  const { mode, uid, gid, size, rdev, mtimeNs } = inode.stat();
  const seconds = mtimeNs >= 0n ? mtimeNs / SECOND_NS : -((SECOND_NS - 1n - mtimeNs) / SECOND_NS);
  const target = type === 'symlink' ? inode.readLink() : undefined;
  return {
    path: `${path.slice(1)}${type === 'directory' ? '/' : ''}`, type, mode: mode & 0o7777, uid, gid, size: type === 'file' ? size : 0,
    mtimeSeconds: Number(seconds), mtimeNanoseconds: Number(mtimeNs - seconds * SECOND_NS), xattrs: xattrsOf(inode),
    ...(typeof target === 'string' ? { linkTarget: target } : {}),
    ...(type.endsWith('device') ? { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) } : {}),
  };
}

/** The bytes of a file, in pieces. */
export function* contents(inode: Inode): Iterable<Uint8Array> {
  for (let position = 0; position < inode.size; ) {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, inode.size - position));
    const count = inode.readAt(buffer, position);
    if (count <= 0) return;
    yield buffer.subarray(0, count);
    position += count;
  }
}

function* fileEntry(entry: NewEntry, size: number, inode: Inode): Iterable<Uint8Array> {
  yield tarHeader(entry);
  let written = 0;
  for (const chunk of contents(inode)) {
    written += chunk.length;
    yield chunk;
  }
  // What could not be read keeps its length, so that the archive stays readable.
  for (; written < size; written += CHUNK_BYTES) yield new Uint8Array(Math.min(CHUNK_BYTES, size - written));
  yield tarPadding(size);
}

/** The bytes of the layer. */
function* layerOf(container: Container): Iterable<Uint8Array> {
  const linked = new Map<number, string>();
  for (const { kind, path, inode } of container.changes()) {
    if (kind === 'D' || inode === undefined) {
      const [directory, name] = splitPath(path);
      yield tarHeader({ path: `${directory}${WHITEOUT_PREFIX}${name}`, type: 'file', mode: 0o644 });
      continue;
    }
    const entry = entryOf(path, inode);
    if (entry === undefined) continue;
    const first = entry.type === 'file' ? linked.get(inode.ino) : undefined;
    if (first !== undefined) yield tarHeader({ ...entry, type: 'link', linkTarget: first, size: 0 });
    else if (entry.type !== 'file') yield tarHeader(entry);
    else {
      yield* fileEntry(entry, entry.size ?? 0, inode);
      linked.set(inode.ino, entry.path);
    }
  }
  yield tarEnd();
}

function writeAll(handle: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at);
}

function writeArchive(container: Container, file: string): void {
  const handle = openSync(file, 'wx', 0o644);
  try {
    for (const chunk of layerOf(container)) writeAll(handle, chunk);
  } finally {
    closeSync(handle);
  }
}

/** Writes beside the file and renames, so that a failed run leaves nothing half done. */
export function exportChanges(container: Container, file: string): void {
  const temporary = `${file}.${process.pid}.new`;
  try {
    writeArchive(container, temporary);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UserError(`cannot write the changes to "${file}": ${(error as Error).message}`, 'check the directory and the free space', undefined, { cause: error });
  }
}

/** What did the command change? `--changes` lists it, `--export-changes` keeps it as an image layer, `--apply` copies it to the host. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { Change, Container } from '../container/index.ts';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';
import { toText } from './bytes.ts';
import { UserError } from './errors.ts';

type TarHeader = Partial<Exclude<Parameters<Pack['entry']>[0], string>> & { readonly name: string };

const CHUNK_BYTES = 1 << 20;
/** OCI image-spec layer.md, "Whiteouts". */
const WHITEOUT_PREFIX = '.wh.';
const TYPES: ReadonlyMap<number, NonNullable<TarHeader['type']>> = new Map([
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

function entryHeader(path: string, inode: Inode): TarHeader | undefined {
  const type = TYPES.get(inode.mode & S_IFMT);
  if (type === undefined) return undefined; // sockets have no form in a tar file
  const stat = inode.stat();
  const name = toText(path.slice(1)) + (type === 'directory' ? '/' : '');
  const target = type === 'symlink' ? inode.readLink() : undefined;
  return {
    name,
    type,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: type === 'file' ? stat.size : 0,
    mtime: new Date(Number(stat.mtimeNs / 1_000_000n)),
    ...(typeof target === 'string' ? { linkname: toText(target) } : {}),
    ...(type.endsWith('device') ? { devmajor: (stat.rdev >>> 8) & 0xfff, devminor: (stat.rdev & 0xff) | ((stat.rdev >>> 12) & 0xfff00) } : {}),
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

/** Resolves when the entry is in the archive. */
function addEntry(archive: Pack, header: TarHeader, inode?: Inode): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = archive.entry(header, (error) => (error === undefined || error === null ? resolve() : reject(error)));
    if (header.type !== 'file') return;
    void writeContents(entry, header.size ?? 0, inode).catch(reject);
  });
}

async function writeContents(entry: ReturnType<Pack['entry']>, size: number, inode: Inode | undefined): Promise<void> {
  let written = 0;
  const write = async (chunk: Uint8Array): Promise<void> => {
    written += chunk.length;
    if (!entry.write(chunk)) await new Promise<void>((resolve) => entry.once('drain', () => resolve()));
  };
  if (inode !== undefined) for (const chunk of contents(inode)) await write(chunk);
  // What could not be read keeps its length, so that the archive stays readable.
  while (written < size) await write(new Uint8Array(Math.min(CHUNK_BYTES, size - written)));
  entry.end(undefined);
}

async function addChanges(archive: Pack, container: Container): Promise<void> {
  const linked = new Map<number, string>();
  for (const { kind, path, inode } of container.changes()) {
    if (kind === 'D' || inode === undefined) {
      const [directory, name] = splitPath(path);
      await addEntry(archive, { name: toText(`${directory}${WHITEOUT_PREFIX}${name}`), type: 'file', mode: 0o644, size: 0, mtime: new Date(0) });
      continue;
    }
    const header = entryHeader(path, inode);
    if (header === undefined) continue;
    const first = header.type === 'file' ? linked.get(inode.ino) : undefined;
    await addEntry(archive, first === undefined ? header : { ...header, type: 'link', linkname: first, size: 0 }, inode);
    if (header.type === 'file' && first === undefined) linked.set(inode.ino, header.name);
  }
  archive.finalize();
}

async function writeArchive(archive: Pack, file: string): Promise<void> {
  const handle = openSync(file, 'wx', 0o644);
  try {
    for await (const chunk of archive as unknown as AsyncIterable<Uint8Array>) writeSync(handle, chunk);
  } finally {
    closeSync(handle);
  }
}

/** Writes beside the file and renames, so that a failed run leaves nothing half done. */
export async function exportChanges(container: Container, file: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  const archive = pack();
  try {
    await Promise.all([writeArchive(archive, temporary), addChanges(archive, container)]);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UserError(`cannot write the changes to "${file}": ${(error as Error).message}`, 'check the directory and the free space', undefined, { cause: error });
  }
}

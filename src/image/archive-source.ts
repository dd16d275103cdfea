/** Where images come from that are files: a directory, or a tar whose entries are read where they lie. */
import { cleanParts } from './layer-tree.ts';
import type { Disk, NewFile } from './disk.ts';
import { ImageFormatError, ImageLimitError } from './errors.ts';
import { MOST_ARCHIVE_ENTRIES, MOST_DOCUMENT_BYTES } from './limits.ts';
import { compressionOf } from './media-types.ts';
import { scanTarFile } from './tar-reader.ts';
import type { TarEntry } from './tar-format.ts';
import { unzstd } from './zstd.ts';

export interface ArchiveSource {
  /** Whole; undefined where it is not there. */
  document(name: string): Uint8Array | undefined;
  /** Undefined where it is not there. */
  stream(name: string): AsyncIterable<Uint8Array> | undefined;
  close(): void;
}

/** A directory of the host, such as `skopeo copy ... oci:DIR` makes. */
export class DirectorySource implements ArchiveSource {
  readonly #disk: Disk;
  readonly #root: string;

  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  #path(name: string): string {
    return `${this.#root}/${(cleanParts(name) ?? []).join('/')}`;
  }
  document(name: string): Uint8Array | undefined {
    return this.#disk.readFile(this.#path(name), MOST_DOCUMENT_BYTES);
  }
  stream(name: string): AsyncIterable<Uint8Array> | undefined {
    const path = this.#path(name);
    return this.#disk.exists(path) ? this.#disk.stream(path) : undefined;
  }
  close(): void {}
}

const MOST_LINKS = 10;

/** A tar file. Links in it are followed, because old versions of `docker save` store equal layers as links. */
export class TarSource implements ArchiveSource {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #entries = new Map<string, TarEntry>();
  readonly #temporary: NewFile | undefined;

  constructor(disk: Disk, path: string, temporary?: NewFile) {
    this.#disk = disk;
    this.#path = path;
    this.#temporary = temporary;
    const handle = disk.open(path);
    if (handle === undefined) throw new ImageFormatError(`cannot read "${path}": no such file`, 'check the path');
    try {
      scanTarFile((buffer, position) => disk.files.read(handle, buffer, position), disk.sizeOf(path) ?? 0, (entry) => this.#add(entry));
    } finally {
      disk.files.close(handle);
    }
  }

  #add(entry: TarEntry): void {
    const name = cleanParts(entry.path)?.join('/');
    if (name !== undefined) this.#entries.set(name, entry);
    if (this.#entries.size > MOST_ARCHIVE_ENTRIES) throw new ImageLimitError(`the archive has more than ${MOST_ARCHIVE_ENTRIES} entries`, 'is it a root directory? "caisson import" takes those');
  }

  /** Names of the first entries, for messages. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  #find(name: string, links = 0): TarEntry | undefined {
    const entry = this.#entries.get(cleanParts(name)?.join('/') ?? '');
    if (entry === undefined || links > MOST_LINKS) return undefined;
    if (entry.type === 'link') return this.#find(entry.linkTarget, links + 1);
    if (entry.type !== 'symlink') return entry.type === 'file' && entry.sparse === undefined ? entry : undefined;
    return this.#find(`${entry.path.replace(/[^/]*$/, '')}/${entry.linkTarget}`, links + 1);
  }

  document(name: string): Uint8Array | undefined {
    const entry = this.#find(name);
    if (entry === undefined) return undefined;
    if (entry.size > MOST_DOCUMENT_BYTES) throw new ImageLimitError(`"${name}" in the archive is longer than ${MOST_DOCUMENT_BYTES} bytes`);
    const handle = this.#disk.open(this.#path);
    if (handle === undefined) return undefined;
    const bytes = new Uint8Array(entry.size);
    try {
      for (let at = 0; at < bytes.length;) {
        const count = this.#disk.files.read(handle, bytes.subarray(at), entry.dataOffset + at);
        if (count <= 0) throw new ImageFormatError('the archive is cut short', 'get it again');
        at += count;
      }
    } finally {
      this.#disk.files.close(handle);
    }
    return bytes;
  }

  stream(name: string): AsyncIterable<Uint8Array> | undefined {
    const entry = this.#find(name);
    return entry === undefined ? undefined : this.#disk.stream(this.#path, entry.dataOffset, entry.size);
  }

  close(): void {
    this.#temporary?.discard();
  }
}

/** Copies a stream to the store's `tmp`, uncompressed, so that it can be read in any order. */
async function spool(disk: Disk, source: AsyncIterable<Uint8Array>): Promise<NewFile> {
  const file = disk.newFile();
  try {
    const iterator = source[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done === true) throw new ImageFormatError('the archive is empty', 'was the command before the pipe successful?');
    const all = (async function* (): AsyncIterable<Uint8Array> {
      yield first.value;
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) yield step.value;
    })();
    const compression = compressionOf(first.value);
    const plain = compression === 'gzip' ? disk.host.codecs.gunzip(all) : compression === 'zstd' ? unzstd(all) : all;
    for await (const chunk of plain) file.write(chunk);
    return file;
  } catch (error) {
    file.discard();
    if (typeof (error as { code?: unknown }).code !== 'string') throw error;
    throw new ImageFormatError(`the archive is spoiled or cut short: ${(error as Error).message}`, 'get it again', { cause: error });
  }
}

/** An archive from a stream (standard input). */
export async function openArchiveStream(disk: Disk, source: AsyncIterable<Uint8Array>): Promise<TarSource> {
  const file = await spool(disk, source);
  try {
    return new TarSource(disk, file.path, file);
  } catch (error) {
    file.discard();
    throw error;
  }
}

/** An archive from a path: a directory, a tar, or a compressed tar. */
export async function openArchive(disk: Disk, path: string): Promise<ArchiveSource> {
  const stat = disk.files.lstat(path);
  if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o040000) return new DirectorySource(disk, path);
  const handle = disk.open(path);
  if (handle === undefined) throw new ImageFormatError(`there is no "${path}"`, 'check the path');
  const first = new Uint8Array(4);
  const count = disk.files.read(handle, first, 0);
  disk.files.close(handle);
  if (count > 0 && compressionOf(first) === 'none') return new TarSource(disk, path);
  return openArchiveStream(disk, disk.stream(path));
}

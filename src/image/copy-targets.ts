/** Where `copyImage` brings images: registries, OCI layouts (directories and archives), skopeo's `dir:`. */
import { dockerManifestOf } from './save.ts';
import { parseConfig } from './config.ts';
import type { CopyTarget, ManifestBytes } from './copy.ts';
import { algorithmOf, hexOf } from './digest.ts';
import type { Digest } from './digest.ts';
import type { Disk} from './disk.ts';
import { NewFile } from './disk.ts';
import { ImageError } from './errors.ts';
import { MOST_DOCUMENT_BYTES } from './limits.ts';
import { parseManifest } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { OCI_INDEX } from './media-types.ts';
import { formatReference, parseReference } from './reference.ts';
import type { Reference } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';
import { BLOCK_BYTES } from './tar-format.ts';
import { tarEnd, tarFile, tarHeader } from './tar-writer.ts';

type TypedManifest = ManifestBytes & { readonly mediaType: string };

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';
const REF_NAME = 'org.opencontainers.image.ref.name';
const CONTAINERD_NAME = 'io.containerd.image.name';
/** Blobs that a registry or a directory takes at once. */
const AT_ONCE = 3;

export class RegistryTarget implements CopyTarget {
  readonly atOnce = AT_ONCE;
  readonly #client: RegistryClient;
  readonly #tag: string | undefined;
  /** Another repository of the same registry, which the image comes from. */
  readonly #from: string | undefined;

  constructor(client: RegistryClient, { tag }: Reference, from: string | undefined) {
    this.#client = client;
    this.#tag = tag;
    this.#from = from;
  }

  has(digest: Digest): Promise<boolean> {
    return this.#client.hasBlob(digest);
  }
  putBlob(digest: Digest, size: number, body: () => AsyncIterable<Uint8Array>): Promise<'sent' | 'mounted'> {
    return this.#client.putBlob(digest, size, (start = 0, end = size) => partOf(body(), start, end), this.#from);
  }
  async putManifest({ bytes, mediaType, digest }: TypedManifest, isTop: boolean): Promise<void> {
    await this.#client.putManifest(isTop ? this.#tag ?? digest : digest, bytes, mediaType);
  }
  finish(): void {}
  discard(): void {}
}

/** The bytes from one position to another. What is before has to be read again, since only the whole can be checked. */
async function* partOf(source: AsyncIterable<Uint8Array>, start: number, end: number): AsyncIterable<Uint8Array> {
  let at = 0;
  for await (const chunk of source) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    at += chunk.length;
    if (piece.length > 0) yield piece;
  }
}

function writeSmall(disk: Disk, path: string, text: string): void {
  disk.writeFile(path, new TextEncoder().encode(text));
}

/** Files in a directory, whole or not there. */
abstract class FilesTarget implements CopyTarget {
  readonly atOnce = AT_ONCE;
  protected readonly disk: Disk;

  /** `disk`: in the directory, with a directory of its own for what is not whole yet. */
  constructor(disk: Disk) {
    this.disk = disk;
    disk.makeDirectory(disk.temporaryDirectory);
  }

  protected abstract pathOf(digest: Digest): string;
  abstract putManifest(manifest: TypedManifest, isTop: boolean): Promise<void>;

  async has(digest: Digest): Promise<boolean> {
    const path = this.pathOf(digest);
    // What is in a directory of the user's is believed only when it was read.
    return this.disk.exists(path) && this.disk.digestOfFile(path, algorithmOf(digest)) === hexOf(digest);
  }

  async putBlob(digest: Digest, _size: number, body: () => AsyncIterable<Uint8Array>): Promise<'sent'> {
    const file = this.disk.newFile();
    try {
      for await (const chunk of body()) file.write(chunk);
      file.commit(this.pathOf(digest));
    } catch (error) {
      file.discard();
      throw error;
    }
    return 'sent';
  }

  finish(): void {
    this.discard();
  }
  discard(): void {
    for (const name of this.disk.list(this.disk.temporaryDirectory)) this.disk.remove(`${this.disk.temporaryDirectory}/${name}`);
    this.disk.files.rmdir(this.disk.temporaryDirectory);
  }
}

/** An OCI layout in a directory; images that are in it stay. */
export class LayoutTarget extends FilesTarget {
  readonly #name: string | undefined;

  constructor(disk: Disk, name: string | undefined) {
    super(disk);
    this.#name = name;
    disk.makeDirectory(disk.path('blobs', 'sha256'));
    writeSmall(disk, disk.path('oci-layout'), LAYOUT);
  }

  protected pathOf(digest: Digest): string {
    const directory = this.disk.path('blobs', algorithmOf(digest));
    this.disk.makeDirectory(directory);
    return `${directory}/${hexOf(digest)}`;
  }

  async putManifest({ bytes, mediaType, digest }: TypedManifest, isTop: boolean): Promise<void> {
    this.disk.writeFile(this.pathOf(digest), bytes);
    if (!isTop) return;
    const path = this.disk.path('index.json');
    const before = this.disk.readFile(path, MOST_DOCUMENT_BYTES);
    const index = before === undefined ? undefined : parseManifest(before, undefined, 'index.json');
    if (index?.kind === 'manifest') throw new ImageError('index.json there is no index', 'is it an OCI layout?');
    const others = (index?.manifests ?? []).filter((other) => (this.#name === undefined ? other.digest !== digest || other.annotations?.[REF_NAME] !== undefined : other.annotations?.[REF_NAME] !== this.#name));
    const own: Descriptor = { mediaType, digest, size: bytes.length, ...(this.#name === undefined ? {} : { annotations: { [REF_NAME]: this.#name } }) };
    writeSmall(this.disk, path, JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...others, own] }));
  }
}

/** skopeo's `dir:`. */
export class PlainDirectoryTarget extends FilesTarget {
  constructor(disk: Disk) {
    super(disk);
    writeSmall(disk, disk.path('version'), 'Directory Transport Version: 1.1\n');
  }
  protected pathOf(digest: Digest): string {
    return this.disk.path(hexOf(digest));
  }
  async putManifest({ bytes, digest }: TypedManifest, isTop: boolean): Promise<void> {
    this.disk.writeFile(this.disk.path(isTop ? 'manifest.json' : `${hexOf(digest)}.manifest.json`), bytes);
  }
}

/** One tar, as `caisson save` writes it: an OCI layout, with a manifest.json for Docker. */
export class ArchiveTarget implements CopyTarget {
  readonly atOnce = 1;
  readonly #file: NewFile;
  readonly #path: string;
  readonly #name: string | undefined;
  readonly #disk: Disk;
  /** Where the bytes of blobs begin in the file, and where they end. */
  readonly #written = new Map<Digest, readonly [start: number, end: number]>();

  /** `path`: a byte-string path. What is not whole yet stands beside it. */
  constructor(disk: Disk, path: string, name: string | undefined) {
    this.#disk = disk;
    this.#path = path;
    this.#name = name;
    this.#file = new NewFile(disk.files, `${path}.${disk.randomName()}.new`);
    for (const directory of ['blobs/', 'blobs/sha256/']) this.#file.write(tarHeader({ path: directory, type: 'directory', mode: 0o755 }));
  }

  async has(digest: Digest): Promise<boolean> {
    return this.#written.has(digest);
  }

  async putBlob(digest: Digest, size: number, body: () => AsyncIterable<Uint8Array>): Promise<'sent'> {
    const start = this.#file.size + BLOCK_BYTES;
    for await (const chunk of tarFile({ path: `blobs/${algorithmOf(digest)}/${hexOf(digest)}`, type: 'file', mode: 0o644 }, size, body())) this.#file.write(chunk);
    this.#written.set(digest, [start, start + size]);
    return 'sent';
  }

  async putManifest(manifest: TypedManifest, isTop: boolean): Promise<void> {
    const { bytes, mediaType, digest } = manifest;
    const once = async function* (): AsyncIterable<Uint8Array> {
      yield bytes;
    };
    if (!this.#written.has(digest)) await this.putBlob(digest, bytes.length, once);
    if (!isTop) return;
    const reference = this.#name === undefined ? undefined : parseReference(this.#name);
    const complete = reference === undefined ? undefined : formatReference(reference);
    const own = { mediaType, digest, size: bytes.length, ...(complete === undefined ? {} : { annotations: { [CONTAINERD_NAME]: complete, [REF_NAME]: this.#name } }) };
    await this.#document('index.json', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [own] });
    const document = parseManifest(bytes, mediaType, 'the manifest');
    if (document.kind === 'manifest' && isImage(this.#read(document.config.digest))) await this.#document('manifest.json', dockerManifestOf([{ manifest: document, tags: reference === undefined ? [] : [reference] }]));
    await this.#document('oci-layout', { imageLayoutVersion: '1.0.0' });
    this.#file.write(tarEnd());
  }

  /** A document that is in the file. */
  #read(digest: Digest): Uint8Array {
    const [start, end] = this.#written.get(digest) ?? [0, 0];
    return this.#disk.readPart(this.#file.path, start, Math.min(end - start, MOST_DOCUMENT_BYTES));
  }

  async #document(path: string, value: unknown): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    for await (const chunk of tarFile({ path, type: 'file', mode: 0o644 }, bytes.length, (async function* () { yield bytes; })())) this.#file.write(chunk);
  }

  finish(): void {
    this.#file.commit(this.#path);
  }
  discard(): void {
    this.#file.discard();
  }
}

/** A chart or the like is no image for Docker. */
function isImage(config: Uint8Array): boolean {
  try {
    return parseConfig(config, 'the configuration').diffIds.length > 0;
  } catch (error) {
    if (error instanceof ImageError) return false;
    throw error;
  }
}

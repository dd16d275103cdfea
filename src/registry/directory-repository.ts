/** One repository on the disk: which blobs, manifests and tags it has, and what refers to what. */
import { O_CREAT, O_WRONLY } from '../abi/fcntl.ts';
import { algorithmOf, checkErrno, isDigest } from '../image/index.ts';
import type { Descriptor, Digest, NewFile } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';
import { decodeRecord, encodeRecord } from './documents.ts';
import type { ManifestDocument, ManifestRecord, TagRecord } from './documents.ts';
import { MOST_MANIFEST_BYTES, MOST_REFERRERS, MOST_TAGS } from './limits.ts';
import { compareNames, digestOfFileName, fileNameOf, isTag } from './names.ts';
import type { DirectoryStorage } from './directory-storage.ts';
import type { FoundBlob, Pushed, Referrer, Repository } from './storage.ts';

/** A link whose blob was asked for is made young again if it is older than this. */
const RENEW_AFTER_MS = 60_000;

export class DirectoryRepository implements Repository {
  readonly name: string;
  readonly #storage: DirectoryStorage;

  constructor(storage: DirectoryStorage, name: string) {
    this.#storage = storage;
    this.name = name;
  }

  path(...parts: readonly string[]): string {
    return this.#storage.disk.path('repositories', this.name, ...parts);
  }

  exists(): boolean {
    const { disk } = this.#storage;
    return disk.exists(this.path('_manifests')) || disk.exists(this.path('_blobs'));
  }

  // ---- blobs ----

  /** Bytes of a blob that is here and that the repository has a link to. */
  blobSize(digest: Digest): number | undefined {
    return this.#storage.disk.exists(this.linkPath(digest)) ? this.#storage.blobs.sizeOf(digest) : undefined;
  }

  findBlob(digest: Digest): FoundBlob | undefined {
    const size = this.blobSize(digest);
    if (size === undefined) return undefined;
    const { disk, blobs } = this.#storage;
    return {
      size,
      open: () => {
        const handle = disk.open(blobs.pathOf(digest));
        return handle === undefined ? undefined : { handle };
      },
    };
  }

  blobBytes(digest: Digest, most: number): Uint8Array<ArrayBuffer> | undefined {
    return this.hasLink(digest) ? this.#storage.disk.readFile(this.#storage.blobs.pathOf(digest), most) : undefined;
  }

  /** Somebody counts on the blob: it is not collected for a while. */
  renew(digest: Digest): void {
    const { disk } = this.#storage;
    const stat = disk.files.lstat(this.linkPath(digest));
    const nowNs = BigInt(disk.host.now()) * 1_000_000n;
    if (typeof stat !== 'number' && nowNs - stat.mtimeNs > BigInt(RENEW_AFTER_MS) * 1_000_000n) disk.files.utimes(this.linkPath(digest), nowNs, nowNs);
  }

  linkPath(digest: Digest): string {
    return this.path('_blobs', fileNameOf(digest));
  }

  /** The blob is in its place already. True: the repository did not have it before. */
  link(digest: Digest): boolean {
    const { disk } = this.#storage;
    const path = this.linkPath(digest);
    if (disk.exists(path)) {
      this.renew(digest);
      return false;
    }
    this.#makeDirectory('_blobs');
    disk.files.close(checkErrno(disk.files.open(path, O_WRONLY | O_CREAT, 0o600), 'create', path));
    return true;
  }

  mount(digest: Digest): boolean {
    return this.link(digest);
  }

  /** False: there was none. */
  unlink(digest: Digest): boolean {
    if (!this.#storage.disk.exists(this.linkPath(digest))) return false;
    this.#storage.disk.remove(this.linkPath(digest));
    return true;
  }

  /** Digests of all blobs that the repository has a link to. */
  links(): readonly Digest[] {
    return this.#digestsIn('_blobs');
  }

  hasLink(digest: Digest): boolean {
    return this.#storage.disk.exists(this.linkPath(digest));
  }

  countBytes(): number {
    let bytes = 0;
    for (const digest of this.links()) bytes += this.#storage.blobs.sizeOf(digest) ?? 0;
    for (const digest of this.manifests()) bytes += this.manifest(digest)?.size ?? 0;
    return bytes;
  }

  #digestsIn(directory: string): readonly Digest[] {
    return this.#storage.disk.list(this.path(directory)).flatMap((name) => digestOfFileName(name) ?? []);
  }

  /** True: there was none. */
  #makeDirectory(name: string): boolean {
    const { disk } = this.#storage;
    if (disk.exists(this.path(name))) return false;
    const isNew = !this.exists();
    disk.makeDirectory(this.path(name));
    if (isNew) this.#storage.forgetNames();
    return true;
  }

  // ---- manifests and tags ----

  manifest(digest: Digest): ManifestRecord | undefined {
    return this.#read<ManifestRecord>('_manifests', fileNameOf(digest));
  }

  manifests(): readonly Digest[] {
    return this.#digestsIn('_manifests');
  }

  tag(tag: string): TagRecord | undefined {
    const record = this.#read<TagRecord>('_tags', tag);
    return record !== undefined && isDigest(record.digest) ? record : undefined;
  }

  /** In the order of the specification. */
  tags(): readonly string[] {
    return this.#storage.disk.list(this.path('_tags')).filter(isTag).sort(compareNames);
  }

  #read<Value>(...parts: readonly string[]): Value | undefined {
    const bytes = this.#storage.disk.readFile(this.path(...parts), MOST_MANIFEST_BYTES);
    return bytes === undefined ? undefined : decodeRecord<Value>(bytes);
  }

  /** The bytes of a manifest that the repository has. */
  manifestBytes(digest: Digest): Uint8Array<ArrayBuffer> | undefined {
    return this.#storage.disk.readFile(this.#storage.blobs.pathOf(digest), MOST_MANIFEST_BYTES);
  }

  async putManifest(pushed: Pushed): Promise<void> {
    await this.#writeManifest(pushed);
    try {
      await pushed.confirm();
    } catch (error) {
      this.removeManifest(pushed.digest);
      throw error;
    }
  }

  /**
   * All files are written and on the disk before the first gets its name; the tag is named last, when all other names are on the disk, those
   * of the blobs that the manifest needs among them. So whatever ends the process or the machine, a tag leads to a manifest, and a manifest
   * to its bytes.
   */
  async #writeManifest({ digest, bytes, document, tags }: Pushed): Promise<void> {
    const { disk, blobs, files } = this.#storage;
    const { mediaType, subject, artifactType, annotations } = document;
    this.#checkBounds(tags, subject);
    const pushedMs = disk.host.now();
    const record: ManifestRecord = { mediaType, size: bytes.length, subject: subject?.digest, pushedMs };
    const wanted: [path: string, bytes: Uint8Array][] = [[blobs.pathOf(digest), bytes], [this.path('_manifests', fileNameOf(digest)), encodeRecord(record)]];
    if (subject !== undefined) wanted.push([this.path('_referrers', fileNameOf(subject.digest), fileNameOf(digest)), encodeRecord({ mediaType, digest, size: bytes.length, artifactType, annotations })]);
    const firstTag = wanted.length;
    for (const tag of tags) wanted.push([this.path('_tags', tag), encodeRecord({ digest, pushedMs } satisfies TagRecord)]);
    const written: NewFile[] = [];
    const give = (from: number, to: number): void => {
      for (let index = from; index < to; index++) written[index]!.name(wanted[index]![0]);
    };
    try {
      for (const [, content] of wanted) {
        const file = disk.newFile();
        written.push(file);
        file.write(content);
      }
      const synced = Promise.all(written.map(({ handle }) => files.sync(handle)));
      for (const failed of await synced) checkErrno(failed, 'write', disk.path('tmp'));
      // Not before: empty directories may be collected while one waits for the disk.
      const isNew = this.#makeDirectory('_manifests');
      if (subject !== undefined) disk.makeDirectory(this.path('_referrers', fileNameOf(subject.digest)));
      disk.makeDirectory(disk.path('blobs', algorithmOf(digest)));
      give(0, firstTag);
      await this.#storage.names.sync(this.#directoriesOf(digest, document, isNew));
      if (tags.length === 0) return;
      const isFirstTag = this.#makeDirectory('_tags');
      give(firstTag, wanted.length);
      await this.#storage.names.sync([this.path('_tags'), ...(isFirstTag ? [this.path()] : [])]);
    } catch (error) {
      for (const file of written) file.discard();
      throw error;
    }
  }

  /** Where the names stand that a manifest needs, and its own. */
  #directoriesOf(digest: Digest, { subject, needs }: ManifestDocument, isNew: boolean): readonly string[] {
    const { disk } = this.#storage;
    const algorithms = new Set([digest, ...needs.map((need) => need.digest)].map(algorithmOf));
    const own = ['_blobs', '_manifests', ...(subject === undefined ? [] : ['_referrers', `_referrers/${fileNameOf(subject.digest)}`])].map((name) => this.path(name));
    const parts = this.name.split('/');
    const above = isNew ? parts.map((_, count) => disk.path('repositories', ...parts.slice(0, count))) : [];
    return [...Array.from(algorithms, (algorithm) => disk.path('blobs', algorithm)), disk.path('blobs'), ...own, this.path(), ...above];
  }

  #checkBounds(tags: readonly string[], subject: Descriptor | undefined): void {
    const { disk } = this.#storage;
    const isNew = tags.some((tag) => !disk.exists(this.path('_tags', tag)));
    if (isNew && disk.list(this.path('_tags')).length >= MOST_TAGS) throw new RegistryFailure('DENIED', `${this.name} has ${MOST_TAGS} tags, which is the most that a repository may have`);
    if (subject !== undefined && disk.list(this.path('_referrers', fileNameOf(subject.digest))).length >= MOST_REFERRERS) throw new RegistryFailure('DENIED', `${subject.digest} has ${MOST_REFERRERS} manifests about it, which is the most that it may have`);
  }

  /** False: there was none. */
  removeTag(tag: string): boolean {
    if (!this.#storage.disk.exists(this.path('_tags', tag))) return false;
    this.#storage.disk.remove(this.path('_tags', tag));
    return true;
  }

  /** With the tags that lead to it, which go first. False: there was none. */
  removeManifest(digest: Digest): boolean {
    const record = this.manifest(digest);
    if (record === undefined) return false;
    for (const tag of this.tags()) if (this.tag(tag)?.digest === digest) this.removeTag(tag);
    if (record.subject !== undefined) this.#storage.disk.remove(this.path('_referrers', fileNameOf(record.subject), fileNameOf(digest)));
    this.#storage.disk.remove(this.path('_manifests', fileNameOf(digest)));
    return true;
  }

  /** Descriptors of the manifests whose subject this is, by digest. */
  *referrers(subject: Digest): Iterable<Referrer> {
    for (const name of [...this.#storage.disk.list(this.path('_referrers', fileNameOf(subject)))].sort()) {
      const descriptor = this.#read<Referrer>('_referrers', fileNameOf(subject), name);
      if (descriptor !== undefined && this.manifest(descriptor.digest) !== undefined) yield descriptor;
    }
  }
}

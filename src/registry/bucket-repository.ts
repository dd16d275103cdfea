/** One repository in a bucket: which blobs, manifests and tags it has, and what refers to what. */
import { algorithmOf, digestOf, isDigest } from '../image/index.ts';
import type { Descriptor, Digest } from '../image/index.ts';
import { decodeWithBytes, encodeLine, isBlobPlace, nameKey } from './bucket-layout.ts';
import type { BlobPlace } from './bucket-layout.ts';
import type { BucketStorage } from './bucket-storage.ts';
import { decodeRecord, encodeRecord, readManifest } from './documents.ts';
import type { ManifestRecord, TagRecord } from './documents.ts';
import { RegistryFailure } from './errors.ts';
import { MOST_MANIFEST_BYTES, MOST_REFERRERS, MOST_TAGS, RENEW_LINK_AFTER_MS } from './limits.ts';
import { compareNames, digestOfFileName, fileNameOf, isTag } from './names.ts';
import { BucketError } from './s3-errors.ts';
import { mapParallel } from './storage.ts';
import type { FoundBlob, Pushed, Referrer, Repository } from './storage.ts';

/** What is known of a manifest, in a line before its bytes. */
const MOST_RECORD_BYTES = 4096;
/** Records of referrers that are read at once. */
const REFERRERS_AT_ONCE = 16;

interface Link {
  readonly place: BlobPlace;
  readonly modifiedMs: number;
}

interface StoredManifest {
  readonly digest: Digest;
  readonly record: ManifestRecord;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An object that has not as many bytes as it should have is as good as lost. */
function otherBytes(error: unknown): undefined {
  if (!(error instanceof BucketError) || error.code !== 'InvalidRange') throw error;
}

export class BucketRepository implements Repository {
  readonly name: string;
  readonly #storage: BucketStorage;
  /** The manifest that was read last, for who asks for its record and then for its bytes. */
  #lastManifest: StoredManifest | undefined;

  constructor(storage: BucketStorage, name: string) {
    this.#storage = storage;
    this.name = name;
  }

  key(kind: '_blobs' | '_manifests' | '_tags' | '_referrers', ...parts: readonly string[]): string {
    return ['repositories', this.name, kind, ...parts].join('/');
  }

  async exists(): Promise<boolean> {
    return await this.#storage.client.head(nameKey(this.name)) !== undefined;
  }

  // ---- blobs ----

  async #link(digest: Digest): Promise<Link | undefined> {
    const object = await this.#storage.client.get(this.key('_blobs', fileNameOf(digest)), MOST_RECORD_BYTES);
    const place = object === undefined ? undefined : decodeRecord(object.bytes);
    return object !== undefined && isBlobPlace(place) ? { place, modifiedMs: object.modifiedMs } : undefined;
  }

  /** Where the link says that the bytes are; otherwise wherever bytes of that digest are now: those that it knew may have been spoiled. */
  async #place(digest: Digest, { place }: Link): Promise<BlobPlace | undefined> {
    if (await this.#storage.client.head(`data/${place.data}`) === place.size) return place;
    for await (const other of this.#storage.places(digest)) if (other.data !== place.data && other.size === place.size) return other;
    return undefined;
  }

  async findBlob(digest: Digest): Promise<FoundBlob | undefined> {
    const link = await this.#link(digest);
    if (link === undefined) return undefined;
    const { place } = link;
    return {
      size: place.size,
      open: async (start, length) => {
        const stream = await this.#storage.open(place, start, length).catch(otherBytes);
        if (stream !== undefined) return { stream };
        const other = await this.#place(digest, link);
        const again = other === undefined ? undefined : await this.#storage.open(other, start, length);
        return again === undefined ? undefined : { stream: again };
      },
    };
  }

  async blobSize(digest: Digest): Promise<number | undefined> {
    const link = await this.#link(digest);
    return link === undefined ? undefined : (await this.#place(digest, link))?.size;
  }

  async blobBytes(digest: Digest, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const found = await this.findBlob(digest);
    if (found === undefined || found.size > most) return undefined;
    const bytes = new Uint8Array(found.size);
    const opened = found.size === 0 ? undefined : await found.open(0, found.size);
    if (opened === undefined || !('stream' in opened)) return found.size === 0 ? bytes : undefined;
    let at = 0;
    for await (const chunk of opened.stream) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  async hasLink(digest: Digest): Promise<boolean> {
    return await this.#link(digest) !== undefined;
  }

  /** The repository has the blob; whether that is still so is looked up by `settle`. */
  async putLink(digest: Digest, place: BlobPlace): Promise<void> {
    await this.#storage.noteName(this.name);
    await this.#storage.client.put(this.key('_blobs', fileNameOf(digest)), encodeRecord(place));
  }

  async renew(digest: Digest): Promise<void> {
    const link = await this.#link(digest);
    if (link === undefined || this.#storage.client.now() - link.modifiedMs < RENEW_LINK_AFTER_MS) return;
    await this.putLink(digest, link.place);
    await this.#storage.marks.settle(this.name, [digest]);
  }

  async mount(digest: Digest, source: BucketRepository): Promise<boolean> {
    const link = await source.#link(digest);
    if (link === undefined) return false;
    const isNew = !await this.hasLink(digest);
    await this.putLink(digest, link.place);
    await this.#storage.marks.settle(this.name, [digest]);
    return isNew;
  }

  async unlink(digest: Digest): Promise<boolean> {
    if (!await this.hasLink(digest)) return false;
    await this.#storage.client.delete(this.key('_blobs', fileNameOf(digest)));
    return true;
  }

  async countBytes(): Promise<number> {
    const { client, knownLinks } = this.#storage;
    let bytes = 0;
    const unknown: { readonly key: string; readonly etag: string; readonly digest: Digest }[] = [];
    for await (const { key, etag } of client.list(this.key('_blobs', ''))) {
      const digest = digestOfFileName(key.slice(key.lastIndexOf('/') + 1));
      const known = knownLinks.get(key);
      if (known !== undefined && known.etag === etag) bytes += known.size;
      else if (digest !== undefined) unknown.push({ key, etag, digest });
    }
    await mapParallel(unknown, async ({ key, etag, digest }) => {
      const link = await this.#link(digest);
      if (link === undefined) return;
      knownLinks.set(key, { etag, size: link.place.size });
      bytes += link.place.size;
    });
    for await (const { size } of client.list(this.key('_manifests', ''))) bytes += size;
    return bytes;
  }

  // ---- manifests and tags ----

  async #readManifest(digest: Digest): Promise<StoredManifest | undefined> {
    const object = await this.#storage.client.get(this.key('_manifests', fileNameOf(digest)), MOST_MANIFEST_BYTES + MOST_RECORD_BYTES);
    const decoded = object === undefined ? undefined : decodeWithBytes<ManifestRecord>(object.bytes);
    this.#lastManifest = decoded === undefined ? undefined : { digest, ...decoded };
    return this.#lastManifest;
  }

  async manifest(digest: Digest): Promise<ManifestRecord | undefined> {
    return (await this.#readManifest(digest))?.record;
  }

  async manifestBytes(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const last = this.#lastManifest;
    return (last?.digest === digest ? last : await this.#readManifest(digest))?.bytes;
  }

  async manifests(): Promise<readonly Digest[]> {
    return (await this.#names('_manifests')).flatMap((name) => digestOfFileName(name) ?? []);
  }

  async #names(kind: '_manifests' | '_tags'): Promise<readonly string[]> {
    const names: string[] = [];
    const prefix = this.key(kind, '');
    for await (const { key } of this.#storage.client.list(prefix)) names.push(key.slice(prefix.length));
    return names;
  }

  async tag(tag: string): Promise<TagRecord | undefined> {
    const object = await this.#storage.client.get(this.key('_tags', tag), MOST_RECORD_BYTES);
    const record = object === undefined ? undefined : decodeRecord<TagRecord>(object.bytes);
    return record !== undefined && isDigest(record.digest) ? record : undefined;
  }

  async tags(): Promise<readonly string[]> {
    return [...await this.#names('_tags')].filter(isTag).sort(compareNames);
  }

  /**
   * The manifest is written whole, then what refers to it, then the tag: so a tag leads to a manifest whatever ends the process. A tag is one
   * object: of two that are pushed at once the last one written is the tag, for all instances.
   */
  async putManifest({ digest, bytes, document, tags, confirm }: Pushed): Promise<void> {
    const { client, marks } = this.#storage;
    const { mediaType, subject, needs } = document;
    await this.#checkBounds(tags, subject);
    const pushedMs = Math.round(client.now());
    const record: ManifestRecord = { mediaType, size: bytes.length, subject: subject?.digest, pushedMs };
    await this.#storage.noteName(this.name);
    await client.put(this.key('_manifests', fileNameOf(digest)), encodeLine(record), bytes);
    try {
      await marks.settle(this.name, needs.map((need) => need.digest));
      await confirm();
      if (subject !== undefined) await client.put(this.key('_referrers', fileNameOf(subject.digest), fileNameOf(digest)), encodeRecord({ digest }));
    } catch (error) {
      if (error instanceof RegistryFailure) await this.removeManifest(digest);
      throw error;
    }
    for (const tag of tags) await client.put(this.key('_tags', tag), encodeRecord({ digest, pushedMs } satisfies TagRecord));
  }

  async #checkBounds(tags: readonly string[], subject: Descriptor | undefined): Promise<void> {
    const isNew = (await mapParallel(tags, (tag) => this.tag(tag))).includes(undefined);
    if (isNew && (await this.#names('_tags')).length >= MOST_TAGS) throw new RegistryFailure('DENIED', `${this.name} has ${MOST_TAGS} tags, which is the most that a repository may have`);
    if (subject === undefined) return;
    if ((await this.#referrerDigests(subject.digest)).length >= MOST_REFERRERS) throw new RegistryFailure('DENIED', `${subject.digest} has ${MOST_REFERRERS} manifests about it, which is the most that it may have`);
  }

  async removeTag(tag: string): Promise<boolean> {
    const { client } = this.#storage;
    if (await client.head(this.key('_tags', tag)) === undefined) return false;
    await client.delete(this.key('_tags', tag));
    return true;
  }

  async removeManifest(digest: Digest): Promise<boolean> {
    const { client } = this.#storage;
    const record = await this.manifest(digest);
    if (record === undefined) return false;
    await mapParallel(await this.tags(), async (tag) => {
      if ((await this.tag(tag))?.digest === digest) await this.removeTag(tag);
    });
    if (record.subject !== undefined) await client.delete(this.key('_referrers', fileNameOf(record.subject), fileNameOf(digest)));
    await client.delete(this.key('_manifests', fileNameOf(digest)));
    this.#lastManifest = undefined;
    return true;
  }

  async #referrerDigests(subject: Digest): Promise<readonly Digest[]> {
    const digests: Digest[] = [];
    const prefix = this.key('_referrers', fileNameOf(subject), '');
    for await (const { key } of this.#storage.client.list(prefix)) digests.push(...[digestOfFileName(key.slice(prefix.length))].filter((digest) => digest !== undefined));
    return digests.sort();
  }

  async *referrers(subject: Digest): AsyncGenerator<Referrer, void> {
    const digests = await this.#referrerDigests(subject);
    for (let at = 0; at < digests.length; at += REFERRERS_AT_ONCE) {
      const found = await mapParallel(digests.slice(at, at + REFERRERS_AT_ONCE), (digest) => this.#referrer(digest));
      for (const referrer of found) if (referrer !== undefined) yield referrer;
    }
  }

  async #referrer(digest: Digest): Promise<Referrer | undefined> {
    const stored = await this.#storage.repository(this.name).#readManifest(digest);
    if (stored === undefined || digestOf(this.#storage.host.codecs, stored.bytes, algorithmOf(digest)) !== digest) return undefined;
    const { mediaType, artifactType, annotations } = readManifest(stored.bytes, stored.record.mediaType);
    return { mediaType, digest, size: stored.bytes.length, ...(artifactType === undefined ? {} : { artifactType }), ...(annotations === undefined ? {} : { annotations }) };
  }
}

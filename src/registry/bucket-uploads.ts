/**
 * Uploads to a bucket, each an object of several parts in the making (multipart upload). What has come, and what of it is not a part yet, is
 * written to `uploads/ID` at the end of each request, so any instance goes on with it. The instance that has seen all bytes knows their digest;
 * another one reads them once more from the bucket when the upload ends: a native SHA-256 is several times as fast as one whose state
 * could be written down, and an upload seldom changes instances.
 */
import type { HostDigest } from '../host/types.ts';
import { algorithmOf } from '../image/index.ts';
import type { Digest, DigestAlgorithm } from '../image/index.ts';
import { DataStream } from './bucket-data.ts';
import { UPLOAD_ID, blobKey, dataKey, decodeWithBytes, encodeLine, uploadKey } from './bucket-layout.ts';
import type { BlobPlace } from './bucket-layout.ts';
import type { BucketRepository } from './bucket-repository.ts';
import type { BucketStorage } from './bucket-storage.ts';
import { encodeRecord } from './documents.ts';
import { RegistryFailure } from './errors.ts';
import { MOST_PARTS, MOST_PART_POOL_BYTES, MOST_UPLOADS, MOST_UPLOAD_RECORD_BYTES, PART_POOL_BYTES, SMALL_PART_BYTES } from './limits.ts';
import { PartBuffer, PartPool } from './part-pool.ts';
import { BucketError } from './s3-errors.ts';
import { mapParallel } from './storage.ts';
import type { Allowance, Awaitable, Repository, Upload, Uploads } from './storage.ts';

/** What `uploads/ID` says before the bytes that are not a part yet. */
export interface UploadRecord {
  readonly repository: string;
  /** S3's name of the upload; absent while there are no parts. */
  readonly multipart?: string | undefined;
  /** All parts have the same number of bytes. */
  readonly partBytes: number;
  readonly etags: readonly string[];
}

/** An upload as one request sees it: what the bucket says of it, and what has come since. */
interface Handle extends Upload {
  readonly repository: BucketRepository;
  size: number;
  multipart: string | undefined;
  readonly etags: string[];
  /** Bytes after the parts: those in `uploads/ID`, once they were read, and those that have come since. */
  part: PartBuffer | undefined;
  /** Those in `uploads/ID`, as long as they were not read. */
  tail: Tail | undefined;
  /** How many of the bytes after the parts are in `uploads/ID`. Undefined: there is none. */
  savedBytes: number | undefined;
  /** Entity tag of `uploads/ID` as this request knows it. */
  etag: string | undefined;
  /** The bytes are an object. It may be somebody's blob, by another instance that ends the same upload: only a collector takes it away. */
  isComplete: boolean;
}

/** The end of `uploads/ID`: the bytes themselves, where there are few. */
interface Tail {
  readonly bytes: Uint8Array | undefined;
  readonly start: number;
  readonly size: number;
}

/** What this instance knows between requests. */
interface Known {
  readonly repository: string;
  size: number;
  /** All bytes come with one request: nobody else goes on with it. */
  readonly isWhole: boolean;
  /** Entity tag of `uploads/ID` when we wrote or read it. */
  etag: string | undefined;
  /** Of all bytes so far; absent where another instance has seen some of them. */
  hash: { readonly algorithm: DigestAlgorithm; readonly digest: HostDigest } | undefined;
  busy: boolean;
  touchedMs: number;
}

const NO_BYTES = new Uint8Array();
/** An upload that this instance has not heard of for so long: it is looked up again, or for good when somebody goes on with it. */
const LOOK_AGAIN_MS = 60_000;
const KNOWN_LIFETIME_MS = 3_600_000;

function unknown(): RegistryFailure {
  return new RegistryFailure('BLOB_UPLOAD_UNKNOWN', 'there is no such upload: it has ended, or is too old');
}

export class BucketUploads implements Uploads {
  readonly #storage: BucketStorage;
  readonly #known = new Map<string, Known>();
  readonly #pool: PartPool;

  constructor(storage: BucketStorage) {
    this.#storage = storage;
    this.#pool = new PartPool(storage.client.options.partBytes, PART_POOL_BYTES, MOST_PART_POOL_BYTES);
  }

  get count(): number {
    return this.#known.size;
  }

  /** Of those that this instance knows of. */
  async bytesOf(repository: string): Promise<number> {
    const own = [...this.#known].filter(([, known]) => known.repository === repository);
    await mapParallel(own, ([id, known]) => this.#lookAgain(id, known));
    return own.reduce((sum, [id, { size }]) => sum + (this.#known.has(id) ? size : 0), 0);
  }

  /** Another instance may have ended an upload that was not heard of here for a while. */
  async #lookAgain(id: string, known: Known): Promise<void> {
    const now = this.#storage.host.now();
    if (known.busy || known.isWhole || now - known.touchedMs < LOOK_AGAIN_MS) return;
    known.touchedMs = now;
    if (await this.#storage.client.head(uploadKey(id)) === undefined && !known.busy) this.#known.delete(id);
  }

  /** Room for one more: what was not heard of for longest can be looked up when it is. */
  #makeRoom(): void {
    if (this.#known.size < MOST_UPLOADS) return;
    const oldest = [...this.#known].find(([, { busy, isWhole }]) => !busy && !isWhole);
    if (oldest === undefined) throw new RegistryFailure('TOOMANYREQUESTS', `${MOST_UPLOADS} uploads are coming`, { headers: { 'retry-after': '60' } });
    this.#known.delete(oldest[0]);
  }

  #handle(id: string, name: string): Handle {
    return { id, repository: this.#storage.repository(name), size: 0, multipart: undefined, etags: [], part: undefined, tail: undefined, savedBytes: undefined, etag: undefined, isComplete: false };
  }

  async begin({ name }: Repository, isWhole: boolean): Promise<Upload> {
    this.#makeRoom();
    const handle = this.#handle(crypto.randomUUID(), name);
    const known: Known = { repository: name, size: 0, isWhole, etag: undefined, hash: undefined, busy: false, touchedMs: this.#storage.host.now() };
    this.#known.set(handle.id, known);
    // Any instance must know it, also before the first byte.
    if (!isWhole) await this.#working(handle, known, () => this.#save(handle, known, NO_BYTES));
    return handle;
  }

  async find({ name }: Repository, id: string): Promise<Upload> {
    const known = this.#known.get(id);
    // Whatever is asked of it is refused, but for how much has come.
    if (known?.busy === true && known.repository === name) return { ...this.#handle(id, name), size: known.size };
    const object = UPLOAD_ID.test(id) ? await this.#storage.client.getStart(uploadKey(id), MOST_UPLOAD_RECORD_BYTES) : undefined;
    const decoded = object === undefined ? undefined : decodeWithBytes<UploadRecord>(object.bytes);
    if (object === undefined || decoded === undefined || decoded.record.repository !== name) {
      if (known?.repository === name) this.#known.delete(id);
      throw unknown();
    }
    const { record, bytes } = decoded;
    if (record.partBytes !== this.#pool.partBytes) throw new RegistryFailure('BLOB_UPLOAD_UNKNOWN', `the upload was begun by an instance with parts of ${record.partBytes} bytes: begin again`);
    const start = object.bytes.length - bytes.length;
    const savedBytes = object.size - start;
    if (savedBytes >= record.partBytes) throw unknown();
    const tail: Tail = { bytes: object.bytes.length === object.size ? bytes : undefined, start, size: object.size };
    const handle: Handle = { ...this.#handle(id, name), size: record.etags.length * record.partBytes + savedBytes, multipart: record.multipart, etags: [...record.etags], tail, savedBytes, etag: object.etag };
    const current = this.#known.get(id);
    if (current === undefined) this.#makeRoom();
    if (current === undefined || (!current.busy && (current.etag !== object.etag || current.size !== handle.size))) {
      this.#known.set(id, { repository: name, size: handle.size, isWhole: false, etag: object.etag, hash: undefined, busy: false, touchedMs: this.#storage.host.now() });
    }
    return handle;
  }

  #knownOf({ id, etag }: Handle): Known {
    const known = this.#known.get(id);
    if (known === undefined) throw unknown();
    // Or has done so since this one looked: what it would add would not follow what is there.
    if (known.busy || known.etag !== etag) throw new RegistryFailure('BLOB_UPLOAD_INVALID', 'another request is sending to this upload', { status: 409, headers: { 'retry-after': '1' } });
    return known;
  }

  /** What was refused goes; where the bucket fails, what it has of the upload stays, and counts. */
  async #working<Result>(handle: Handle, known: Known, work: () => Promise<Result>): Promise<Result> {
    known.busy = true;
    try {
      return await work();
    } catch (error) {
      if (error instanceof RegistryFailure) await this.#discard(handle).catch(() => {});
      else if (error instanceof BucketError) this.#known.delete(handle.id);
      throw error;
    } finally {
      known.busy = false;
      known.touchedMs = this.#storage.host.now();
    }
  }

  async receive(upload: Upload, body: AsyncIterable<Uint8Array>, allow: Allowance, digest?: Digest): Promise<void> {
    const handle = upload as Handle;
    const known = this.#knownOf(handle);
    await this.#working(handle, known, async () => {
      if (handle.size === 0) {
        const algorithm = digest === undefined ? 'sha256' : algorithmOf(digest);
        known.hash = { algorithm, digest: this.#storage.host.codecs.createDigest(algorithm) };
      }
      const before = handle.size;
      try {
        await this.#take(handle, known, body, allow);
      } catch (error) {
        // A connection that broke leaves what came.
        if (!(error instanceof RegistryFailure) && !(error instanceof BucketError) && handle.size > before) await this.#save(handle, known, this.#bytesAfterParts(handle));
        handle.part?.clear();
        throw error;
      }
      if (digest !== undefined) return;
      try {
        if (handle.size > before) await this.#save(handle, known, this.#bytesAfterParts(handle));
      } finally {
        handle.part?.clear();
      }
    });
  }

  #bytesAfterParts({ part }: Handle): Uint8Array {
    return part?.bytes() ?? NO_BYTES;
  }

  /** Brings the bytes that are in `uploads/ID` here, before others come or the upload ends. */
  async #loadTail(handle: Handle): Promise<void> {
    const { tail, id, etag } = handle;
    handle.tail = undefined;
    if (tail === undefined || tail.start === tail.size) return;
    const part = new PartBuffer(this.#pool, SMALL_PART_BYTES);
    handle.part = part;
    const stream = tail.bytes === undefined ? await DataStream.open(this.#storage.client, { key: uploadKey(id), start: tail.start, end: tail.size - 1, size: tail.size, ...(etag === undefined ? {} : { etag }) }) : [tail.bytes];
    if (stream === undefined) throw unknown();
    for await (const chunk of stream) await part.add(chunk);
  }

  /** One part is filled while the one before it is sent. */
  async #take(handle: Handle, known: Known, body: AsyncIterable<Uint8Array>, allow: Allowance): Promise<void> {
    let sending: Promise<void> | undefined;
    const fill = async (bytes: Uint8Array): Promise<void> => {
      for (let at = 0; at < bytes.length;) {
        handle.part ??= new PartBuffer(this.#pool, SMALL_PART_BYTES);
        at += await handle.part.add(at === 0 ? bytes : bytes.subarray(at));
        if (!handle.part.isFull) continue;
        const full = handle.part;
        handle.part = undefined;
        await sending;
        sending = this.#sendPart(handle, known, full).finally(() => full.clear());
        sending.catch(() => {});
      }
    };
    try {
      for await (const chunk of body) {
        if (chunk.length === 0) continue;
        allow(chunk.length);
        await this.#loadTail(handle);
        known.hash?.digest.update(chunk);
        await fill(chunk);
        handle.size += chunk.length;
        known.size = handle.size;
      }
    } finally {
      await sending;
    }
  }

  async #sendPart(handle: Handle, known: Known, part: PartBuffer): Promise<void> {
    const { client } = this.#storage;
    const number = handle.etags.length + 1;
    if (number > MOST_PARTS) throw new RegistryFailure('SIZE_INVALID', `the bucket takes ${MOST_PARTS} parts of a blob, and they have ${this.#pool.partBytes} bytes each here`, { status: 413 });
    if (handle.multipart === undefined) {
      handle.multipart = await client.beginParts(dataKey(handle.id));
      // So that it can be given up should we not come back; what was there before still counts.
      await this.#save(handle, known, part.bytes().subarray(0, handle.savedBytes ?? 0));
    }
    handle.etags.push(await client.putPart(dataKey(handle.id), handle.multipart, number, part.bytes()));
  }

  async #save(handle: Handle, known: Known, tail: Uint8Array): Promise<void> {
    const { id, repository, multipart, etags } = handle;
    const record: UploadRecord = { repository: repository.name, multipart, partBytes: this.#pool.partBytes, etags };
    handle.etag = (await this.#storage.client.put(uploadKey(id), encodeLine(record), tail)).etag;
    known.etag = handle.etag;
    handle.savedBytes = tail.length;
  }

  async finish(upload: Upload, digest: Digest, admit: () => Awaitable<void>): Promise<boolean> {
    const handle = upload as Handle;
    try {
      const known = this.#knownOf(handle);
      return await this.#working(handle, known, async () => {
        await this.#loadTail(handle);
        if (await this.#digestOf(handle, known, algorithmOf(digest)) !== digest) throw new RegistryFailure('DIGEST_INVALID', `what came has not the digest ${digest}`);
        await admit();
        const isNew = await this.#place(handle, digest);
        if (handle.savedBytes !== undefined) await this.#storage.client.delete(uploadKey(handle.id));
        this.#known.delete(handle.id);
        return isNew;
      });
    } finally {
      handle.part?.clear();
    }
  }

  /** Known already, if the bytes were hashed by this algorithm as they came; otherwise they are read again. */
  async #digestOf(handle: Handle, known: Known, algorithm: DigestAlgorithm): Promise<Digest> {
    const { hash } = known;
    known.hash = undefined;
    if (hash?.algorithm === algorithm) return `${algorithm}:${hash.digest.hex()}`;
    const digest = this.#storage.host.codecs.createDigest(algorithm);
    if (handle.etags.length === 0) digest.update(this.#bytesAfterParts(handle));
    else {
      await this.#complete(handle);
      const bytes = await this.#storage.open({ data: handle.id, size: handle.size });
      if (bytes === undefined) throw unknown();
      for await (const chunk of bytes) digest.update(chunk);
    }
    return `${algorithm}:${digest.hex()}`;
  }

  /** The bytes become an object. @throws RegistryFailure where the parts are gone, or another instance has written over them */
  async #complete(handle: Handle): Promise<void> {
    if (handle.isComplete) return;
    const { client } = this.#storage;
    const key = dataKey(handle.id);
    const rest = this.#bytesAfterParts(handle);
    if (handle.multipart === undefined) await client.put(key, rest);
    else {
      const last = rest.length === 0 ? [] : [await client.putPart(key, handle.multipart, handle.etags.length + 1, rest).catch(partsFailure)];
      if (!await client.completeParts(key, handle.multipart, [...handle.etags, ...last], handle.size).catch(partsFailure)) throw unknown();
    }
    handle.isComplete = true;
  }

  /** Bytes that are here already are not kept twice. True: the repository did not have the blob before. */
  async #place(handle: Handle, digest: Digest): Promise<boolean> {
    const { repository, id, size } = handle;
    const { client, marks } = this.#storage;
    const isNew = !await repository.hasLink(digest);
    for await (const place of this.#storage.places(digest)) {
      if (place.size !== size) continue;
      await repository.putLink(digest, place);
      if (await marks.settle(repository.name, [digest]) && !await this.#isThere(repository, digest, place)) break;
      await this.#dropParts(handle);
      return isNew;
    }
    await this.#complete(handle);
    const place: BlobPlace = { data: id, size };
    await client.put(blobKey(digest, id), encodeRecord(place));
    await repository.putLink(digest, place);
    if (await marks.settle(repository.name, [digest]) && !await this.#isThere(repository, digest, place)) throw new RegistryFailure('UNAVAILABLE', 'the blob was collected as garbage when it had just come: the grace of the collector is too short', { headers: { 'retry-after': '5' } });
    return isNew;
  }

  async #isThere(repository: BucketRepository, digest: Digest, { data, size }: BlobPlace): Promise<boolean> {
    const { client } = this.#storage;
    return await client.head(blobKey(digest, data)) !== undefined && await client.head(dataKey(data)) === size && await repository.hasLink(digest);
  }

  async #dropParts({ id, multipart, isComplete }: Handle): Promise<void> {
    if (!isComplete && multipart !== undefined) await this.#storage.client.abortParts(dataKey(id), multipart);
  }

  async #discard(handle: Handle): Promise<void> {
    this.#known.delete(handle.id);
    if (handle.savedBytes !== undefined || handle.multipart !== undefined) await this.#storage.client.delete(uploadKey(handle.id));
    await this.#dropParts(handle);
  }

  async cancel(upload: Upload): Promise<void> {
    const handle = upload as Handle;
    this.#knownOf(handle);
    await this.#discard(handle);
  }

  /** What the bucket does not let go now goes with the garbage. */
  async forget(upload: Upload): Promise<void> {
    await this.#discard(upload as Handle).catch(() => {});
  }

  /** They stay in the bucket until a collector gives them up. */
  expire(): void {
    const oldest = this.#storage.host.now() - KNOWN_LIFETIME_MS;
    for (const [id, { busy, touchedMs }] of this.#known) if (!busy && touchedMs < oldest) this.#known.delete(id);
  }
}

function partsFailure(error: unknown): never {
  if (error instanceof BucketError && (error.code === 'NoSuchUpload' || error.code.startsWith('InvalidPart') || error.code === 'EntityTooSmall')) throw new RegistryFailure('BLOB_UPLOAD_INVALID', 'parts of the upload are gone, or were sent twice: begin again', { cause: error });
  throw error;
}

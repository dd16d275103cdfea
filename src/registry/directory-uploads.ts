/**
 * Uploads that have begun: their bytes go to a file of the repository, and are hashed as they come. What has come stays when
 * a connection breaks or the registry ends; the client asks how much that is, and goes on.
 */
import { EINTR, ENOENT } from '../abi/errno.ts';
import { O_CREAT, O_WRONLY } from '../abi/fcntl.ts';
import type { HostDigest } from '../host/types.ts';
import { algorithmOf, checkErrno } from '../image/index.ts';
import type { Digest, DigestAlgorithm } from '../image/index.ts';
import { RegistryFailure, isFull } from './errors.ts';
import { MOST_UPLOADS, READ_BYTES, UPLOAD_LIFETIME_MS } from './limits.ts';
import type { DirectoryRepository } from './directory-repository.ts';
import type { DirectoryStorage } from './directory-storage.ts';
import type { Allowance, Awaitable, Repository, Upload, Uploads } from './storage.ts';

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

interface Session extends Upload {
  readonly repository: DirectoryRepository;
  size: number;
  /** Of the bytes so far; absent when the registry was started again since then. */
  hash: { readonly algorithm: DigestAlgorithm; readonly digest: HostDigest } | undefined;
  busy: boolean;
  touchedMs: number;
}

export class DirectoryUploads implements Uploads {
  readonly #storage: DirectoryStorage;
  readonly #sessions = new Map<string, Session>();

  constructor(storage: DirectoryStorage) {
    this.#storage = storage;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Bytes of uploads of a repository that have not become blobs yet. */
  bytesOf(repository: string): number {
    let bytes = 0;
    for (const session of this.#sessions.values()) if (session.repository.name === repository) bytes += session.size;
    return bytes;
  }

  /** Nothing is on the disk before the first byte. */
  begin({ name }: Repository): Upload {
    if (this.#sessions.size >= MOST_UPLOADS) throw new RegistryFailure('TOOMANYREQUESTS', `${MOST_UPLOADS} uploads have begun and not ended`, { headers: { 'retry-after': '60' } });
    const session: Session = { id: crypto.randomUUID(), repository: this.#storage.repository(name), size: 0, hash: undefined, busy: false, touchedMs: this.#storage.disk.host.now() };
    this.#sessions.set(session.id, session);
    return session;
  }

  #pathOf({ repository, id }: Session): string {
    return repository.path('_uploads', id);
  }

  /** @throws RegistryFailure BLOB_UPLOAD_UNKNOWN: never begun here, ended, or too old. */
  find({ name }: Repository, id: string): Upload {
    const repository = this.#storage.repository(name);
    const session = this.#sessions.get(id);
    if (session !== undefined && session.repository.name === repository.name) return session;
    const size = session === undefined && ID.test(id) ? this.#storage.disk.sizeOf(repository.path('_uploads', id)) : undefined;
    if (size === undefined) throw new RegistryFailure('BLOB_UPLOAD_UNKNOWN', 'there is no such upload: it has ended, or is too old');
    const found: Session = { id, repository, size, hash: undefined, busy: false, touchedMs: this.#storage.disk.host.now() };
    this.#sessions.set(id, found);
    return found;
  }

  #sessionOf({ id }: Upload): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new RegistryFailure('BLOB_UPLOAD_UNKNOWN', 'there is no such upload: it has ended, or is too old');
    if (session.busy) throw new RegistryFailure('BLOB_UPLOAD_INVALID', 'another request is sending to this upload', { status: 409, headers: { 'retry-after': '1' } });
    return session;
  }

  /** Takes a body in. `digest`: what the whole shall have, where that is known by now. */
  async receive(upload: Upload, body: AsyncIterable<Uint8Array>, allow: Allowance, digest?: Digest): Promise<void> {
    const session = this.#sessionOf(upload);
    const { disk } = this.#storage;
    session.busy = true;
    let handle: number | undefined;
    try {
      if (session.size === 0) {
        const algorithm = digest === undefined ? 'sha256' : algorithmOf(digest);
        session.hash = { algorithm, digest: disk.host.codecs.createDigest(algorithm) };
      }
      let pending: Promise<void> | undefined;
      for await (const chunk of body) {
        if (chunk.length === 0) continue;
        allow(chunk.length);
        handle ??= this.#open(session);
        await pending;
        // The disk takes a piece while the next one comes and is hashed.
        pending = this.#write(session, handle, chunk, session.size);
        pending.catch(() => {});
        session.hash?.digest.update(chunk);
        session.size += chunk.length;
      }
      await pending;
    } catch (error) {
      // Refused, or no room for it: nothing of it is wanted. A connection that broke leaves what came.
      if (error instanceof RegistryFailure || isFull(error)) this.#discard(session);
      throw error;
    } finally {
      if (handle !== undefined) this.#settle(session, handle);
      session.busy = false;
      session.touchedMs = disk.host.now();
    }
  }

  #open(session: Session): number {
    const { disk } = this.#storage;
    const path = this.#pathOf(session);
    if (session.size === 0) disk.makeDirectory(session.repository.path('_uploads'));
    return checkErrno(disk.files.open(path, O_WRONLY | O_CREAT, 0o600), 'open', path);
  }

  async #write(session: Session, handle: number, bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const count = await this.#storage.files.write(handle, at === 0 ? bytes : bytes.subarray(at), position + at);
      if (count !== -EINTR) at += checkErrno(count, 'write', this.#pathOf(session));
    }
  }

  /** What was hashed and not written (a full disk) is not there: then the file decides. */
  #settle(session: Session, handle: number): void {
    const { files } = this.#storage.disk;
    const stat = files.fstat(handle);
    files.close(handle);
    if (typeof stat === 'number' || stat.size === session.size) return;
    session.size = Math.min(stat.size, session.size);
    session.hash = undefined;
  }

  /**
   * Makes the upload a blob of its repository, if `admit` does not throw. True: the repository did not have it before.
   *
   * @throws RegistryFailure DIGEST_INVALID; the upload is gone then.
   */
  async finish(upload: Upload, digest: Digest, admit: () => Awaitable<void>): Promise<boolean> {
    const session = this.#sessionOf(upload);
    const { disk, blobs } = this.#storage;
    const path = this.#pathOf(session);
    session.busy = true;
    const handle = this.#open(session);
    try {
      if (await this.#digestOf(session, digest) !== digest) {
        throw new RegistryFailure('DIGEST_INVALID', `what came has not the digest ${digest}`);
      }
      checkErrno(await this.#storage.files.sync(handle), 'write', path);
      await admit();
      const place = blobs.pathOf(digest);
      disk.makeDirectory(place.slice(0, place.lastIndexOf('/')));
      checkErrno(disk.files.rename(path, place), 'rename to', place);
      this.#sessions.delete(session.id);
      return session.repository.link(digest);
    } catch (error) {
      if (error instanceof RegistryFailure) this.#discard(session);
      throw error;
    } finally {
      disk.files.close(handle);
      session.busy = false;
    }
  }

  /** Known already, if the bytes were hashed by this algorithm as they came; otherwise they are read again. */
  async #digestOf(session: Session, wanted: Digest): Promise<Digest> {
    const algorithm = algorithmOf(wanted);
    const { hash } = session;
    session.hash = undefined;
    if (hash?.algorithm === algorithm) return `${algorithm}:${hash.digest.hex()}`;
    const { disk } = this.#storage;
    const digest = disk.host.codecs.createDigest(algorithm);
    for await (const chunk of streamFile(this.#storage, this.#pathOf(session))) digest.update(chunk);
    return `${algorithm}:${digest.hex()}`;
  }

  cancel(upload: Upload): void {
    this.#discard(this.#sessionOf(upload));
  }

  /** Takes away what is left of an upload that nobody can go on with. */
  forget({ id }: Upload): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#discard(session);
  }

  #discard(session: Session): void {
    this.#sessions.delete(session.id);
    this.#storage.disk.remove(this.#pathOf(session));
  }

  /** Forgets uploads that nobody goes on with; their files go with the garbage. */
  expire(): void {
    const oldest = this.#storage.disk.host.now() - UPLOAD_LIFETIME_MS;
    for (const session of this.#sessions.values()) if (!session.busy && session.touchedMs < oldest) this.#sessions.delete(session.id);
  }
}

/** A file, or a part of it, in pieces that stay valid; the thread does not wait for the disk. */
export async function* streamFile({ disk, files }: DirectoryStorage, path: string, start = 0, length = Number.MAX_SAFE_INTEGER): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const handle = checkErrno(disk.open(path) ?? -ENOENT, 'open', path);
  try {
    for (let at = start; at < start + length;) {
      const buffer = new Uint8Array(Math.min(READ_BYTES, start + length - at));
      const count = checkErrno(await files.read(handle, buffer, at), 'read', path);
      if (count === 0) return;
      yield buffer.subarray(0, count);
      at += count;
    }
  } finally {
    disk.files.close(handle);
  }
}

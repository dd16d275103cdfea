/**
 * The registry's directory: blobs by digest, once for all repositories, as in the store of images, and for each repository what
 * of them it has. A blob that a repository has no link to is not there for its readers.
 *
 *   blobs/sha256/HEX                       bytes of layers, configurations and manifests
 *   repositories/NAME/_blobs/sha256-HEX    the repository has the blob; its time says when it was asked for last
 *   repositories/NAME/_manifests/sha256-HEX, _tags/TAG, _referrers/SUBJECT/DIGEST
 *   repositories/NAME/_uploads/ID          bytes that have come so far
 *   tmp/PID-RANDOM                         what is being written
 *
 * No part of a repository's name begins with an underscore, so the directories do not meet.
 */
import type { HostAsyncFiles, ImageHost } from '../host/types.ts';
import { Blobs, Disk } from '../image/index.ts';
import { collectDirectory } from './directory-garbage.ts';
import { DirectorySync } from './directory-sync.ts';
import { isRepositoryName } from './names.ts';
import { MOST_REPOSITORIES } from './limits.ts';
import { DirectoryRepository } from './directory-repository.ts';
import { scrubDirectory } from './directory-scrub.ts';
import { DirectoryUploads } from './directory-uploads.ts';
import type { GarbageOptions, GarbageReport, LocalFiles, RegistryStorage, ScrubReport } from './storage.ts';

/** Names of repositories are looked up on the disk again after this: other processes make and remove some. */
const NAMES_LIFETIME_MS = 5000;
const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

/** A directory for what concerns one instance of a registry that is kept elsewhere. @throws StoreError */
export function openLocalFiles(host: ImageHost, files: HostAsyncFiles, directory: string): LocalFiles {
  const disk = new Disk(host, directory);
  disk.makeDirectory(disk.path('tmp'));
  return { disk, files, names: new DirectorySync(disk, files) };
}

export class DirectoryStorage implements RegistryStorage, LocalFiles {
  readonly kind = 'directory';
  readonly disk: Disk;
  readonly blobs: Blobs;
  readonly files: HostAsyncFiles;
  /** Brings names to the disk. */
  readonly names: DirectorySync;
  #names: { readonly list: readonly string[]; readonly atMs: number } | undefined;

  private constructor(disk: Disk, files: HostAsyncFiles) {
    this.disk = disk;
    this.blobs = new Blobs(disk);
    this.files = files;
    this.names = new DirectorySync(disk, files);
  }

  /** `directory`: a byte-string path, which is made if need be. @throws StoreError */
  static open(host: ImageHost, files: HostAsyncFiles, directory: string): DirectoryStorage {
    const disk = new Disk(host, directory);
    for (const part of ['blobs/sha256', 'repositories', 'tmp']) disk.makeDirectory(disk.path(part));
    if (!disk.exists(disk.path('oci-layout'))) disk.writeFile(disk.path('oci-layout'), new TextEncoder().encode(LAYOUT));
    return new DirectoryStorage(disk, files);
  }

  /** `name` was checked. */
  repository(name: string): DirectoryRepository {
    return new DirectoryRepository(this, name);
  }

  get host(): ImageHost {
    return this.disk.host;
  }

  get local(): LocalFiles {
    return this;
  }

  now(): number {
    return this.disk.host.now();
  }

  openUploads(): DirectoryUploads {
    return new DirectoryUploads(this);
  }

  collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
    return collectDirectory(this, options);
  }

  scrub(): Promise<ScrubReport> {
    return scrubDirectory(this);
  }

  checkHealth(): void {
    this.disk.newFile().discard();
  }

  /** Names of all repositories, sorted by bytes. */
  repositories(): readonly string[] {
    const now = this.disk.host.now();
    if (this.#names !== undefined && now - this.#names.atMs < NAMES_LIFETIME_MS) return this.#names.list;
    const list: string[] = [];
    this.#collect('', list);
    list.sort();
    this.#names = { list, atMs: now };
    return list;
  }

  #collect(prefix: string, into: string[]): void {
    const names = this.disk.list(this.disk.path('repositories', prefix));
    if (prefix !== '' && names.some((name) => name === '_manifests' || name === '_blobs')) into.push(prefix);
    for (const name of names) {
      const inner = prefix === '' ? name : `${prefix}/${name}`;
      if (!name.startsWith('_') && isRepositoryName(inner) && into.length < MOST_REPOSITORIES) this.#collect(inner, into);
    }
  }

  /** A repository came or went: the list of names is read again. */
  forgetNames(): void {
    this.#names = undefined;
  }
}

/**
 * Garbage collection, while pushes go on. A link whose blob no manifest of its repository needs, and a blob that no repository has
 * a link to, go when nobody has asked for them for a while (the grace). Links that a push counts on are made young again
 * (`Repository.renew`), so there is always the grace between "it is there" and the manifest that needs it. What goes is set aside
 * first and comes back if it is needed by then: several processes may use the directory.
 */
import { ENOENT } from '../abi/errno.ts';
import { algorithmOf, checkErrno, isDigest } from '../image/index.ts';
import type { Digest } from '../image/index.ts';
import { needsOf } from './documents.ts';
import { UPLOAD_LIFETIME_MS } from './limits.ts';
import type { DirectoryRepository } from './directory-repository.ts';
import type { DirectoryStorage } from './directory-storage.ts';
import { pause } from './storage.ts';
import type { GarbageOptions, GarbageReport } from './storage.ts';

class Collector {
  readonly report: GarbageReport = { links: 0, blobs: 0, bytes: 0, repositories: 0, temporary: 0 };
  readonly #storage: DirectoryStorage;
  readonly #options: GarbageOptions;
  readonly #oldestMs: number;

  constructor(storage: DirectoryStorage, options: GarbageOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#oldestMs = storage.disk.host.now() - options.graceMs;
  }

  #isOld(path: string, oldestMs = this.#oldestMs): boolean {
    const stat = this.#storage.disk.files.lstat(path);
    return typeof stat !== 'number' && Number(stat.mtimeNs / 1_000_000n) <= oldestMs;
  }

  /** Sets a file aside, and away if it is still old and `isNeeded` still says no. True: it went. */
  #drop(path: string, isNeeded: () => boolean): boolean {
    if (this.#options.dryRun) return true;
    const { disk } = this.#storage;
    const aside = disk.path('tmp', `garbage-${crypto.randomUUID()}`);
    const moved = disk.files.rename(path, aside);
    if (moved === -ENOENT) return false;
    checkErrno(moved, 'move away', path);
    const isBack = isNeeded() || !this.#isOld(aside);
    // What took its place meanwhile stays.
    if (isBack && !disk.exists(path)) checkErrno(disk.files.rename(aside, path), 'rename to', path);
    else disk.remove(aside);
    return !isBack;
  }

  async links(repository: DirectoryRepository): Promise<void> {
    const seen = new Set<Digest>();
    const needed = new Set<Digest>();
    const mark = (digest: Digest): void => {
      if (seen.has(digest)) return;
      seen.add(digest);
      for (const need of needsOf(repository.manifest(digest), repository.manifestBytes(digest))) needed.add(need);
    };
    for (const [index, digest] of repository.manifests().entries()) {
      mark(digest);
      if (index % 50 === 49) await pause();
    }
    const isNeeded = (digest: Digest): boolean => {
      for (const manifest of repository.manifests()) mark(manifest);
      return needed.has(digest);
    };
    // Manifests that were removed are gone from the disk before what they need is.
    if (!this.#options.dryRun) await this.#storage.names.sync([repository.path('_tags'), repository.path('_manifests')]);
    for (const digest of repository.links()) {
      if (needed.has(digest) || !this.#isOld(repository.linkPath(digest))) continue;
      if (this.#drop(repository.linkPath(digest), () => isNeeded(digest))) this.report.links++;
    }
  }

  async blobs(repositories: readonly string[]): Promise<void> {
    const { disk } = this.#storage;
    const linked = new Set<string>();
    for (const name of repositories) {
      const repository = this.#storage.repository(name);
      for (const digest of [...repository.links(), ...repository.manifests()]) linked.add(digest);
      await pause();
    }
    for (const algorithm of disk.list(disk.path('blobs'))) {
      for (const [index, hex] of disk.list(disk.path('blobs', algorithm)).entries()) {
        const digest = `${algorithm}:${hex}`;
        if (!linked.has(digest) && isDigest(digest) && algorithmOf(digest) === algorithm) this.#blob(digest);
        if (index % 200 === 199) await pause();
      }
    }
  }

  #blob(digest: Digest): void {
    const path = this.#storage.blobs.pathOf(digest);
    if (!this.#isOld(path)) return;
    const size = this.#storage.blobs.sizeOf(digest) ?? 0;
    this.#storage.forgetNames();
    const isLinked = (): boolean => this.#storage.repositories().some((name) => {
      const repository = this.#storage.repository(name);
      return repository.hasLink(digest) || repository.manifest(digest) !== undefined;
    });
    if (!this.#drop(path, isLinked)) return;
    this.report.blobs++;
    this.report.bytes += size;
  }

  /** Directories of a repository that has nothing any more; whatever is not empty stays. */
  emptyRepository(repository: DirectoryRepository): void {
    if (repository.links().length > 0 || repository.manifests().length > 0 || this.#options.dryRun) return;
    const { disk } = this.#storage;
    const parts = ['_blobs', '_manifests', '_tags', '_uploads', '_referrers'];
    if (parts.some((part) => disk.exists(repository.path(part)) && !this.#isOld(repository.path(part)))) return;
    for (const subject of disk.list(repository.path('_referrers'))) disk.files.rmdir(repository.path('_referrers', subject));
    for (const part of parts) disk.files.rmdir(repository.path(part));
    if (repository.exists()) return;
    this.report.repositories++;
    const names = repository.name.split('/');
    for (let count = names.length; count > 0; count--) disk.files.rmdir(disk.path('repositories', ...names.slice(0, count)));
    this.#storage.forgetNames();
  }

  #removeOld(directory: string): void {
    const { disk } = this.#storage;
    for (const name of disk.list(directory)) {
      if (!this.#isOld(`${directory}/${name}`, disk.host.now() - UPLOAD_LIFETIME_MS)) continue;
      this.report.temporary++;
      if (!this.#options.dryRun) disk.remove(`${directory}/${name}`);
    }
  }

  /** Uploads that nobody goes on with. */
  uploads(repository: DirectoryRepository): void {
    this.#removeOld(repository.path('_uploads'));
  }

  /** What processes that were killed have left. */
  temporary(): void {
    this.#removeOld(this.#storage.disk.path('tmp'));
  }
}

/** @throws StoreError */
export async function collectDirectory(storage: DirectoryStorage, options: GarbageOptions): Promise<GarbageReport> {
  const collector = new Collector(storage, options);
  storage.forgetNames();
  const names = storage.repositories();
  for (const name of names) await collector.links(storage.repository(name));
  await collector.blobs(names);
  for (const name of names) {
    collector.uploads(storage.repository(name));
    collector.emptyRepository(storage.repository(name));
  }
  collector.temporary();
  return collector.report;
}

/** All readers of packages, and what one layer says. */
import { S_IFMT, S_IFREG } from '../../abi/stat.ts';
import { LEAST_KEYRING_BYTES, MOST_KEYRINGS_BYTES } from '../limits.ts';
import { baseName } from '../text.ts';
import type { ScanFile } from '../types.ts';
import { APK, apkOwnedPaths, isApkList } from './apk.ts';
import { BINARIES } from './binaries.ts';
import { APT_KEYRINGS, APT_SOURCES, DPKG, isFileList, ownedPaths } from './dpkg.ts';
import { JAR } from './jar.ts';
import { NPM_INSTALLED, NPM_LOCK, PNPM_LOCK, YARN_LOCK } from './npm.ts';
import { OS_RELEASE } from './os-release.ts';
import { CARGO_LOCK, COMPOSER, COMPOSER_INSTALLED, GEMFILE_LOCK, GEM_INSTALLED, NUGET_DEPS, NUGET_LOCK } from './other-languages.ts';
import { PIPFILE_LOCK, PYTHON_INSTALLED, PYTHON_TOML_LOCK, REQUIREMENTS } from './python.ts';
import { RPM, isRpmDatabase, rpmOwnedPaths } from './rpm.ts';
import type { PackageReader, PackageRecord, ReaderTools } from './types.ts';

export const READERS: readonly PackageReader[] = [
  OS_RELEASE, APT_SOURCES, APT_KEYRINGS, DPKG, APK, RPM, NPM_INSTALLED, NPM_LOCK, YARN_LOCK, PNPM_LOCK, PYTHON_INSTALLED, PYTHON_TOML_LOCK, PIPFILE_LOCK, REQUIREMENTS,
  GEM_INSTALLED, GEMFILE_LOCK, CARGO_LOCK, NUGET_DEPS, NUGET_LOCK, COMPOSER, COMPOSER_INSTALLED, JAR, BINARIES,
];
/** Counted up where a reader would find other packages than before. */
export const READERS_VERSION = 3;

/** Reads what one layer has of packages. */
export class LayerPackages {
  readonly records: PackageRecord[] = [];
  readonly #tools: ReaderTools;
  /** Lists of files, which are read at the end: only what has packages of its own is looked up in them. */
  readonly #owners: ScanFile[] = [];

  #keyringBytes = 0;

  constructor(tools: ReaderTools) {
    this.#tools = tools;
  }

  look(file: ScanFile): void {
    if ((file.mode & S_IFMT) !== S_IFREG) return;
    const name = baseName(file.path);
    if (isFileList(file) || isApkList(file.path) || isRpmDatabase(file.path)) this.#owners.push(file);
    for (const reader of READERS) {
      if (!reader.wants(file, name)) continue;
      if (reader.kind === 'keyring' && !this.#hasRoomFor(file)) return;
      const found = reader.read(file, this.#tools);
      if (found !== undefined) this.records.push({ path: file.path, kind: reader.kind, reader: reader.name, ...found });
      return;
    }
  }

  #hasRoomFor({ size }: ScanFile): boolean {
    this.#keyringBytes += Math.max(LEAST_KEYRING_BYTES, size);
    return this.#keyringBytes <= MOST_KEYRINGS_BYTES;
  }

  finish(): void {
    const paths = new Set(this.records.filter(({ kind, reader }) => kind === 'binary' || (kind === 'installed' && !['dpkg', 'apk', 'rpm'].includes(reader))).map(({ path }) => path));
    if (paths.size === 0) return;
    for (const file of this.#owners) {
      const owned = isFileList(file) ? ownedPaths(file, paths) : isApkList(file.path) ? apkOwnedPaths(file, paths) : rpmOwnedPaths(file, paths);
      if (owned.length > 0) this.records.push({ path: file.path, kind: 'owner', reader: 'files', packages: [], owned });
    }
  }
}

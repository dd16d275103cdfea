/** Which package brought which file: dpkg's and apk's own lists, read before a program of the container could change them. */
import { MOST_LISTED_FILES, MOST_LISTS, MOST_LIST_BYTES } from './limits.ts';

/** A container's files. Answers are negative where there is nothing. */
export interface ReadableFiles {
  readFile(path: string): Uint8Array | number;
  list(path: string): readonly { readonly name: string }[] | number;
  stat(path: string): { readonly type: string } | number;
}

export interface ListedPackage {
  readonly type: 'deb' | 'apk';
  readonly name: string;
  readonly architecture: string | undefined;
}

const DPKG = '/var/lib/dpkg/info';
const APK = '/lib/apk/db/installed';
/** Since the merge of /usr these are links into it, and lists may still have the old names. */
const MERGED = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

export class PackageFiles {
  readonly packages: readonly ListedPackage[];
  /** Path to index. */
  readonly #owners = new Map<string, number>();
  readonly #moved: ReadonlySet<string>;

  constructor(files: ReadableFiles) {
    const packages: ListedPackage[] = [];
    this.#moved = new Set(MERGED.filter((path) => {
      const stat = files.stat(path);
      return typeof stat !== 'number' && stat.type === 'symlink';
    }));
    this.#readDpkg(files, packages);
    this.#readApk(files, packages);
    this.packages = packages;
  }

  /** The package that brought a file, by its real path. */
  ownerOf(path: string): ListedPackage | undefined {
    const index = this.#owners.get(path);
    return index === undefined ? undefined : this.packages[index];
  }

  #add(path: string, index: number): void {
    if (this.#owners.size >= MOST_LISTED_FILES) return;
    const top = /^\/[^/]+(?=\/)/.exec(path)?.[0];
    this.#owners.set(top !== undefined && this.#moved.has(top) ? `/usr${path}` : path, index);
  }

  #readDpkg(files: ReadableFiles, packages: ListedPackage[]): void {
    const names = files.list(DPKG);
    if (typeof names === 'number') return;
    for (const { name: file } of names) {
      const [, name, architecture] = /^([^:/]+)(?::([^:/]+))?\.list$/.exec(file) ?? [];
      if (name === undefined || packages.length >= MOST_LISTS || this.#owners.size >= MOST_LISTED_FILES) continue;
      const bytes = files.readFile(`${DPKG}/${file}`);
      if (typeof bytes === 'number' || bytes.length > MOST_LIST_BYTES) continue;
      packages.push({ type: 'deb', name, architecture });
      for (const line of textOf(bytes).split('\n')) if (line.startsWith('/') && line !== '/.') this.#add(line, packages.length - 1);
    }
  }

  /** `P:` begins a package, `F:` is a directory, `R:` a file in it. */
  #readApk(files: ReadableFiles, packages: ListedPackage[]): void {
    const bytes = files.readFile(APK);
    if (typeof bytes === 'number' || bytes.length > 8 * MOST_LIST_BYTES) return;
    let directory = '';
    for (const line of textOf(bytes).split('\n')) {
      const value = line.slice(2);
      if (line.startsWith('P:') && packages.length < MOST_LISTS) packages.push({ type: 'apk', name: value, architecture: undefined });
      else if (line.startsWith('F:')) directory = value;
      else if (line.startsWith('R:') && packages.at(-1)?.type === 'apk') this.#add(`/${directory === '' ? '' : `${directory}/`}${value}`, packages.length - 1);
    }
  }
}

/** Byte strings. */
function textOf(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

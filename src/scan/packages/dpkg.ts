/** dpkg's lists: `status`, and the pieces of it that distroless images have in `status.d`. */
import { MOST_KEYRING_BYTES, MOST_LIST_BYTES } from '../limits.ts';
import { asciiOf, base64Of, baseName, textOf } from '../text.ts';
import type { ScanFile } from '../types.ts';
import { PackageList } from './checked.ts';
import { paragraphs } from './deb822.ts';
import type { PackageReader } from './types.ts';

const FIELDS = ['Package', 'Status', 'Version', 'Architecture', 'Source'] as const;
export const DPKG_STATUS = 'var/lib/dpkg/status';

/** `Source: gcc-12 (12.2.0-14)` */
function sourceOf(text: string | undefined): { readonly sourceName: string | undefined; readonly sourceVersion: string | undefined } {
  const [, sourceName, sourceVersion] = /^(\S+)(?:\s+\(([^)]*)\))?/.exec(text ?? '') ?? [];
  return { sourceName, sourceVersion };
}

/** dpkg-query(1): `Status: want flag status`. What is only half there is there; what has left its configuration files is not. */
function isInstalled(status: string | undefined): boolean {
  if (status === undefined) return true;
  const state = status.split(/\s+/)[2];
  return state !== 'not-installed' && state !== 'config-files';
}

export function readStatus(text: string): PackageList {
  const list = new PackageList();
  for (const fields of paragraphs(text, FIELDS)) {
    if (!isInstalled(fields.get('Status'))) continue;
    list.add({ type: 'deb', name: fields.get('Package'), version: fields.get('Version'), architecture: fields.get('Architecture'), ...sourceOf(fields.get('Source')) });
  }
  return list;
}

export const DPKG: PackageReader = {
  name: 'dpkg', kind: 'installed',
  wants: ({ path }) => path === DPKG_STATUS || (path.startsWith('var/lib/dpkg/status.d/') && !path.endsWith('.md5sums')),
  read: (file) => readStatus(textOf(file.read(MOST_LIST_BYTES))).result,
};

/** Whether a file lists the files of a package: `info/NAME.list`. */
export function isFileList({ path }: ScanFile): boolean {
  return path.startsWith('var/lib/dpkg/info/') && path.endsWith('.list');
}

/** Which of `paths` a list of files names. Where /lib is a link to usr/lib, both names mean the same. */
export function ownedPaths(file: ScanFile, paths: ReadonlySet<string>): readonly string[] {
  const found: string[] = [];
  for (const line of asciiOf(file.read(MOST_LIST_BYTES)).split('\n')) {
    const path = line.slice(1);
    if (paths.has(path)) found.push(path);
    else if (paths.has(`usr/${path}`)) found.push(`usr/${path}`);
  }
  return found;
}

/** apt's lists of where packages come from: for looking at the same place for newer ones. */
export const APT_SOURCES: PackageReader = {
  name: 'apt', kind: 'sources',
  wants: ({ path }) => path === 'etc/apt/sources.list' || (path.startsWith('etc/apt/sources.list.d/') && /\.(?:list|sources)$/.test(baseName(path))),
  read: (file) => ({ packages: [], text: textOf(file.read(1 << 20)) }),
};

/** Keys whose signatures on lists of packages count: those of all sources, and where `Signed-By` finds those of one (apt-secure(8), sources.list(5)). */
export const APT_KEYRINGS: PackageReader = {
  name: 'apt-keys', kind: 'keyring',
  wants: ({ path, size }) => size <= MOST_KEYRING_BYTES && (path === 'etc/apt/trusted.gpg' || (/^(?:etc\/apt\/(?:trusted\.gpg\.d|keyrings)|usr\/(?:local\/)?share\/keyrings)\/[^/]+$/.test(path) && isKeyring(path))),
  read: (file) => ({ packages: [], keyring: base64Of(file.read(MOST_KEYRING_BYTES)) }),
};

function isKeyring(path: string): boolean {
  return /\.(?:gpg|pgp|asc)$/.test(path) && !path.endsWith('-removed-keys.gpg');
}

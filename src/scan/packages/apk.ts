/** apk's list of what is installed (Alpine; apk-tools' `lib/apk/db/installed`): paragraphs of one-letter fields. */
import { MOST_LIST_BYTES } from '../limits.ts';
import { textOf } from '../text.ts';
import type { ScanFile } from '../types.ts';
import { PackageList } from './checked.ts';
import type { PackageReader } from './types.ts';

export function isApkList(path: string): boolean {
  return path === 'lib/apk/db/installed' || path === 'usr/lib/apk/db/installed';
}

export function readInstalled(text: string): PackageList {
  const list = new PackageList();
  let fields = new Map<string, string>();
  const finish = (): void => {
    list.add({ type: 'apk', name: fields.get('P'), version: fields.get('V'), architecture: fields.get('A'), sourceName: fields.get('o'), license: fields.get('L') });
    fields = new Map();
  };
  for (const line of text.split('\n')) {
    if (line === '') finish();
    else if (line[1] === ':' && 'PVAoL'.includes(line.charAt(0))) fields.set(line.charAt(0), line.slice(2).trim());
  }
  finish();
  return list;
}

export const APK: PackageReader = {
  name: 'apk', kind: 'installed',
  wants: ({ path }) => isApkList(path),
  read: (file) => readInstalled(textOf(file.read(MOST_LIST_BYTES))).result,
};

/** Which of `paths` the packages own: directories are `F:`, files in them `R:`. */
export function apkOwnedPaths(file: ScanFile, paths: ReadonlySet<string>): readonly string[] {
  const found: string[] = [];
  let directory = '';
  for (const line of textOf(file.read(MOST_LIST_BYTES)).split('\n')) {
    if (line.startsWith('F:')) directory = line.slice(2);
    else if (line.startsWith('R:')) {
      const path = directory === '' ? line.slice(2) : `${directory}/${line.slice(2)}`;
      if (paths.has(path)) found.push(path);
    }
  }
  return found;
}

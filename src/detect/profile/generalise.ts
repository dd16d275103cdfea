/** Paths that were seen become patterns, where names differ from run to run or are many. What lets strangers in is never made wider. */
import { LINES_TO_GENERALISE, DIRECTORIES_TO_GENERALISE } from '../limits.ts';
import { literal, PatternSet } from './patterns.ts';

const TEMPORARY: readonly string[] = ['/tmp', '/var/tmp', '/dev/shm'];
/** Directories of which no pattern is made: beside what was used there are secrets, devices, or everything. */
const NEVER_WIDER: ReadonlySet<string> = new Set([
  '', '/etc', '/root', '/home', '/proc', '/sys', '/dev', '/run', '/var', '/usr', '/opt', '/boot', '/mnt', '/media', '/var/run', '/run/secrets', '/var/run/secrets', '/etc/ssl/private', '/var/lib', '/usr/bin', '/usr/sbin', '/bin', '/sbin', '/usr/local/bin', '/usr/local/sbin',
]);
const SECRET_NAMES: ReadonlySet<string> = new Set(['.ssh', '.aws', '.gnupg', '.kube', '.docker', '.config', 'private', 'secrets', 'serviceaccount']);

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

function mayBeWider(directory: string, isDeep: boolean): boolean {
  const parts = directory.split('/').slice(1);
  if (NEVER_WIDER.has(directory) || parts.some((part) => SECRET_NAMES.has(part))) return false;
  if (['proc', 'sys', 'dev'].includes(parts[0] ?? '')) return false;
  return !isDeep || (parts.length >= 2 && !['root', 'home', 'etc'].includes(parts[0]!));
}

/** Numbers of processes, descriptors and terminals, which are others each time. */
export function withoutNumbers(path: string): string {
  const escaped = literal(path);
  if (path.startsWith('/proc/')) return escaped.replace(/^(\/proc\/)\d+(?=\/|$)/, '$1@{pid}').replace(/\/(task|fd|fdinfo|map_files)\/\d+(?=\/|$)/g, '/$1/@{pid}');
  return path.startsWith('/dev/pts/') ? escaped.replace(/\/\d+$/, '/@{pid}') : escaped;
}

/** The pattern of a directory for what is temporary, where the path is in one. */
export function temporaryPattern(path: string): string | undefined {
  const found = TEMPORARY.find((directory) => path.startsWith(`${directory}/`));
  return found === undefined ? undefined : `${found}/**`;
}

/** By what is in front of their last name, or of `/*`. */
function grouped(patterns: Iterable<string>, directoryOf: (pattern: string) => string | undefined): ReadonlyMap<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const pattern of patterns) {
    const directory = directoryOf(pattern);
    if (directory === undefined) continue;
    const group = groups.get(directory);
    if (group === undefined) groups.set(directory, [pattern]);
    else group.push(pattern);
  }
  return groups;
}

/** Without those that another one has as well. */
export function withoutCovered(patterns: Iterable<string>): string[] {
  const all = [...new Set(patterns)];
  const wide = new PatternSet(all.filter((pattern) => /(?<!\\)[*?[]|@\{/.test(pattern)));
  const isWide = (pattern: string): boolean => /(?<!\\)[*?[]|@\{/.test(pattern);
  const below = new PatternSet(all.filter((pattern) => pattern.endsWith('/**')));
  return all.filter((pattern) => (isWide(pattern) ? pattern.endsWith('/**') || !below.has(pattern) : !wide.has(pattern.replace(/\\(.)/g, '$1')))).sort();
}

/** @returns sorted patterns. */
export function generalise(patterns: Iterable<string>): readonly string[] {
  const found = new Set(withoutCovered(patterns));
  for (const [directory, group] of grouped(found, (pattern) => (pattern.endsWith('*') ? undefined : parentOf(pattern)))) {
    if (group.length < LINES_TO_GENERALISE || !mayBeWider(directory, false)) continue;
    for (const pattern of group) found.delete(pattern);
    found.add(`${directory}/*`);
  }
  // From the deepest on: what has become one line may be one of several above.
  const isWhole = (pattern: string): boolean => pattern.endsWith('/*') || pattern.endsWith('/**');
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const [directory, group] of grouped([...found].filter(isWhole), (pattern) => parentOf(parentOf(pattern)))) {
      if (group.length < DIRECTORIES_TO_GENERALISE || !mayBeWider(directory, true)) continue;
      for (const pattern of found) if (pattern.startsWith(`${directory}/`)) found.delete(pattern);
      found.add(`${directory}/**`);
      isChanged = true;
    }
  }
  return withoutCovered(found);
}

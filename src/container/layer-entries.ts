/**
 * A difference (of a step of a build, of a container) as the entries of a layer, and their tar: sorted by bytes, so that the same difference gives the same bytes.
 * A door of the room of its own: who only runs a container does not load it.
 */
import { S_IFDIR, S_IFMT } from '../abi/stat.ts';
import type { Change } from '../fs/changes.ts';
import type { Inode } from '../fs/types.ts';
import { tarEnd, tarHeader, tarPadding } from '../image/index.ts';
import type { NewEntry } from '../image/index.ts';
import { InodeNode, byBytes } from './tree-node.ts';
import type { TreeNode } from './tree-node.ts';

export { InodeNode, NODE_KINDS } from './tree-node.ts';
export type { NodeAttributes, NodeKind, TreeNode } from './tree-node.ts';

/** OCI image-spec layer.md "Whiteouts". */
const WHITEOUT_PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';

export interface LayerEntry extends NewEntry {
  readonly node?: TreeNode;
}

const minorOf = (rdev: number): number => (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
const majorOf = (rdev: number): number => (rdev >>> 8) & 0xfff;

/** Which time an entry gets. The time at which something was built is no part of what was built. */
export interface TimeRule {
  /** Seconds since the epoch: for what has no time of its own. */
  readonly epoch: number;
  /** No time is later than `epoch` (SOURCE_DATE_EPOCH). */
  readonly isLimit: boolean;
  /** Times from here on (nanoseconds) are those of the build itself, and become `epoch`. */
  readonly ownFrom: bigint | undefined;
}

function timeOf(mtimeNs: bigint | undefined, { epoch, isLimit, ownFrom }: TimeRule): bigint {
  const own = BigInt(epoch) * 1_000_000_000n;
  if (mtimeNs === undefined || (ownFrom !== undefined && mtimeNs >= ownFrom) || (isLimit && mtimeNs > own)) return own;
  return mtimeNs;
}

export interface EntryOptions {
  /** Of whom it is; absent: as the node says. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly mode?: number | undefined;
  readonly times: TimeRule;
  /** Of a hard link: the path of the entry that has the bytes. */
  readonly linkTarget?: string | undefined;
}

/** Undefined: it has no form in a tar (a socket). `path`: without a slash before or behind it. */
export function entryOf(path: string, node: TreeNode, { owner, mode, times, linkTarget }: EntryOptions): LayerEntry | undefined {
  if (node.kind === 'socket') return undefined;
  const { attributes } = node;
  const mtimeNs = timeOf(attributes.mtimeNs, times);
  const seconds = mtimeNs >= 0n ? mtimeNs / 1_000_000_000n : -((-mtimeNs + 999_999_999n) / 1_000_000_000n);
  const shared = {
    path: node.kind === 'directory' ? `${path}/` : path, uid: owner?.uid ?? attributes.uid, gid: owner?.gid ?? attributes.gid,
    mode: node.kind === 'symlink' ? 0o777 : mode ?? attributes.mode, mtimeSeconds: Number(seconds), mtimeNanoseconds: Number(mtimeNs - seconds * 1_000_000_000n),
  };
  if (linkTarget !== undefined) return { ...shared, type: 'link', linkTarget };
  const xattrs = node.xattrs();
  const full = { ...shared, ...(xattrs.size === 0 ? {} : { xattrs }) };
  if (node.kind === 'symlink') return { ...full, type: 'symlink', linkTarget: node.readLink() };
  if (node.kind === 'character-device' || node.kind === 'block-device') return { ...full, type: node.kind, major: majorOf(attributes.rdev), minor: minorOf(attributes.rdev) };
  return { ...full, type: node.kind, ...(node.kind === 'file' ? { size: attributes.size, node } : {}) };
}

function whiteout(path: string, epoch: number): LayerEntry {
  const slash = path.lastIndexOf('/') + 1;
  return { path: `${path.slice(0, slash)}${WHITEOUT_PREFIX}${path.slice(slash)}`, type: 'file', mode: 0o644, mtimeSeconds: epoch, size: 0 };
}

/** Kept by the container itself, as in Docker: never part of a layer. */
const OWN_FILES = new Set(['/etc/hosts', '/etc/hostname', '/etc/resolv.conf']);

/** What a command changed. */
export function entriesOfChanges(changes: Iterable<Change<Inode>>, times: TimeRule): readonly LayerEntry[] {
  const { epoch } = times;
  const entries: LayerEntry[] = [];
  const linked = new Map<number, string>();
  const deleted = new Set<string>();
  for (const { kind, path, inode } of changes) {
    if (OWN_FILES.has(path)) continue;
    const name = path.slice(1);
    if (kind === 'D' || inode === undefined) {
      deleted.add(name);
      continue;
    }
    const isDirectory = (inode.mode & S_IFMT) === S_IFDIR;
    const linkTarget = isDirectory ? undefined : linked.get(inode.ino);
    const entry = entryOf(name, new InodeNode(inode), { times, linkTarget });
    if (entry === undefined) continue;
    if (!isDirectory && linkTarget === undefined) linked.set(inode.ino, name);
    entries.push(entry);
    // What took the place of something hides it; a directory does so only if it says it.
    if (deleted.delete(name) && isDirectory) entries.push({ path: `${name}/${OPAQUE}`, type: 'file', mode: 0o644, mtimeSeconds: epoch, size: 0 });
  }
  return [...entries, ...Array.from(deleted, (path) => whiteout(path, epoch))];
}

/** Parents before children, siblings by bytes; hard links behind what they lead to. */
export function sortEntries(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  // What hides the rest of a directory stands first in it.
  const key = ({ path }: LayerEntry): string => path.replace(/\/$/, '').replaceAll('/', '\0').replace(`\0${OPAQUE}`, '\0');
  return entries.map((entry) => [key(entry), entry] as const).sort(([left], [right]) => byBytes(left, right)).map(([, entry]) => entry);
}

/** The bytes of the layer's tar. `entries`: sorted. */
export async function* layerTar(entries: readonly LayerEntry[]): AsyncIterable<Uint8Array> {
  for (const entry of entries) {
    yield tarHeader(entry);
    if (entry.node === undefined || entry.type !== 'file') continue;
    const size = entry.size ?? 0;
    let written = 0;
    for (const chunk of entry.node.contents()) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== size) throw new RangeError(`"${entry.path}" has ${written} bytes where ${size} were announced`);
    yield tarPadding(size);
  }
  yield tarEnd();
}

/** What differs between an overlay and its lower layer: the lines of `docker diff`. */
import { S_IFMT } from '../abi/stat.ts';
import { OverlayInode } from './overlay.ts';
import type { OverlayFs } from './overlay.ts';
import type { Inode } from './types.ts';

export interface Change<Kind extends Inode = OverlayInode> {
  /** Added, changed, deleted. */
  readonly kind: 'A' | 'C' | 'D';
  /** Absolute, latin1. */
  readonly path: string;
  /** As it is now; absent for what was deleted. */
  readonly inode?: Kind;
  /** Only attributes changed; the bytes are those of the lower file. */
  readonly metadataOnly?: boolean;
}

/** All changes, parents before children, names in byte order. `withRoot`: the top too, as the path `/`, where its attributes changed. */
export function* changes(overlay: OverlayFs, { withRoot = false } = {}): Iterable<Change> {
  if (withRoot && overlay.root.upper !== undefined) yield { kind: 'C', path: '/', inode: overlay.root, metadataOnly: true };
  yield* changesBelow(overlay.root, '');
}

function* changesBelow(directory: OverlayInode, path: string): Iterable<Change> {
  const known = new Map(directory.knownChildren);
  const names = new Set(directory.whiteouts);
  for (const [name, child] of known) if (child.dirty) names.add(name);
  for (const name of [...names].sort(byBytes)) {
    const at = `${path}/${name}`;
    const child = known.get(name);
    const before = directory.lower?.lookup(name);
    const existed = before !== undefined && typeof before !== 'number';
    if (child === undefined || !child.dirty) {
      if (existed) yield { kind: 'D', path: at };
    } else if (child.lower !== undefined && child.originParent === directory && child.originName === name) {
      if (child.upper !== undefined) yield { kind: 'C', path: at, inode: child, metadataOnly: child.upper.data?.isBacked ?? true };
      if (child.isDirectory) yield* changesBelow(child, at);
    } else if (existed && !child.isDirectory && (before.mode & S_IFMT) === (child.mode & S_IFMT)) {
      yield { kind: 'C', path: at, inode: child };
    } else {
      if (existed) yield { kind: 'D', path: at };
      yield* added(child, at);
    }
  }
}

/** A new or moved object with all that is in it. */
function* added(inode: OverlayInode, path: string): Iterable<Change> {
  yield { kind: 'A', path, inode };
  if (!inode.isDirectory) return;
  const entries = inode.readDirectory();
  if (typeof entries === 'number') return;
  for (const { name } of [...entries].sort((a, b) => byBytes(a.name, b.name))) {
    const child = inode.lookup(name);
    if (child instanceof OverlayInode) yield* added(child, `${path}/${name}`);
  }
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** What the upper ones of some layers change of the lower ones: only what the upper ones name is looked at. */
import { S_IFMT } from '../abi/stat.ts';
import type { Change } from './changes.ts';
import { LayerInode } from './layerfs.ts';
import type { LayerFs } from './layerfs.ts';

/**
 * As `changes` of an overlay: parents before children, names in byte order; what took the place of something of another kind is deleted first.
 *
 * `lower`: the same layers up to `first`; none: everything is new.
 */
export function* changesAbove(whole: LayerFs, lower: LayerFs | undefined, first: number): Iterable<Change<LayerInode>> {
  yield* changesIn(whole.root, lower?.root, '', first);
}

function* changesIn(directory: LayerInode, below: LayerInode | undefined, path: string, first: number): Iterable<Change<LayerInode>> {
  for (const name of [...directory.namesFrom(first)].sort(byBytes)) {
    const at = `${path}/${name}`;
    const before = found(below, name);
    const now = found(directory, name);
    if (now === undefined) {
      if (before !== undefined) yield { kind: 'D', path: at };
      continue;
    }
    if (before === undefined) {
      yield* added(now, at);
      continue;
    }
    const isSame = (before.mode & S_IFMT) === (now.mode & S_IFMT);
    if (now.path === undefined && isSame) yield { kind: 'C', path: at, inode: now };
    else if (now.path !== undefined && isSame && now.showsBelow(first)) {
      if (now.isNamedFrom(first)) yield { kind: 'C', path: at, inode: now, metadataOnly: true };
      yield* changesIn(now, before, at, first);
    } else {
      yield { kind: 'D', path: at };
      yield* added(now, at);
    }
  }
}

function found(directory: LayerInode | undefined, name: string): LayerInode | undefined {
  const answer = directory?.path === undefined ? undefined : directory.lookup(name);
  return answer instanceof LayerInode ? answer : undefined;
}

/** A new object with all that is in it. */
function* added(inode: LayerInode, path: string): Iterable<Change<LayerInode>> {
  yield { kind: 'A', path, inode };
  const entries = inode.path === undefined ? [] : inode.readDirectory();
  if (typeof entries === 'number') return;
  for (const name of entries.map((entry) => entry.name).sort(byBytes)) {
    const child = found(inode, name);
    if (child !== undefined) yield* added(child, `${path}/${name}`);
  }
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

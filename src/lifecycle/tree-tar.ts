/** A tree, or a part of it, as a tar: what `export` and `cp` give out. */
import { S_IFDIR, S_IFLNK, S_IFMT } from '../abi/stat.ts';
import { InodeNode, entryOf } from '../container/layer-entries.ts';
import type { LayerEntry, TimeRule } from '../container/layer-entries.ts';
import type { Inode } from '../fs/types.ts';
import { walkPath } from '../fs/path-walk.ts';
import { LifecycleError } from './errors.ts';

const KEPT_TIMES: TimeRule = { epoch: 0, isLimit: false, ownFrom: undefined };

/** Parents before children, names in byte order. `path`: of the top, without a slash before or behind it; '' for none of its own. */
export function* entriesOfTree(top: Inode, path: string): Iterable<LayerEntry> {
  const linked = new Map<number, string>();
  const visit = function* (inode: Inode, at: string): Iterable<LayerEntry> {
    const node = new InodeNode(inode);
    const isDirectory = node.kind === 'directory';
    const entry = at === '' ? undefined : entryOf(at, node, { times: KEPT_TIMES, linkTarget: isDirectory ? undefined : linked.get(inode.ino) });
    if (entry !== undefined) {
      if (node.identity !== undefined && entry.type !== 'link') linked.set(inode.ino, at);
      yield entry;
    }
    if (!isDirectory) return;
    for (const name of node.names()) {
      const child = inode.lookup(name);
      if (typeof child !== 'number') yield* visit(child, at === '' ? name : `${at}/${name}`);
    }
  };
  yield* visit(top, path);
}

export interface FoundPath {
  readonly inode: Inode;
  readonly isDirectory: boolean;
}

/** What a path leads to, links followed as inside of the container. `follow`: in its last part, too. Undefined: nothing. @throws LifecycleError for links without end. */
export function findInTree(root: Inode, path: string, follow: boolean): FoundPath | undefined {
  const found = walkPath<Inode>(root, path.split('/'), {
    child: (directory, name) => {
      const child = directory.lookup(name);
      return typeof child === 'number' ? undefined : child;
    },
    linkTarget: (inode) => {
      const target = (inode.mode & S_IFMT) === S_IFLNK ? inode.readLink() : undefined;
      return typeof target === 'string' ? target : undefined;
    },
  }, follow);
  if (found === 'links') throw new LifecycleError(`cannot find "${path}" in the container: too many links`, 'some of them lead to each other');
  return found === 'missing' ? undefined : { inode: found, isDirectory: (found.mode & S_IFMT) === S_IFDIR };
}

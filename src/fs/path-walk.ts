/** Walks a path through a tree with links, inside that tree (path_resolution(7)): for layers when they are read and when they are mounted. */

/** As Linux (path_resolution(7)). */
const MOST_LINKS = 40;
/** Parts of a path that are still to be walked, links included. PATH_MAX allows 2,048. */
const MOST_PARTS = 4096;

export interface PathTree<Node> {
  /** Undefined: there is nothing of that name. */
  child(directory: Node, name: string): Node | undefined;
  /** Undefined: it is no link. */
  linkTarget(node: Node): string | undefined;
}

/** `missing`: a part is not there. `links`: too many links, or links that lead too far. */
export type WalkFailure = 'missing' | 'links';

/** Above the root is the root. `follow`: links in the last part, too. */
export function walkPath<Node extends object>(root: Node, parts: readonly string[], tree: PathTree<Node>, follow: boolean): Node | WalkFailure {
  const trail = [root];
  const left = [...parts].reverse();
  let links = 0;
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (trail.length > 1) trail.pop();
      continue;
    }
    const found = tree.child(trail.at(-1)!, part);
    if (found === undefined) return 'missing';
    const target = tree.linkTarget(found);
    if (target === undefined || (!follow && left.every((rest) => rest === ''))) {
      trail.push(found);
      continue;
    }
    const more = target.split('/');
    if (++links > MOST_LINKS || left.length + more.length > MOST_PARTS) return 'links';
    if (target.startsWith('/')) trail.length = 1;
    left.push(...more.reverse());
  }
  return trail.at(-1)!;
}

/** What COPY and ADD put where: from sources and a destination to the entries of a layer (BuildKit `fsutil/copy`, Dockerfile reference "COPY"). */
import type { ModeChange } from './chmod.ts';
import type { Owner } from './accounts.ts';
import { BuildError } from './errors.ts';
import { entryOf } from '../container/layer-entries.ts';
import type { LayerEntry, TimeRule } from '../container/layer-entries.ts';
import { MOST_DEPTH } from './limits.ts';
import { FilteredNode, MemoryNode, resolvePath } from './tree.ts';
import type { TreeNode } from './tree.ts';
import { IgnoreRules, cleanPath, compilePattern, hasWildcard } from './patterns.ts';
import { toText } from './text.ts';

/** One thing to copy. */
export interface CopySource {
  readonly node: TreeNode;
  /** What it is called where it becomes a file of a directory. */
  readonly name: string;
  /** Relative to the top that it comes from; with `--parents`, the part that is kept. */
  readonly path: string;
  /** Directories above it, from the top, with `--parents`. */
  readonly above?: readonly { readonly path: string; readonly node: TreeNode }[];
}

export interface CopyOptions {
  readonly owner: Owner | undefined;
  readonly mode: ModeChange | undefined;
  readonly exclude: readonly string[];
  readonly parents: boolean;
  /** The layer does not look at what is below it. */
  readonly link: boolean;
  readonly times: TimeRule;
  /** The whole of it, and whether it is a directory because of how it was written. */
  readonly destination: { readonly path: string; readonly isDirectory: boolean };
}

/** What a pattern matches in a tree: paths, sorted. `**` stands for any number of directories. */
function matchPaths(root: TreeNode, pattern: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: TreeNode, path: string, left: readonly string[], depth: number): void => {
    const [part, ...rest] = left;
    if (part === undefined) {
      found.push(path);
      return;
    }
    if (depth > MOST_DEPTH || node.kind !== 'directory') return;
    if (part === '**') visit(node, path, rest, depth);
    const expression = compilePattern(part === '**' ? '*' : part);
    for (const name of hasWildcard(part) ? node.names().filter((own) => expression.test(own)) : [part]) {
      const child = hasWildcard(part) || rest.length > 0 ? resolvePath(root, path === '' ? name : `${path}/${name}`).node : node.child(name);
      if (child !== undefined) visit(child, path === '' ? name : `${path}/${name}`, part === '**' ? left : rest, depth + 1);
    }
  };
  visit(root, '', cleanPath(pattern).split('/'), 0);
  return [...new Set(found)].sort();
}

function directoriesAbove(root: TreeNode, path: string, pivot: number): readonly { readonly path: string; readonly node: TreeNode }[] {
  const parts = path.split('/');
  return parts.slice(0, -1).flatMap((_, index) => {
    const above = parts.slice(0, index + 1).join('/');
    const { node } = resolvePath(root, above);
    return index < pivot || node === undefined ? [] : [{ path: parts.slice(pivot, index + 1).join('/'), node }];
  });
}

/** The things that a source of COPY names. @throws BuildError where there are none. */
export function findSources(root: TreeNode, text: string, from: string, parents: boolean): readonly CopySource[] {
  // `a/./b`: with --parents, what stands before the point is not kept.
  const pivotText = parents ? /^(.*?)\/\.\//.exec(text)?.[1] : undefined;
  const pivot = pivotText === undefined ? 0 : cleanPath(pivotText).split('/').filter((part) => part !== '').length;
  const clean = cleanPath(text);
  const paths = clean === '' ? [''] : hasWildcard(clean) ? matchPaths(root, clean) : [clean];
  const sources = paths.flatMap((path): CopySource[] => {
    const { node, path: real } = resolvePath(root, path);
    if (node === undefined) return [];
    const kept = path.split('/').slice(pivot).join('/');
    return [{ node, name: (path === '' ? real : path).split('/').at(-1) ?? '', path: kept, ...(parents ? { above: directoriesAbove(root, path, pivot) } : {}) }];
  });
  if (sources.length === 0) throw new BuildError(`cannot find "${toText(text)}" in ${from}`, { advice: from === 'the context' ? 'check the path, which is relative to the context, and .dockerignore' : 'check the path' });
  return sources;
}

class Plan {
  readonly entries = new Map<string, LayerEntry>();
  readonly #root: TreeNode;
  readonly #options: CopyOptions;
  readonly #linked = new Map<string, string>();
  readonly #known = new Map<string, TreeNode | undefined>();

  constructor(root: TreeNode, options: CopyOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** What is there already, in the tree or because of this instruction. */
  kindAt(path: string): TreeNode['kind'] | undefined {
    const planned = this.entries.get(path);
    if (planned !== undefined) return planned.type === 'link' ? 'file' : planned.type;
    return this.#options.link ? undefined : this.#nodeAt(path)?.kind;
  }

  /** Of a path without links. Directories are looked up once. */
  #nodeAt(path: string): TreeNode | undefined {
    if (path === '') return this.#root;
    if (this.#known.has(path)) return this.#known.get(path);
    const slash = path.lastIndexOf('/');
    const directory = this.#nodeAt(path.slice(0, Math.max(0, slash)));
    const node = directory?.kind === 'directory' ? directory.child(path.slice(slash + 1)) : undefined;
    if (node === undefined || node.kind === 'directory') this.#known.set(path, node);
    return node;
  }

  #owner(): Owner | undefined {
    return this.#options.owner;
  }

  /** Directories up to this one, where they are missing. */
  makeDirectories(path: string): void {
    if (path === '' || this.#options.link) return;
    const parts = path.split('/');
    for (let count = 1; count <= parts.length; count++) {
      const at = parts.slice(0, count).join('/');
      const kind = this.kindAt(at);
      if (kind === undefined) this.#put(at, MemoryNode.directory(new Map()), this.#owner() ?? { uid: 0, gid: 0 });
      else if (kind !== 'directory') throw new BuildError(`cannot copy into "/${toText(at)}": it is no directory`, { advice: 'copy to another place, or remove it first' });
    }
  }

  #put(path: string, node: TreeNode, owner: Owner | undefined, mode?: number): void {
    const linkTarget = node.identity === undefined ? undefined : this.#linked.get(node.identity);
    const entry = entryOf(path, node, { owner, mode, times: this.#options.times, linkTarget });
    if (entry === undefined) return;
    if (node.identity !== undefined && linkTarget === undefined) this.#linked.set(node.identity, path);
    this.entries.set(path, entry);
  }

  /** One object with all that is in it. `isTop`: the attributes of a directory that is there already stay. */
  copy(node: TreeNode, path: string, isTop: boolean, depth = 0): void {
    if (depth > MOST_DEPTH) throw new BuildError(`cannot copy "/${toText(path)}": directories are nested too deeply`);
    const isDirectory = node.kind === 'directory';
    const before = this.kindAt(path);
    if (before !== undefined && (before === 'directory') !== isDirectory) {
      throw new BuildError(`cannot copy ${isDirectory ? 'a directory' : 'a file'} to "/${toText(path)}": there is ${before === 'directory' ? 'a directory' : 'something that is no directory'}`, { advice: 'copy to another place, or remove it first' });
    }
    const mode = this.#options.mode?.(node.attributes.mode, isDirectory);
    if (!isDirectory || !isTop || before === undefined) {
      if (!isTop || !isDirectory) this.#put(path, node, this.#owner(), mode);
      else this.#put(path, MemoryNode.directory(new Map()), this.#owner() ?? { uid: 0, gid: 0 }, mode);
    }
    if (!isDirectory) return;
    for (const name of node.names()) {
      const child = node.child(name);
      if (child !== undefined) this.copy(child, path === '' ? name : `${path}/${name}`, false, depth + 1);
    }
  }
}

function filtered({ node, name }: CopySource, exclude: readonly string[]): TreeNode | undefined {
  if (exclude.length === 0) return node;
  const rules = new IgnoreRules(exclude);
  return node.kind === 'directory' ? new FilteredNode(node, rules) : rules.excludes(name) ? undefined : node;
}

/** A link to a directory is followed; a link to something else is replaced. */
function targetPath(root: TreeNode, path: string): string {
  const resolved = resolvePath(root, path);
  return resolved.node?.kind === 'directory' ? resolved.path : resolvePath(root, path, false).path;
}

/** Entries, not sorted yet. `root`: the tree that is copied into. @throws BuildError */
export function planCopy(root: TreeNode, sources: readonly CopySource[], options: CopyOptions): readonly LayerEntry[] {
  const { destination, parents, exclude } = options;
  const plan = new Plan(root, options);
  const target = options.link ? cleanPath(destination.path) : targetPath(root, destination.path);
  const isDirectory = destination.isDirectory || parents || plan.kindAt(target) === 'directory' || target === '';
  if (sources.length > 1 && !isDirectory) throw new BuildError(`cannot copy ${sources.length} things to "${toText(destination.path)}": it is no directory`, { advice: 'end it with /' });
  for (const source of sources) {
    const node = filtered(source, exclude);
    if (node === undefined) continue;
    if (parents) {
      const at = (path: string): string => (target === '' ? path : `${target}/${path}`);
      plan.makeDirectories(target);
      for (const { path, node: above } of source.above ?? []) plan.copy(childless(above), at(path), false);
      plan.copy(node, source.path === '' ? target : at(source.path), source.path === '');
    } else if (node.kind === 'directory') {
      plan.makeDirectories(target);
      plan.copy(node, target, true);
    } else {
      const path = isDirectory ? (target === '' ? source.name : `${target}/${source.name}`) : target;
      plan.makeDirectories(path.split('/').slice(0, -1).join('/'));
      plan.copy(node, path, false);
    }
  }
  return [...plan.entries.values()];
}

/** A directory alone. */
function childless(node: TreeNode): TreeNode {
  return new FilteredNode(node, new IgnoreRules(['**']));
}

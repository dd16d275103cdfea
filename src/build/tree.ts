/** What can be copied: a directory of the host, the tree of an image or of a stage, an archive. One shape for all. */
import { S_IFMT } from '../abi/stat.ts';
import { ENOENT, ERRNO_NAMES } from '../abi/errno.ts';
import { O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import { NODE_KINDS } from '../container/layer-entries.ts';
import type { NodeAttributes, NodeKind, TreeNode } from '../container/layer-entries.ts';
import type { HostFiles } from '../host/types.ts';
import { BuildError } from './errors.ts';
import { MOST_LINKS } from './limits.ts';
import type { IgnoreRules } from './patterns.ts';
import { byBytes, bytesOf, toText } from './text.ts';

const CHUNK_BYTES = 1 << 18;

export { InodeNode } from '../container/layer-entries.ts';
export type { NodeAttributes, NodeKind, TreeNode } from '../container/layer-entries.ts';

const NONE: ReadonlyMap<string, string> = new Map();
export const DIRECTORY_ATTRIBUTES: NodeAttributes = { mode: 0o755, uid: 0, gid: 0, mtimeNs: undefined, rdev: 0, size: 0 };

function checked<Value>(value: Value | number, what: string, path: string): Value {
  if (typeof value === 'number' && value < 0) throw new BuildError(`cannot ${what} "${toText(path)}": ${ERRNO_NAMES.get(-value) ?? `error ${-value}`}`, { advice: 'check its permissions, or leave it out with .dockerignore' });
  return value as Value;
}

/** An object of the host. Links are never followed, so what is not below the top is not reached. */
export class HostNode implements TreeNode {
  readonly kind: NodeKind;
  readonly attributes: NodeAttributes;
  readonly identity = undefined;
  /** Of the object when it was looked at: what is read is what was seen. */
  readonly stamp: string;
  readonly #files: HostFiles;
  readonly #path: string;

  private constructor(files: HostFiles, path: string, stat: Exclude<ReturnType<HostFiles['lstat']>, number>) {
    this.#files = files;
    this.#path = path;
    this.kind = NODE_KINDS.get(stat.mode & S_IFMT) ?? 'socket';
    // Owners and times of the context are those of whoever checked it out: they are no part of it.
    this.attributes = { mode: stat.mode & 0o7777, uid: 0, gid: 0, mtimeNs: undefined, rdev: stat.rdev, size: this.kind === 'file' ? stat.size : 0 };
    this.stamp = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
  }

  /** Undefined: there is no such thing. */
  static open(files: HostFiles, path: string): HostNode | undefined {
    const stat = files.lstat(path);
    if (stat === -ENOENT) return undefined;
    return new HostNode(files, path, checked(stat, 'look at', path) as Exclude<typeof stat, number>);
  }

  names(): readonly string[] {
    const entries = checked(this.#files.readDirectory(this.#path), 'list', this.#path) as readonly { readonly name: string }[];
    return entries.map(({ name }) => name).sort(byBytes);
  }
  child(name: string): TreeNode | undefined {
    return HostNode.open(this.#files, `${this.#path}/${name}`);
  }
  readLink(): string {
    return checked(this.#files.readLink(this.#path), 'read the link', this.#path) as string;
  }
  *contents(): Iterable<Uint8Array> {
    const handle = checked(this.#files.open(this.#path, O_RDONLY | O_CLOEXEC, 0), 'open', this.#path);
    try {
      const { size } = this.attributes;
      for (let at = 0; at < size;) {
        const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size - at));
        const count = checked(this.#files.read(handle, buffer, at), 'read', this.#path);
        if (count === 0) throw new BuildError(`cannot read "${toText(this.#path)}": it became shorter meanwhile`, { advice: 'build again when nothing writes to it' });
        yield buffer.subarray(0, count);
        at += count;
      }
    } finally {
      this.#files.close(handle);
    }
  }
  xattrs(): ReadonlyMap<string, string> {
    return NONE;
  }
}

/** Things in memory: heredocs, downloads, directories that are made. */
export class MemoryNode implements TreeNode {
  readonly kind: NodeKind;
  readonly attributes: NodeAttributes;
  readonly identity = undefined;
  readonly #children: ReadonlyMap<string, TreeNode>;
  readonly #bytes: Uint8Array;

  private constructor(kind: NodeKind, attributes: NodeAttributes, children: ReadonlyMap<string, TreeNode>, bytes: Uint8Array) {
    this.kind = kind;
    this.attributes = attributes;
    this.#children = children;
    this.#bytes = bytes;
  }

  static directory(children: ReadonlyMap<string, TreeNode>): MemoryNode {
    return new MemoryNode('directory', DIRECTORY_ATTRIBUTES, children, new Uint8Array());
  }
  static file(text: string, mode: number): MemoryNode {
    const bytes = bytesOf(text);
    return new MemoryNode('file', { ...DIRECTORY_ATTRIBUTES, mode, size: bytes.length }, new Map(), bytes);
  }

  names(): readonly string[] {
    return [...this.#children.keys()].sort(byBytes);
  }
  child(name: string): TreeNode | undefined {
    return this.#children.get(name);
  }
  readLink(): string {
    return '';
  }
  contents(): Iterable<Uint8Array> {
    return [this.#bytes];
  }
  xattrs(): ReadonlyMap<string, string> {
    return NONE;
  }
}

/** A tree without what rules leave out. A directory that is left out shows where something in it is not. */
export class FilteredNode implements TreeNode {
  readonly #node: TreeNode;
  readonly #rules: IgnoreRules;
  readonly #path: string;

  constructor(node: TreeNode, rules: IgnoreRules, path = '') {
    this.#node = node;
    this.#rules = rules;
    this.#path = path;
  }

  get kind(): NodeKind {
    return this.#node.kind;
  }
  get attributes(): NodeAttributes {
    return this.#node.attributes;
  }
  get identity(): string | undefined {
    return this.#node.identity;
  }
  get stamp(): string | undefined {
    return this.#node instanceof HostNode ? this.#node.stamp : undefined;
  }

  names(): readonly string[] {
    return this.#node.names().filter((name) => this.child(name) !== undefined);
  }
  child(name: string): TreeNode | undefined {
    const path = this.#path === '' ? name : `${this.#path}/${name}`;
    const excluded = this.#rules.excludes(path);
    if (excluded && !this.#rules.hasExceptions) return undefined;
    const found = this.#node.child(name);
    if (found === undefined || (excluded && found.kind !== 'directory')) return undefined;
    const filtered = new FilteredNode(found, this.#rules, path);
    return excluded && filtered.names().length === 0 ? undefined : filtered;
  }
  readLink(): string {
    return this.#node.readLink();
  }
  contents(): Iterable<Uint8Array> {
    return this.#node.contents();
  }
  xattrs(): ReadonlyMap<string, string> {
    return this.#node.xattrs();
  }
}

export interface Resolved {
  /** Without links, relative to the top. */
  readonly path: string;
  /** Undefined: there is nothing of this name. */
  readonly node: TreeNode | undefined;
}

/**
 * What a path means in a tree, links followed as inside of it: they do not lead out. Names that are not there are
 * taken as they are.
 */
export function resolvePath(root: TreeNode, path: string, followLast = true): Resolved {
  const trail: { readonly name: string; readonly node: TreeNode | undefined }[] = [];
  const left = path.split('/').reverse();
  let links = 0;
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      trail.pop();
      continue;
    }
    const directory = trail.length === 0 ? root : trail.at(-1)!.node;
    const node = directory?.kind === 'directory' ? directory.child(part) : undefined;
    if (node?.kind !== 'symlink' || (!followLast && left.every((rest) => rest === '' || rest === '.'))) {
      trail.push({ name: part, node });
      continue;
    }
    if (++links > MOST_LINKS) throw new BuildError(`cannot find "${toText(path)}": too many links`, { advice: 'some of them lead to each other' });
    const target = node.readLink();
    if (target.startsWith('/')) trail.length = 0;
    left.push(...target.split('/').reverse());
  }
  return { path: trail.map(({ name }) => name).join('/'), node: trail.length === 0 ? root : trail.at(-1)!.node };
}

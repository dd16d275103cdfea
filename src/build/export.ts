/** The result of a build as files of the host, or as a tar of its tree. */
import { EEXIST, ERRNO_NAMES } from '../abi/errno.ts';
import { O_CREAT, O_EXCL, O_WRONLY } from '../abi/fcntl.ts';
import type { HostFiles } from '../host/types.ts';
import type { ImageStore } from '../image/index.ts';
import type { BuildResult } from './builder.ts';
import { BuildError } from './errors.ts';
import { entryOf, layerTar, sortEntries } from '../container/layer-entries.ts';
import type { LayerEntry } from '../container/layer-entries.ts';
import { Trees } from './parent-tree.ts';
import { toText } from './text.ts';
import type { TreeNode } from './tree.ts';

const AS_THEY_ARE = { epoch: 0, isLimit: false, ownFrom: undefined };

function checked(answer: number, path: string): number {
  if (answer < 0) throw new BuildError(`cannot write "${toText(path)}": ${ERRNO_NAMES.get(-answer) ?? `error ${-answer}`}`, { advice: 'check the directory and the free space' });
  return answer;
}

/** Depth first, parents before children. */
function* walk(node: TreeNode, path: string): Iterable<readonly [path: string, node: TreeNode]> {
  for (const name of node.kind === 'directory' ? node.names() : []) {
    const child = node.child(name);
    if (child === undefined) continue;
    const at = path === '' ? name : `${path}/${name}`;
    yield [at, child];
    yield* walk(child, at);
  }
}

function writeContents(files: HostFiles, path: string, node: TreeNode): void {
  const handle = checked(files.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600), path);
  try {
    let position = 0;
    for (const chunk of node.contents()) for (let at = 0; at < chunk.length;) {
      const count = checked(files.write(handle, chunk.subarray(at), position), path);
      at += count;
      position += count;
    }
  } finally {
    files.close(handle);
  }
}

/**
 * Writes the tree into a directory. Files belong to who runs us; devices, FIFOs and set-uid bits are left out. Nothing is written
 * through a link: what is in the way is replaced.
 */
export function exportTree(store: ImageStore, { state }: BuildResult, files: HostFiles, directory: string): void {
  const trees = new Trees(store);
  try {
    for (const [path, node] of walk(trees.root(state.layers.map(({ diffId }) => diffId)), '')) writeNode(files, `${directory}/${path}`, node);
  } finally {
    trees.close();
  }
}

function writeNode(files: HostFiles, path: string, node: TreeNode): void {
  const { mode, mtimeNs = 0n } = node.attributes;
  if (node.kind === 'directory') {
    const made = files.mkdir(path, 0o755);
    const stat = made === -EEXIST ? files.lstat(path) : undefined;
    if (typeof stat === 'object' && (stat.mode & 0o170000) !== 0o040000) throw new BuildError(`cannot write "${toText(path)}": it is there already, and no directory`, { advice: 'choose another directory' });
    if (made !== -EEXIST) checked(made, path);
    checked(files.chmod(path, (mode & 0o777) | 0o700), path);
    return;
  }
  if (node.kind !== 'file' && node.kind !== 'symlink') return;
  files.unlink(path);
  if (node.kind === 'symlink') {
    checked(files.symlink(node.readLink(), path), path);
    return;
  }
  writeContents(files, path, node);
  checked(files.chmod(path, mode & 0o777), path);
  checked(files.utimes(path, mtimeNs, mtimeNs), path);
}

/** A tar of the whole tree, as it would be unpacked. */
export async function* exportTar(store: ImageStore, { state }: BuildResult): AsyncIterable<Uint8Array> {
  const trees = new Trees(store);
  try {
    const linked = new Map<string, string>();
    const entries: LayerEntry[] = [];
    for (const [path, node] of walk(trees.root(state.layers.map(({ diffId }) => diffId)), '')) {
      const entry = entryOf(path, node, { times: AS_THEY_ARE, linkTarget: node.identity === undefined ? undefined : linked.get(node.identity) });
      if (node.identity !== undefined && !linked.has(node.identity)) linked.set(node.identity, path);
      if (entry !== undefined) entries.push(entry);
    }
    yield* layerTar(sortEntries(entries));
  } finally {
    trees.close();
  }
}

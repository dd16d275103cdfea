/** The context: a directory of the host or a tar, without what .dockerignore leaves out. */
import { compressionOf, isTarHeader } from '../image/index.ts';
import type { ImageStore } from '../image/index.ts';
import { BuildError } from './errors.ts';
import { MOST_DOCKERFILE_BYTES } from './limits.ts';
import { Trees } from './parent-tree.ts';
import { IgnoreRules, cleanPath } from './patterns.ts';
import { fromBytes } from './text.ts';
import { FilteredNode, resolvePath } from './tree.ts';
import type { TreeNode } from './tree.ts';

const MOST_IGNORE_BYTES = 2 ** 20;

/** A text of the context; undefined where there is none. */
export function readTextFile(root: TreeNode, path: string, mostBytes: number): string | undefined {
  const { node } = resolvePath(root, path);
  if (node === undefined) return undefined;
  if (node.kind !== 'file') throw new BuildError(`cannot read "${path}": it is no file`);
  if (node.attributes.size > mostBytes) throw new BuildError(`cannot read "${path}": it is longer than ${mostBytes} bytes`, { advice: 'is it the right file?' });
  return [...node.contents()].map(fromBytes).join('');
}

/** `dockerfile`: its path in the context, which may have rules of its own beside it (`NAME.dockerignore`). */
export function ignoreRulesOf(root: TreeNode, dockerfile: string | undefined): IgnoreRules {
  const own = dockerfile === undefined ? undefined : readTextFile(root, `${cleanPath(dockerfile)}.dockerignore`, MOST_IGNORE_BYTES);
  return IgnoreRules.read(own ?? readTextFile(root, '.dockerignore', MOST_IGNORE_BYTES) ?? '');
}

export function withoutIgnored(root: TreeNode, rules: IgnoreRules): TreeNode {
  return rules.isEmpty ? root : new FilteredNode(root, rules);
}

/** A part of a tree, links followed within it; undefined where there is none. */
export function subdirectory(root: TreeNode, path: string): TreeNode | undefined {
  return resolvePath(root, path).node;
}

const HEADER_BYTES = 512;

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** A tar becomes a tree (as a layer of the store); what is none is a Dockerfile's text. @throws ImageFormatError, ImageLimitError, BuildError */
export async function contextFromStream(store: ImageStore, stream: AsyncIterable<Uint8Array>): Promise<{ readonly tree: TreeNode; readonly text: undefined } | { readonly tree: undefined; readonly text: string }> {
  const iterator = stream[Symbol.asyncIterator]();
  const begin: Uint8Array[] = [];
  let length = 0;
  for (let step = length < HEADER_BYTES ? await iterator.next() : undefined; step !== undefined && step.done !== true; step = length < HEADER_BYTES ? await iterator.next() : undefined) {
    begin.push(step.value);
    length += step.value.length;
  }
  const first = joined(begin);
  const rest = async function* (): AsyncIterable<Uint8Array> {
    yield first;
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) yield step.value;
  };
  if (compressionOf(first) !== 'none' || (first.length >= HEADER_BYTES && isTarHeader(first.subarray(0, HEADER_BYTES)))) {
    const { diffId } = await store.layers.take({ source: rest() });
    return { tree: new Trees(store).root([diffId]), text: undefined };
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of rest()) {
    size += chunk.length;
    if (size > MOST_DOCKERFILE_BYTES) throw new BuildError(`cannot read the Dockerfile: it is longer than ${MOST_DOCKERFILE_BYTES} bytes`, { advice: 'is it a tar that this does not know?' });
    chunks.push(chunk);
  }
  return { tree: undefined, text: fromBytes(joined(chunks)) };
}

/** Builds a second time without what was kept, and says in which files two layers differ. */
import type { ImageStore } from '../image/index.ts';
import { Builder } from './builder.ts';
import type { BuildResult } from './builder.ts';
import { Trees } from './parent-tree.ts';
import { fromBytes, toText } from './text.ts';
import type { TreeNode } from './tree.ts';
import type { BuildOptions } from './types.ts';

export interface Difference {
  /** Of the history: the instruction that made the layer. */
  readonly step: string;
  /** Empty: the layers differ in no file that is there. */
  readonly path: string;
  readonly what: string;
}

const MOST_DIFFERENCES = 200;

function contentsOf(node: TreeNode): string {
  return [...node.contents()].map(fromBytes).join('');
}

const TIME = /\b(?:19|20)\d\d-[01]\d-[0-3]\d|\b[0-2]\d:[0-5]\d:[0-5]\d\b/;

/** Why two files differ, as well as it can be told from their bytes. */
function reasonOf(left: string, right: string): string {
  if (left.length !== right.length) return `its length is ${left.length} and ${right.length} bytes`;
  let at = 0;
  while (left[at] === right[at]) at++;
  const lineOf = (text: string): string => text.slice(text.lastIndexOf('\n', at) + 1, at + 60);
  const time = TIME.test(lineOf(left)) && TIME.test(lineOf(right)) ? ', where a time stands: pass SOURCE_DATE_EPOCH on to what writes it, or remove the file in the same RUN' : '';
  return `its bytes differ from byte ${at} on${time}`;
}

function compare(left: TreeNode, right: TreeNode, path: string, found: (path: string, what: string) => void): void {
  const [one, other] = [left.attributes, right.attributes];
  if (left.kind !== right.kind) return found(path, `it is a ${left.kind} and a ${right.kind}`);
  if (one.mode !== other.mode) found(path, `its mode is ${one.mode.toString(8)} and ${other.mode.toString(8)}`);
  if (one.uid !== other.uid || one.gid !== other.gid) found(path, `its owner is ${one.uid}:${one.gid} and ${other.uid}:${other.gid}`);
  if (one.mtimeNs !== other.mtimeNs) found(path, 'its time differs');
  if (left.kind === 'symlink' && left.readLink() !== right.readLink()) found(path, 'it leads to different places');
  if (left.kind === 'file') {
    const [a, b] = [contentsOf(left), contentsOf(right)];
    if (a !== b) found(path, reasonOf(a, b));
  }
  if (left.kind !== 'directory') return;
  for (const name of new Set([...left.names(), ...right.names()])) {
    const [a, b] = [left.child(name), right.child(name)];
    const at = `${path}/${name}`;
    if (a === undefined || b === undefined) found(at, `it is there only ${a === undefined ? 'the second' : 'the first'} time`);
    else compare(a, b, at, found);
  }
}

function compareLayers(store: ImageStore, first: BuildResult, second: BuildResult): readonly Difference[] {
  const trees = new Trees(store);
  const steps = first.state.history.filter(({ empty_layer: isEmpty }) => isEmpty !== true).map(({ created_by: by }) => by);
  const differences: Difference[] = [];
  try {
    for (let index = 0; index < Math.max(first.state.layers.length, second.state.layers.length) && differences.length < MOST_DIFFERENCES; index++) {
      const [one, other] = [first.state.layers[index], second.state.layers[index]];
      const step = steps[index] ?? `layer ${index + 1}`;
      if (one === undefined || other === undefined) differences.push({ step, path: '', what: 'the layer is there only one time' });
      else if (one.diffId !== other.diffId) compare(trees.root([one.diffId]), trees.root([other.diffId]), '', (path, what) => differences.push({ step, path: toText(path === '' ? '/' : path), what }));
    }
  } finally {
    trees.close();
  }
  return differences;
}

/** Empty: the second build gave the same bytes. */
export async function verifyBuild(options: BuildOptions, first: BuildResult): Promise<readonly Difference[]> {
  const second = await new Builder({ ...options, noCache: true }).build();
  const differences = compareLayers(options.store, first, second);
  const isSame = first.config.length === second.config.length && first.config.every((byte, index) => byte === second.config[index]);
  return differences.length > 0 || isSame ? differences : [{ step: '', path: '', what: 'the configurations differ' }];
}

/** `diff`, `export`, `commit`: what a container has become. */
import { layerTar } from '../../container/layer-entries.ts';
import type { JsonObject } from '../../image/index.ts';
import type { ContainerTree } from '../../lifecycle/own-layers.ts';
import { entriesOfTree } from '../../lifecycle/tree-tar.ts';
import { commitContainer } from '../../lifecycle/commit.ts';
import { readCommand } from '../command.ts';
import { configFields } from './container-inspect.ts';
import { COMMIT, DIFF, EXPORT } from './container-specs.ts';
import { withContainers } from './container-store.ts';
import { withTree } from './container-tree.ts';
import { UserError } from '../errors.ts';
import { writeOutput } from '../images/image-archives.ts';

/** Kept by the container itself, as in Docker: no change of it. */
const OWN_FILES = new Set(['/etc/hosts', '/etc/hostname', '/etc/resolv.conf']);

type Inode = NonNullable<ReturnType<ContainerTree['before']>>;

/** Parents before children, names by bytes. */
function byPath(left: string, right: string): number {
  const [a, b] = [left.replaceAll('/', '\0'), right.replaceAll('/', '\0')];
  return a < b ? -1 : Number(a > b);
}

/** Of a directory that took the place of another. */
function missingNames(before: Inode, now: Inode): readonly string[] {
  const [old, present] = [before.readDirectory(), now.readDirectory()];
  if (typeof old === 'number' || typeof present === 'number') return [];
  const names = new Set(present.map(({ name }) => name));
  return old.map(({ name }) => name).filter((name) => !names.has(name));
}

/** `A /path` lines. A directory in which something changed has changed, as Docker sees it. */
function changeLines(tree: ContainerTree): string {
  const lines = new Map<string, string>();
  for (const { kind, path, inode } of tree.changes()) {
    if (OWN_FILES.has(path)) continue;
    for (let slash = path.indexOf('/', 1); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      if (!lines.has(parent)) lines.set(parent, 'C');
    }
    const before = kind === 'A' ? tree.before(path) : undefined;
    // What took the place of something else has changed, and of a directory what is not in the new one is gone.
    lines.set(path, before === undefined ? kind : 'C');
    for (const name of before === undefined || inode === undefined ? [] : missingNames(before, inode)) lines.set(`${path}/${name}`, 'D');
  }
  return [...lines].sort(([left], [right]) => byPath(left, right)).map(([path, kind]) => `${kind} ${path}\n`).join('');
}

export async function diffCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(DIFF, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  return withContainers(`list the changes of "${text}"`, (containers) => withTree(containers, containers.findWhole(text), async (tree) => {
    process.stdout.write(Buffer.from(changeLines(tree), 'latin1'));
    return 0;
  }));
}

export async function exportCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(EXPORT, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  const file = values.last('output');
  if (file === undefined && process.stdout.isTTY) throw new UserError('cannot write an archive to a terminal', 'use -o FILE, or redirect the output');
  return withContainers(`export "${text}"`, (containers) => withTree(containers, containers.findWhole(text), async (tree) => {
    await writeOutput(file, layerTar([...entriesOfTree(tree.root, '')]));
    return 0;
  }));
}

export async function commitCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(COMMIT, args);
  if (values === undefined) return 0;
  if (values.has('pause')) throw new UserError('cannot use --pause: there is nothing to pause', 'leave it out: a commit sees one moment of the container, and the container goes on');
  const [text = '', name] = values.command;
  return withContainers(`commit "${text}"`, (containers, store) => {
    const container = containers.findWhole(text);
    return withTree(containers, container, async (tree) => {
      const image = await commitContainer(store, container, tree, {
        name, author: values.last('author') ?? '', message: values.last('message') ?? '', changes: values.all('change'), config: configFields(container) as JsonObject,
      });
      process.stdout.write(`${image.id}\n`);
      return 0;
    });
  });
}

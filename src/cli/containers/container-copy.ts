/** `cp`: files between a container and this machine. The container's side is walked inside of it, this side without following what was copied. */
import { closeSync, createWriteStream, fstatSync, lstatSync, openSync, readSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { layerTar } from '../../container/layer-entries.ts';
import { tarEnd, tarHeader, tarPadding } from '../../image/index.ts';
import type { NewEntry } from '../../image/index.ts';
import { LifecycleError } from '../../lifecycle/index.ts';
import type { Containers, WholeContainer } from '../../lifecycle/index.ts';
import { entriesOfTree, findInTree } from '../../lifecycle/tree-tar.ts';
import { toByteString, toText } from '../bytes.ts';
import { readCommand } from '../command.ts';
import { CP } from './container-specs.ts';
import { EXIT_FAILED, withContainers } from './container-store.ts';
import { withTree } from './container-tree.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { HostWriter } from './host-writer.ts';
import { writeOutput } from '../images/image-archives.ts';
import { putTar, typeIn } from './container-put.ts';

interface Place {
  /** Undefined: on this machine. */
  readonly container: string | undefined;
  readonly path: string;
}

/** `CONTAINER:PATH`; a path with a colon begins with `/` or `.`. */
function placeOf(text: string): Place {
  const colon = text.indexOf(':');
  if (text === '-' || colon < 1 || text.startsWith('/') || text.startsWith('.')) return { container: undefined, path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** `dir/.` means what is in it; a slash behind it means that it is a directory. */
interface Wanted {
  readonly path: string;
  readonly contentsOnly: boolean;
  readonly mustBeDirectory: boolean;
}

function wantedOf(path: string): Wanted {
  return { path: path.replace(/\/\.?$/, '') || (path.startsWith('/') ? '/' : '.'), contentsOnly: /(?:^|\/)\.$/.test(path), mustBeDirectory: path.endsWith('/') };
}

function guestPath(path: string): string {
  return toByteString(path.startsWith('/') ? path : `/${path}`);
}

function noSuchPath(where: string, path: string): LifecycleError {
  return new LifecycleError(`Could not find the file ${path} in ${where}`, 'check the path');
}

/** What the copy is called at the destination, and where that is. */
interface Target {
  readonly directory: string;
  readonly name: string;
}

/** Docker's rules (docker cp, "Extended description"). `typeAt`: of what is there, links followed. */
async function targetOf(destination: string, source: { readonly name: string; readonly isDirectory: boolean; readonly contentsOnly: boolean }, typeAt: (path: string) => Promise<string | undefined>): Promise<Target> {
  const { path, mustBeDirectory } = wantedOf(destination);
  const type = await typeAt(path);
  const inside = { directory: path, name: source.contentsOnly ? '' : source.name };
  if (type === 'directory') return inside;
  if (type !== undefined && source.isDirectory) throw new LifecycleError(`cannot copy a directory to "${destination}": it is a file`, 'name a directory');
  if (type !== undefined && mustBeDirectory) throw new LifecycleError(`cannot copy to "${destination}": it is not a directory`, 'leave the slash out');
  const parent = dirname(path);
  if ((await typeAt(parent)) !== 'directory') throw new LifecycleError(`cannot copy to "${destination}": there is no directory "${parent}"`, 'make it first');
  if (mustBeDirectory && !source.isDirectory) throw new LifecycleError(`cannot copy to "${destination}": there is no such directory`, 'make it first, or leave the slash out');
  return { directory: parent, name: basename(path) };
}

async function copyOut(containers: Containers, container: WholeContainer, from: string, to: string, values: FlagValues): Promise<number> {
  const wanted = wantedOf(guestPath(from));
  return withTree(containers, container, async (tree) => {
    const found = findInTree(tree.root, wanted.path, values.has('follow-link') || wanted.contentsOnly || wanted.mustBeDirectory);
    if (found === undefined) throw noSuchPath(`container ${container.name}`, from);
    if (wanted.mustBeDirectory && !found.isDirectory) throw new LifecycleError(`cannot copy "${from}": it is not a directory`, 'leave the slash out');
    const name = wanted.path === '/' ? '' : basename(wanted.path);
    if (to === '-') {
      await writeOutput(undefined, layerTar([...entriesOfTree(found.inode, wanted.contentsOnly ? '' : name)]));
      return 0;
    }
    const target = await targetOf(to, { name: toText(name), isDirectory: found.isDirectory, contentsOnly: wanted.contentsOnly || name === '' }, async (path) => typeOnHost(path));
    const writer = new HostWriter(toByteString(resolve(target.directory)), values.has('archive'));
    for (const entry of entriesOfTree(found.inode, toByteString(target.name))) writer.put(entry);
    return writer.end() ? 0 : EXIT_FAILED;
  });
}

function typeOnHost(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : stats.isDirectory() ? 'directory' : 'file';
}

/** Entries of a tar of what is on this machine; links as links. */
function* hostEntries(path: string, name: string, keepOwners: boolean, follow: boolean): Iterable<Uint8Array> {
  const stats = follow ? statSync(path) : lstatSync(path);
  const shared = {
    mode: stats.mode & 0o7777, ...(keepOwners ? { uid: stats.uid, gid: stats.gid } : {}), mtimeSeconds: Math.floor(stats.mtimeMs / 1000), mtimeNanoseconds: Math.floor((stats.mtimeMs % 1000) * 1e6),
  };
  const bytes = toByteString(name);
  if (stats.isDirectory()) {
    if (name !== '') yield tarHeader({ ...shared, path: `${bytes}/`, type: 'directory' });
    for (const child of readdirSync(path, { encoding: 'latin1' }).sort()) yield* hostEntries(`${path}/${toText(child)}`, name === '' ? toText(child) : `${name}/${toText(child)}`, keepOwners, false);
  } else if (stats.isSymbolicLink()) yield tarHeader({ ...shared, path: bytes, type: 'symlink', linkTarget: toByteString(readlinkSync(path)) });
  else if (stats.isFIFO()) yield tarHeader({ ...shared, path: bytes, type: 'fifo' });
  else if (stats.isFile()) yield* hostFile(path, { ...shared, path: bytes, type: 'file' });
  else process.stderr.write(`caisson: left out "${path}": it is a device or a socket\n`);
}

/** With the length that it had when it was opened. */
function* hostFile(path: string, entry: NewEntry): Iterable<Uint8Array> {
  const handle = openSync(path, 'r');
  try {
    const { size } = fstatSync(handle);
    yield tarHeader({ ...entry, size });
    const buffer = new Uint8Array(1 << 18);
    for (let left = size; left > 0;) {
      const count = readSync(handle, buffer, 0, Math.min(buffer.length, left), null);
      if (count === 0) throw new LifecycleError(`cannot copy "${path}": it became shorter meanwhile`, 'copy it when nothing writes to it');
      yield buffer.slice(0, count);
      left -= count;
    }
    yield tarPadding(size);
  } finally {
    closeSync(handle);
  }
}

/** An archive in a file of its own, so that it can be read from any place. */
async function spool(containers: Containers, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const path = containers.store.disk.temporaryPath('.copy');
  const file = createWriteStream(Buffer.from(path, 'latin1'), { flags: 'wx', mode: 0o600 });
  try {
    for await (const chunk of chunks) if (!file.write(chunk)) await new Promise<void>((done) => file.once('drain', () => done()));
    file.end();
    await finished(file);
    return path;
  } catch (error) {
    file.destroy();
    rmSync(Buffer.from(path, 'latin1'), { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new LifecycleError(`cannot copy: ${(error as Error).message}`, 'check the path and the free space', { cause: error });
  }
}

async function copyIn(containers: Containers, container: WholeContainer, from: string, to: string, values: FlagValues): Promise<number> {
  const typeAt = (path: string): Promise<string | undefined> => typeIn(containers, container, guestPath(path));
  const keepOwners = values.has('archive');
  let tar: string;
  let directory: string;
  if (from === '-') {
    directory = wantedOf(guestPath(to)).path;
    if ((await typeAt(directory)) !== 'directory') throw new LifecycleError(`cannot copy an archive to "${to}": there is no such directory in the container`, 'make it first');
    tar = await spool(containers, process.stdin as AsyncIterable<Uint8Array>);
  } else {
    const wanted = wantedOf(from);
    const follow = values.has('follow-link') || wanted.contentsOnly || wanted.mustBeDirectory;
    const stats = (follow ? statSync : lstatSync)(wanted.path, { throwIfNoEntry: false });
    if (stats === undefined) throw new LifecycleError(`cannot copy "${from}": no such file or directory`, 'check the path');
    const target = await targetOf(guestPath(to), { name: basename(resolve(wanted.path)), isDirectory: stats.isDirectory(), contentsOnly: wanted.contentsOnly }, typeAt);
    ({ directory } = target);
    const source = function* (): Iterable<Uint8Array> {
      yield* hostEntries(wanted.path, target.name, keepOwners, follow);
      yield tarEnd();
    };
    tar = await spool(containers, source());
  }
  try {
    await putTar(containers, container, tar, directory, from === '-' || keepOwners ? undefined : { uid: 0, gid: 0 });
  } finally {
    containers.store.disk.remove(tar);
  }
  return 0;
}

export async function cpCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(CP, args);
  if (values === undefined) return 0;
  const [from, to] = values.command.map(placeOf) as [Place, Place];
  if (from.container !== undefined && to.container !== undefined) throw new UserError('copying between containers is not supported', 'copy to this machine first, or pipe one "caisson cp ... -" into another', EXIT_FAILED);
  if (from.container === undefined && to.container === undefined) throw new UserError('must specify at least one container source', 'write CONTAINER:PATH', EXIT_FAILED);
  return withContainers('copy', (containers) => (from.container !== undefined
    ? copyOut(containers, containers.findWhole(from.container), from.path, to.path, values)
    : copyIn(containers, containers.findWhole(to.container ?? ''), from.path, to.path, values)));
}

/** One list of calls on every file system that can be written, each answer compared with the host's own in a temporary directory. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '../abi/fcntl.ts';
import { nodeFiles } from '../host/node/index.ts';
import { encodeLayer } from '../image/layer-indexer.ts';
import { LayerTree } from '../image/layer-tree.ts';
import { DEFAULT_LAYER_LIMITS } from '../image/limits.ts';
import { TarScanner } from '../image/tar-reader.ts';
import type { HostFiles } from '../host/types.ts';
import { HostFs } from './hostfs.ts';
import { LayerTable } from './layer-format.ts';
import { LayerFs } from './layerfs.ts';
import { MountNamespace, newMount } from './mounts.ts';
import { dropFile, holdFile } from './open-file.ts';
import { NO_SPECIAL_FILES, openPath } from './open.ts';
import { makeDirectory, makeLink, makeSymlink, removeDirectory, removeFile, renamePath } from './operations.ts';
import { OverlayFs } from './overlay.ts';
import { OwnedFiles } from './owned-files.ts';
import { TmpFs } from './tmpfs.ts';
import type { FileSystem } from './types.ts';
import { LOOKUP_FOLLOW, walkPath } from './walk.ts';

const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
const monotonicNs = (): number => performance.now() * 1e6;
const usersCredentials = { fsuid: process.getuid?.() ?? 0, fsgid: process.getgid?.() ?? 0, groups: [], capabilitiesLow: process.getuid?.() === 0 ? -1 : 0, capabilitiesHigh: 0 };

/** What both sides do. Answers are a number below 0 for an errno, else 0 or a text. */
interface Side {
  open(name: string, flags: number): number;
  mkdir(name: string): number;
  rmdir(name: string): number;
  unlink(name: string): number;
  rename(from: string, to: string): number;
  link(from: string, to: string): number;
  symlink(target: string, name: string): number;
  readlink(name: string): string | number;
  list(name: string): string | number;
  type(name: string): number;
  write(name: string, text: string): number;
  read(name: string): string | number;
}

function attempt<Value>(call: () => Value): Value | number {
  try {
    return call();
  } catch (error) {
    return -((os.constants.errno as Record<string, number>)[(error as NodeJS.ErrnoException).code ?? ''] ?? 9999);
  }
}

function native(root: string): Side {
  const at = (name: string): string => (name.startsWith('/') ? name : `${root}/${name}`);
  const zero = (call: () => void): number => attempt(() => (call(), 0));
  return {
    open: (name, flags) => zero(() => fs.closeSync(fs.openSync(at(name), flags, 0o644))),
    mkdir: (name) => zero(() => fs.mkdirSync(at(name))),
    rmdir: (name) => zero(() => fs.rmdirSync(at(name))),
    unlink: (name) => zero(() => fs.unlinkSync(at(name))),
    rename: (from, to) => zero(() => fs.renameSync(at(from), at(to))),
    link: (from, to) => zero(() => fs.linkSync(at(from), at(to))),
    symlink: (target, name) => zero(() => fs.symlinkSync(target, at(name))),
    readlink: (name) => attempt(() => fs.readlinkSync(at(name))),
    list: (name) => attempt(() => fs.readdirSync(at(name)).sort().join(' ')),
    type: (name) => attempt(() => fs.statSync(at(name)).mode & 0o170000),
    write: (name, text) => zero(() => {
      const fd = fs.openSync(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0o644);
      fs.writeSync(fd, text);
      fs.closeSync(fd);
    }),
    read: (name) => attempt(() => fs.readFileSync(at(name), 'latin1')),
  };
}

function ours(fileSystem: FileSystem, credentials = usersCredentials): Side {
  const root = new MountNamespace({ flag: 0, ino: 0, mapsUid: () => true, mapsGid: () => true }, newMount(fileSystem, 0, 'none')).rootLocation;
  const context = { root, cwd: root, umask: 0o022 };
  const actor = { context, credentials };
  const open = (name: string, flags: number) => openPath(root, name, { context, credentials, flags, mode: 0o644, resolve: 0, special: NO_SPECIAL_FILES });
  return {
    open(name, flags) {
      const file = open(name, flags);
      if (typeof file === 'number') return file;
      dropFile(holdFile(file));
      return 0;
    },
    mkdir: (name) => makeDirectory(actor, root, name, 0o777),
    rmdir: (name) => removeDirectory(actor, root, name),
    unlink: (name) => removeFile(actor, root, name),
    rename: (from, to) => renamePath(actor, root, from, root, to, 0),
    link(from, to) {
      const found = walkPath(context, credentials, root, from, 0);
      return typeof found === 'number' ? found : makeLink(actor, found, root, to);
    },
    symlink: (target, name) => makeSymlink(actor, root, name, target),
    readlink(name) {
      const found = walkPath(context, credentials, root, name, 0);
      return typeof found === 'number' ? found : found.dentry.inode.readLink();
    },
    list(name) {
      const found = walkPath(context, credentials, root, name, LOOKUP_FOLLOW);
      if (typeof found === 'number') return found;
      const entries = found.dentry.inode.readDirectory();
      return typeof entries === 'number' ? entries : entries.map((entry) => entry.name).sort().join(' ');
    },
    type(name) {
      const found = walkPath(context, credentials, root, name, LOOKUP_FOLLOW);
      return typeof found === 'number' ? found : found.dentry.inode.mode & 0o170000;
    },
    write(name, text) {
      const file = open(name, O_WRONLY | O_CREAT | O_TRUNC);
      if (typeof file === 'number') return file;
      const count = file.write(new TextEncoder().encode(text));
      dropFile(holdFile(file));
      return count < 0 ? count : 0;
    },
    read(name) {
      const file = open(name, O_RDONLY);
      if (typeof file === 'number') return file;
      const buffer = new Uint8Array(1000);
      const count = file.read(buffer);
      dropFile(holdFile(file));
      return count < 0 ? count : String.fromCharCode(...buffer.subarray(0, count));
    },
  };
}

type Step = (side: Side) => string | number;

const STEPS: readonly Step[] = [
  (s) => s.mkdir('d'), (s) => s.mkdir('d'), (s) => s.mkdir('no/x'), (s) => s.mkdir('d/e/'), (s) => s.write('f', 'hello'), (s) => s.mkdir('f/x'), (s) => s.mkdir('f'),
  (s) => s.read('f'), (s) => s.read('f/'), (s) => s.read('f/x'), (s) => s.read('nope'), (s) => s.read('d'), (s) => s.write('d', 'x'), (s) => s.write('d/', 'x'),
  (s) => s.open('f', O_CREAT | O_EXCL | O_RDWR), (s) => s.open('d', O_CREAT | O_RDWR), (s) => s.open('f', O_RDONLY | O_DIRECTORY), (s) => s.open('d', O_RDONLY | O_DIRECTORY),
  (s) => s.open('new/', O_CREAT | O_RDWR), (s) => s.open('n'.repeat(256), O_CREAT | O_RDWR), (s) => s.open('n'.repeat(255), O_CREAT | O_RDWR),
  (s) => s.unlink('n'.repeat(255)),
  (s) => s.symlink('f', 'lf'), (s) => s.symlink('d', 'ld'), (s) => s.symlink('loop', 'loop'), (s) => s.symlink('nowhere', 'dangling'), (s) => s.symlink('x', 'lf'),
  (s) => s.readlink('lf'), (s) => s.readlink('f'), (s) => s.readlink('loop'), (s) => s.read('lf'), (s) => s.read('loop'), (s) => s.read('dangling'),
  (s) => s.open('lf', O_RDONLY | O_NOFOLLOW), (s) => s.open('ld', O_RDONLY | O_NOFOLLOW | O_DIRECTORY), (s) => s.open('lf', O_CREAT | O_EXCL | O_RDWR),
  (s) => s.write('dangling', 'made'), (s) => s.read('nowhere'), (s) => s.list('.'), (s) => s.list('ld'), (s) => s.list('ld/e/..'), (s) => s.list('f'), (s) => s.list('lf/'),
  (s) => s.rmdir('d'), (s) => s.rmdir('f'), (s) => s.rmdir('ld'), (s) => s.rmdir('ld/'), (s) => s.rmdir('d/e/.'), (s) => s.rmdir('d/e/..'), (s) => s.rmdir('nope'),
  (s) => s.unlink('d'), (s) => s.unlink('f/'), (s) => s.unlink('d/'), (s) => s.unlink('nope'), (s) => s.unlink('f/x'),
  (s) => s.link('f', 'hard'), (s) => s.link('f', 'hard'), (s) => s.link('d', 'hd'), (s) => s.link('nope', 'y'), (s) => s.link('f', 'no/y'), (s) => s.write('hard', 'both'),
  (s) => s.read('f'), (s) => s.rename('f', 'hard'), (s) => s.list('.'), (s) => s.unlink('hard'), (s) => s.read('f'),
  (s) => s.rename('f', 'd'), (s) => s.rename('d', 'f'), (s) => s.rename('d', 'd/e'), (s) => s.rename('d/e', 'd'), (s) => s.rename('nope', 'x'), (s) => s.rename('f/', 'x'),
  (s) => s.rename('f', 'x/'), (s) => s.rename('f', 'no/x'), (s) => s.rename('d/', 'moved/'), (s) => s.list('moved'), (s) => s.type('ld'), (s) => s.rename('moved', 'd'),
  (s) => s.mkdir('full'), (s) => s.write('full/x', '1'), (s) => s.rename('d', 'full'), (s) => s.mkdir('empty'), (s) => s.rename('d', 'empty'), (s) => s.list('empty'),
  (s) => s.rename('lf', 'lf2'), (s) => s.read('lf2'), (s) => s.unlink('lf2'), (s) => s.read('f'), (s) => s.rename('f', 'full/x'), (s) => s.read('full/x'), (s) => s.list('.'),
  (s) => s.unlink('full/x'), (s) => s.rmdir('full'), (s) => s.rmdir('empty/e'), (s) => s.rmdir('empty'), (s) => s.list('.'), (s) => s.mkdir('full'), (s) => s.list('full'),
];

function temporary(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'caisson-fs-'));
}

/** The directory is empty, or holds what `prepare` put there on both sides. */
function compare(name: string, make: (directory: string) => FileSystem, prepare: (directory: string) => void = () => {}, credentials = usersCredentials): void {
  test(`${name} answers what the host answers`, () => {
    const directories = [temporary(), temporary()] as const;
    try {
      for (const directory of directories) prepare(directory);
      const host = native(directories[0]);
      const guest = ours(make(directories[1]), credentials);
      for (const [index, step] of STEPS.entries()) assert.deepEqual(step(guest), step(host), `step ${index}: ${String(step)}`);
    } finally {
      for (const directory of directories) fs.rmSync(directory, { recursive: true });
    }
  });
}

function openHost(root: string, writable: boolean, files: HostFiles = nodeFiles): HostFs {
  const host = HostFs.open({ files, root, dev: 3, monotonicNs, writable });
  assert.ok(host instanceof HostFs);
  return host;
}

/** Owners are kept in a file beside the directory, and those of this user are root's, whom the calls are by. */
function openOwned(root: string): HostFs {
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return openHost(root, true, new OwnedFiles(nodeFiles, `${root}.owners`, own, monotonicNs));
}

function overlayOn(root: string): OverlayFs {
  return new OverlayFs({ dev: 4, lower: openHost(root, false), upper: new TmpFs({ dev: 5, now, firstInode: 2 ** 48 }) });
}

/** The end of the list as a start: so the overlay changes, replaces and removes what is below. */
function populated(directory: string): void {
  fs.mkdirSync(`${directory}/full/deep`, { recursive: true });
  fs.writeFileSync(`${directory}/full/old`, 'old');
  fs.writeFileSync(`${directory}/f`, 'below');
  fs.mkdirSync(`${directory}/d`);
  fs.symlinkSync('f', `${directory}/lf`);
  fs.mkdirSync(`${directory}/empty`);
}

/** The directory's contents as one layer, packed by the host's own tar. */
function overlayOnLayer(root: string): OverlayFs {
  const tar = new Uint8Array(execFileSync('tar', ['-C', root, '-c', '.']));
  const tree = new LayerTree(DEFAULT_LAYER_LIMITS);
  const scanner = new TarScanner((entry) => tree.add(entry));
  scanner.push(tar);
  scanner.end();
  const table = LayerTable.read(encodeLayer(tree.root));
  assert.ok(table !== undefined);
  const read = (buffer: Uint8Array, position: number): number => {
    const bytes = tar.subarray(position, position + buffer.length);
    buffer.set(bytes);
    return bytes.length;
  };
  return new OverlayFs({ dev: 4, lower: new LayerFs({ dev: 6, layers: [{ table, read }] }), upper: new TmpFs({ dev: 5, now, firstInode: 2 ** 48 }) });
}

compare('tmpfs', () => new TmpFs({ dev: 2, now }));
compare('hostfs', (root) => openHost(root, true));
compare('hostfs with owners of its own', openOwned, undefined, { ...usersCredentials, fsuid: 0, fsgid: 0 });
compare('hostfs with contents', (root) => openHost(root, true), populated);
compare('overlay', (root) => overlayOn(root));
compare('overlay on contents', (root) => overlayOn(root), populated);
compare('overlay on a layer', (root) => overlayOnLayer(root), populated);

/** /dev of a container, as the OCI runtime-spec ("Default Devices") and Docker set it up, and devpts. */
import { S_IFCHR, S_IFDIR } from '../abi/stat.ts';
import { DEVPTS_SUPER_MAGIC } from '../abi/statfs.ts';
import { DEV_CONSOLE, DEV_FULL, DEV_NULL, DEV_PTMX, DEV_RANDOM, DEV_TTY, DEV_URANDOM, DEV_ZERO } from './devices.ts';
import { DynamicDirectory, PseudoFs } from './pseudo.ts';
import { TmpFs } from './tmpfs.ts';
import type { TmpInode } from './tmpfs.ts';
import type { Inode } from './types.ts';

const NODES: readonly (readonly [name: string, rdev: number, mode: number, gid: number])[] = [
  ['null', DEV_NULL, 0o666, 0], ['zero', DEV_ZERO, 0o666, 0], ['full', DEV_FULL, 0o666, 0], ['random', DEV_RANDOM, 0o666, 0],
  ['urandom', DEV_URANDOM, 0o666, 0], ['tty', DEV_TTY, 0o666, 5],
];

const LINKS: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'], ['stdin', '/proc/self/fd/0'], ['stdout', '/proc/self/fd/1'], ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'], ['core', '/proc/kcore'],
];

export interface DevFsOptions {
  readonly dev: number;
  readonly now: () => bigint;
  /** With a controlling terminal there is /dev/console too. */
  readonly console?: boolean;
}

/** A tmpfs with the usual nodes; `pts`, `shm` and `mqueue` are empty directories to mount on. */
export function createDevFs(options: DevFsOptions): TmpFs {
  const fileSystem = new TmpFs({ dev: options.dev, now: options.now, maxBytes: 64 * 2 ** 20, maxInodes: 100_000, mode: 0o755 });
  const { root } = fileSystem;
  for (const [name, rdev, mode, gid] of NODES) root.create(name, S_IFCHR | mode, 0, gid, rdev);
  if (options.console === true) root.create('console', S_IFCHR | 0o620, 0, 5, DEV_CONSOLE);
  for (const [name, target] of LINKS) root.symlink(name, target, 0, 0);
  for (const name of ['pts', 'shm', 'mqueue']) root.create(name, S_IFDIR | (name === 'shm' ? 0o1777 : 0o755), 0, 0, 0);
  return fileSystem;
}

/** The pseudo-terminals there are: the tty code implements it (`PtyTable`). */
export interface TerminalProvider {
  indexes(): Iterable<number>;
  inode(index: number): Inode | undefined;
}

/** devpts: /dev/pts. */
export function createDevPts(dev: number, now: () => bigint, terminals: TerminalProvider): PseudoFs {
  const fileSystem = new PseudoFs('devpts', dev, DEVPTS_SUPER_MAGIC, now);
  const holder = new TmpFs({ dev, now, firstInode: 2 });
  const ptmx = holder.createNode(S_IFCHR | 0o666, 0, 0, DEV_PTMX) as TmpInode;
  ptmx.linkCount = 1;
  const find = (name: string): Inode | undefined => {
    if (name === 'ptmx') return ptmx;
    return /^(0|[1-9]\d{0,6})$/.test(name) ? terminals.inode(Number(name)) : undefined;
  };
  const list = function* (): Iterable<readonly [string, Inode]> {
    yield ['ptmx', ptmx];
    for (const index of terminals.indexes()) {
      const inode = terminals.inode(index);
      if (inode !== undefined) yield [String(index), inode];
    }
  };
  fileSystem.root = new DynamicDirectory(fileSystem, find, list, undefined, 0o755);
  return fileSystem;
}

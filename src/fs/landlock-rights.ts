/** The rights that Landlock hands out (landlock(7), Linux security/landlock/limits.h), a row each. */
import * as abi from '../abi/landlock.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../abi/stat.ts';

export interface LandlockRight {
  readonly name: string;
  readonly bit: number;
  /** What takes it. */
  readonly meaning: string;
  /** A rule for a file that is no directory may have it. */
  readonly ofFiles?: boolean;
  /** The type of file that takes it to be made. */
  readonly makes?: number;
}

/** Rights to files, and what is beneath directories. */
export const PATH_RIGHTS: readonly LandlockRight[] = [
  { name: 'EXECUTE', bit: abi.LANDLOCK_ACCESS_FS_EXECUTE, meaning: 'execve(2), of a script and of its interpreter', ofFiles: true },
  { name: 'WRITE_FILE', bit: abi.LANDLOCK_ACCESS_FS_WRITE_FILE, meaning: 'open(2) for writing', ofFiles: true },
  { name: 'READ_FILE', bit: abi.LANDLOCK_ACCESS_FS_READ_FILE, meaning: 'open(2) for reading', ofFiles: true },
  { name: 'READ_DIR', bit: abi.LANDLOCK_ACCESS_FS_READ_DIR, meaning: 'open(2) of a directory' },
  { name: 'REMOVE_DIR', bit: abi.LANDLOCK_ACCESS_FS_REMOVE_DIR, meaning: 'rmdir(2), and rename(2) of or over a directory' },
  { name: 'REMOVE_FILE', bit: abi.LANDLOCK_ACCESS_FS_REMOVE_FILE, meaning: 'unlink(2), and rename(2) of or over what is no directory' },
  { name: 'MAKE_CHAR', bit: abi.LANDLOCK_ACCESS_FS_MAKE_CHAR, meaning: 'a character device is made, or gets a name', makes: S_IFCHR },
  { name: 'MAKE_DIR', bit: abi.LANDLOCK_ACCESS_FS_MAKE_DIR, meaning: 'a directory is made, or gets another name', makes: S_IFDIR },
  { name: 'MAKE_REG', bit: abi.LANDLOCK_ACCESS_FS_MAKE_REG, meaning: 'a regular file is made, or gets a name', makes: S_IFREG },
  { name: 'MAKE_SOCK', bit: abi.LANDLOCK_ACCESS_FS_MAKE_SOCK, meaning: 'a unix socket is bound, or gets a name', makes: S_IFSOCK },
  { name: 'MAKE_FIFO', bit: abi.LANDLOCK_ACCESS_FS_MAKE_FIFO, meaning: 'a named pipe is made, or gets a name', makes: S_IFIFO },
  { name: 'MAKE_BLOCK', bit: abi.LANDLOCK_ACCESS_FS_MAKE_BLOCK, meaning: 'a block device is made, or gets a name', makes: S_IFBLK },
  { name: 'MAKE_SYM', bit: abi.LANDLOCK_ACCESS_FS_MAKE_SYM, meaning: 'a symbolic link is made, or gets a name', makes: S_IFLNK },
  { name: 'REFER', bit: abi.LANDLOCK_ACCESS_FS_REFER, meaning: 'rename(2) and link(2) from one directory to another; EXDEV without it' },
  { name: 'TRUNCATE', bit: abi.LANDLOCK_ACCESS_FS_TRUNCATE, meaning: 'truncate(2), O_TRUNC, and ftruncate(2) of what was opened without the right', ofFiles: true },
];

/** Rights to TCP ports. */
export const PORT_RIGHTS: readonly LandlockRight[] = [
  { name: 'BIND_TCP', bit: abi.LANDLOCK_ACCESS_NET_BIND_TCP, meaning: 'bind(2) of a TCP socket to a port' },
  { name: 'CONNECT_TCP', bit: abi.LANDLOCK_ACCESS_NET_CONNECT_TCP, meaning: 'connect(2) of a TCP socket to a port' },
];

function all(rights: readonly LandlockRight[]): number {
  return rights.reduce((bits, { bit }) => bits | bit, 0);
}

/** All that the ABI knows. */
export const LANDLOCK_ACCESS_FS = all(PATH_RIGHTS);
export const LANDLOCK_ACCESS_NET = all(PORT_RIGHTS);
/** What makes sense for a file that is no directory. */
export const LANDLOCK_ACCESS_FILE = all(PATH_RIGHTS.filter(({ ofFiles }) => ofFiles === true));

const MAKING = new Map(PATH_RIGHTS.flatMap(({ makes, bit }) => (makes === undefined ? [] : [[makes, bit]])));

/** What making a file of a mode takes. */
export function makeAccess(mode: number): number {
  return MAKING.get(mode & S_IFMT) ?? abi.LANDLOCK_ACCESS_FS_MAKE_REG;
}

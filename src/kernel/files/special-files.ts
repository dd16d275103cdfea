/** What a kernel keeps for files that are not a file system's: pseudo file systems, FIFOs, terminals. */
import { EIO, ENXIO } from '../../abi/errno.ts';
import { O_RDONLY, O_WRONLY } from '../../abi/fcntl.ts';
import { S_IFCHR, S_IFIFO, S_IFMT } from '../../abi/stat.ts';
import { AnonymousFileSystem, AnonymousInode } from '../../fs/anonymous-inode.ts';
import type { Inode, OpenFile } from '../../fs/types.ts';
import type { Kernel, Process } from '../types.ts';
import { FifoTable, Pipe, PipeFile } from './pipe.ts';
import { PtyTable } from './pty.ts';
import { openTerminal } from './tty-file.ts';
import { disassociateTerminal, Tty } from './tty.ts';

/** Magic numbers of statfs(2). */
const PIPEFS_MAGIC = 0x5049_5045;
const SOCKFS_MAGIC = 0x534f_434b;
const ANON_INODE_FS_MAGIC = 0x0904_1934;
const DEVPTS_SUPER_MAGIC = 0x1cd1;

/** Device numbers, as `rdev` of inodes has them: 5:0 and 5:2. */
const TTY_DEVICE = 5 << 8;
const PTMX_DEVICE = (5 << 8) | 2;
/** Majors of /dev/pts: 136 to 143. */
const FIRST_PTS_MAJOR = 136;
const LAST_PTS_MAJOR = 143;

/** The kernel class tells when a session leader with a terminal ends. */
interface SessionEndHook {
  onSessionEnd?: ((leader: Process, terminal: unknown) => void) | undefined;
}

export class SpecialFiles {
  readonly kernel: Kernel;
  readonly fifos = new FifoTable();
  readonly ptys: PtyTable;
  readonly sockets = new AnonymousFileSystem('sockfs', 8, SOCKFS_MAGIC);
  readonly #pipes = new AnonymousFileSystem('pipefs', 14, PIPEFS_MAGIC);
  readonly #anonymous: AnonymousInode;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.ptys = new PtyTable(kernel, new AnonymousFileSystem('devpts', 24, DEVPTS_SUPER_MAGIC));
    const files = new AnonymousFileSystem('anon_inodefs', 15, ANON_INODE_FS_MAGIC);
    this.#anonymous = new AnonymousInode(files, kernel.nextInode(), 0o600, { nowNs: kernel.realtimeNs() });
    const hook: SessionEndHook = kernel as SessionEndHook;
    hook.onSessionEnd = (leader) => disassociateTerminal(kernel, leader, true);
  }

  /** The one inode of all anonymous inode files (fs/anon_inodes.c). */
  get anonymousInode(): Inode {
    return this.#anonymous;
  }

  /** A new inode of `pipefs`, owned by the current task. */
  pipeInode(): Inode {
    return this.#newInode(this.#pipes, S_IFIFO | 0o600);
  }

  #newInode(fileSystem: AnonymousFileSystem, mode: number): AnonymousInode {
    const { kernel } = this;
    const credentials = kernel.current?.credentials;
    const options = { uid: credentials?.fsuid ?? 0, gid: credentials?.fsgid ?? 0, nowNs: kernel.realtimeNs() };
    return new AnonymousInode(fileSystem, kernel.nextInode(), mode, options);
  }

  /** Both ends of a new pipe: the one to read from and the one to write to. */
  createPipe(flags: number): readonly [PipeFile, PipeFile] {
    const inode = this.pipeInode();
    const pipe = new Pipe();
    const description = `pipe:[${inode.ino}]`;
    const reader = new PipeFile(pipe, inode, description, flags | O_RDONLY);
    return [reader, new PipeFile(pipe, inode, description, flags | O_WRONLY)];
  }

  /**
   * open(2) of a FIFO or of a terminal's device node; undefined where the node is none of these. A FIFO's file may
   * still have to wait: see `OpenFile.opened`.
   */
  open(inode: Inode, flags: number, path: string): OpenFile | number | undefined {
    const type = inode.mode & S_IFMT;
    if (type === S_IFIFO) return this.fifos.open(inode, flags, path);
    if (type !== S_IFCHR) return undefined;
    const { rdev } = inode;
    if (rdev === PTMX_DEVICE) return this.ptys.openMaster(inode, flags);
    if (rdev === TTY_DEVICE) {
      const terminal = this.kernel.current?.process.controllingTerminal;
      return terminal instanceof Tty ? openTerminal(terminal, inode, flags, path) : -ENXIO;
    }
    const major = (rdev >>> 8) & 0xfff;
    if (major < FIRST_PTS_MAJOR || major > LAST_PTS_MAJOR) return undefined;
    const index = (rdev & 255) | ((rdev >>> 12) & 0xfff00);
    return this.ptys.inode(index) === undefined ? -EIO : this.ptys.openSlave(index, inode, flags);
  }
}

const byKernel = new WeakMap<Kernel, SpecialFiles>();

export function specialFilesOf(kernel: Kernel): SpecialFiles {
  let files = byKernel.get(kernel);
  if (files === undefined) {
    files = new SpecialFiles(kernel);
    byKernel.set(kernel, files);
  }
  return files;
}

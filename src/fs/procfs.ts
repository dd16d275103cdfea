/** procfs: proc(5), Linux fs/proc. The kernel answers through `SystemView`. */
import { ENOENT } from '../abi/errno.ts';
import { PROC_SUPER_MAGIC } from '../abi/statfs.ts';
import { forgetChild, rootDentry } from './dentry.ts';
import { PseudoDirectory, PseudoFs, PseudoLink } from './pseudo.ts';
import type { PseudoInode } from './pseudo.ts';
import type { ProcessView, SystemView } from './process-view.ts';
import { addNetFiles } from './procfs-net.ts';
import { addSysctl } from './procfs-sysctl.ts';
import { addSystemFiles } from './procfs-system.ts';
import { makeProcessDirectory } from './procfs-task.ts';
import type { DirectoryEntry, Inode } from './types.ts';

/** Directories of processes are kept so that each stays the same inode; those that ended are dropped when there are so many more than at the last time. */
const KEPT_DIRECTORIES = 32;

export function createProcFs(dev: number, now: () => bigint, system: SystemView): PseudoFs {
  const fileSystem = new PseudoFs('proc', dev, PROC_SUPER_MAGIC, now);
  fileSystem.root = new ProcRoot(fileSystem, system);
  return fileSystem;
}

class ProcRoot extends PseudoDirectory {
  readonly #system: SystemView;
  readonly #processes = new Map<number, { readonly view: ProcessView; readonly directory: PseudoInode }>();
  #dropAbove = KEPT_DIRECTORIES;

  constructor(fileSystem: PseudoFs, system: SystemView) {
    super(fileSystem);
    this.#system = system;
    const current = (): ProcessView | undefined => system.current?.process;
    this.add('self', new PseudoLink(fileSystem, () => (current() === undefined ? -ENOENT : String(current()!.pid))));
    this.add('thread-self', new PseudoLink(fileSystem, () => {
      const here = system.current;
      return here === undefined ? -ENOENT : `${here.process.pid}/task/${here.tid}`;
    }));
    addSystemFiles(this, system);
    this.add('mounts', new PseudoLink(fileSystem, () => 'self/mounts'));
    addSysctl(this, system);
    this.add('net', new PseudoLink(fileSystem, () => 'self/net'));
    addNetFiles(this, system);
  }

  #directoryOf(view: ProcessView): PseudoInode {
    const kept = this.#processes.get(view.pid);
    if (kept !== undefined && kept.view === view) return kept.directory;
    if (this.#processes.size > this.#dropAbove) this.#dropEnded();
    const directory = makeProcessDirectory(this.fileSystem, this.#system, view);
    this.#processes.set(view.pid, { view, directory });
    return directory;
  }

  /** With their names: each holds on to the process and to the memory that it had. */
  #dropEnded(): void {
    const root = rootDentry(this.fileSystem);
    for (const [pid, { view }] of this.#processes) {
      if (this.#system.process(pid) === view) continue;
      this.#processes.delete(pid);
      const name = root.children?.get(String(pid));
      if (name !== undefined && name.mounts === 0) forgetChild(root, name);
    }
    this.#dropAbove = this.#processes.size + KEPT_DIRECTORIES;
  }

  override lookup(name: string): Inode | number {
    if (!/^[1-9]\d{0,9}$/.test(name)) return super.lookup(name);
    const view = this.#system.process(Number(name)) ?? this.#system.processOfThread(Number(name));
    return view === undefined ? -ENOENT : this.#directoryOf(view);
  }

  override readDirectory(): readonly DirectoryEntry[] | number {
    const fixed = super.readDirectory();
    if (typeof fixed === 'number') return fixed;
    const entries = [...fixed];
    for (const pid of [...this.#system.pids()].sort((a, b) => a - b)) {
      const view = this.#system.process(pid);
      if (view !== undefined) entries.push({ name: String(pid), ino: this.#directoryOf(view).ino, type: 0o40000 });
    }
    return entries;
  }
}

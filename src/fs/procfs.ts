/** procfs: proc(5), Linux fs/proc. The kernel answers through `SystemView`. */
import { ENOENT, EPERM } from '../abi/errno.ts';
import { PROC_SUPER_MAGIC } from '../abi/statfs.ts';
import { forgetChild, rootDentry } from './dentry.ts';
import { PseudoDirectory, PseudoFs, PseudoLink } from './pseudo.ts';
import type { ProcessView, SystemView } from './process-view.ts';
import { addNetFiles } from './procfs-net.ts';
import { PROC_DEFAULTS, shownProcOptions, type ProcOptions } from './procfs-options.ts';
import { addSysctl } from './procfs-sysctl.ts';
import { addSystemFiles } from './procfs-system.ts';
import { makeProcessDirectory, type ProcessDirectory } from './procfs-task.ts';
import type { DirectoryEntry, Inode } from './types.ts';

/** Directories of processes are kept so that each stays the same inode; those that ended are dropped when there are so many more than at the last time. */
const KEPT_DIRECTORIES = 32;

/** What is always there beside the directories of processes, with `subset=pid` too. */
const LINKS_TO_ONESELF = new Set(['self', 'thread-self']);

export class ProcFs extends PseudoFs {
  settings: ProcOptions;

  constructor(dev: number, now: () => bigint, system: SystemView, settings: ProcOptions = PROC_DEFAULTS) {
    super('proc', dev, PROC_SUPER_MAGIC, now);
    this.settings = settings;
    this.root = new ProcRoot(this, system);
  }
  get options(): string | undefined {
    return shownProcOptions(this.settings);
  }
}

class ProcRoot extends PseudoDirectory {
  readonly #system: SystemView;
  readonly #procFs: ProcFs;
  readonly #processes = new Map<number, { readonly view: ProcessView; readonly directory: ProcessDirectory }>();
  #dropAbove = KEPT_DIRECTORIES;

  constructor(fileSystem: ProcFs, system: SystemView) {
    super(fileSystem);
    this.#system = system;
    this.#procFs = fileSystem;
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

  #directoryOf(view: ProcessView): ProcessDirectory {
    const kept = this.#processes.get(view.pid);
    if (kept !== undefined && kept.view === view) return kept.directory;
    if (this.#processes.size > this.#dropAbove) this.#dropEnded();
    const directory = makeProcessDirectory(this.fileSystem, this.#system, view, () => this.#refusal(view));
    this.#processes.set(view.pid, { view, directory });
    return directory;
  }

  /** What `hidepid=` answers to who looks into the directory of a process: 0, -EPERM or -ENOENT (proc_pid_permission()). */
  #refusal(view: ProcessView): number {
    const { hidePid, gid } = this.#procFs.settings;
    if (hidePid === 'off') return 0;
    if (hidePid !== 'ptraceable' && this.#system.isReaderInGroup(gid)) return 0;
    if (view.inspectable) return 0;
    return hidePid === 'invisible' ? -ENOENT : -EPERM;
  }

  /** Not even the name of the directory is there for who reads. */
  #isHidden(view: ProcessView): boolean {
    const { hidePid } = this.#procFs.settings;
    return hidePid !== 'off' && hidePid !== 'noaccess' && this.#refusal(view) !== 0;
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
    const { hidePid, pidsOnly } = this.#procFs.settings;
    if (!/^[1-9]\d{0,9}$/.test(name)) return pidsOnly && !LINKS_TO_ONESELF.has(name) ? -ENOENT : super.lookup(name);
    const view = this.#system.process(Number(name)) ?? this.#system.processOfThread(Number(name));
    if (view === undefined || this.#isHidden(view)) return -ENOENT;
    const directory = this.#directoryOf(view);
    directory.isGuarded = hidePid !== 'off';
    return directory;
  }

  override readDirectory(): readonly DirectoryEntry[] | number {
    const fixed = super.readDirectory();
    if (typeof fixed === 'number') return fixed;
    const { pidsOnly } = this.#procFs.settings;
    const entries = pidsOnly ? fixed.filter(({ name }) => LINKS_TO_ONESELF.has(name)) : [...fixed];
    for (const pid of [...this.#system.pids()].sort((a, b) => a - b)) {
      const view = this.#system.process(pid);
      if (view !== undefined && !this.#isHidden(view)) entries.push({ name: String(pid), ino: this.#directoryOf(view).ino, type: 0o40000 });
    }
    return entries;
  }
}

/** /proc/PID and /proc/PID/task/TID: Linux fs/proc/base.c. */
import { EACCES, EINVAL, ENOENT, EPERM } from '../abi/errno.ts';
import { S_IFDIR } from '../abi/stat.ts';

import { locationOf } from './open.ts';
import { pathOf, visiblePath } from './path.ts';
import { DynamicDirectory, OpenerFile, PseudoDirectory, PseudoFile, PseudoLink } from './pseudo.ts';
import type { Owner, PseudoFs, PseudoInode } from './pseudo.ts';
import type { NamespaceFileName, ProcessView, SystemView, ThreadView } from './process-view.ts';
import { fdInfoText, limitsText, mapsText, mountInfoText, mountStatsText, mountsText, smapsText } from './procfs-text.ts';
import { addMemoryText, MemoryFile } from './procfs-memory.ts';
import { statText, statmText, statusText } from './procfs-status.ts';
import { netDirectory } from './procfs-net.ts';
import { namespaceLocation, type NamespaceIdentity } from './namespace-identity.ts';
import type { Location } from './dentry.ts';
import type { Inode, Stat } from './types.ts';

function linkTo(fileSystem: PseudoFs, view: ProcessView, system: SystemView, place: () => Location | undefined, owner: Owner): PseudoLink {
  const find = (): Location | number => {
    if (!view.inspectable) return -EACCES;
    return place() ?? -ENOENT;
  };
  const text = (): string | number => {
    const found = find();
    if (typeof found === 'number') return found;
    return shownPath(system, found);
  };
  return new PseudoLink(fileSystem, text, owner, find);
}

/** A path as the reader sees it: from its own root where it can. */
function shownPath(system: SystemView, location: Location): string {
  const root = system.current?.process.root;
  const seen = root === undefined || location.dentry.deleted ? undefined : visiblePath(location, root);
  return seen ?? pathOf(location);
}

function fdDirectory(fileSystem: PseudoFs, view: ProcessView, system: SystemView, owner: Owner): DynamicDirectory {
  const links = new Map<number, { readonly file: object; readonly link: PseudoLink }>();
  const find = (name: string): Inode | undefined => {
    if (!view.inspectable || !/^(0|[1-9]\d{0,8})$/.test(name)) return undefined;
    const fd = Number(name);
    const file = view.descriptor(fd);
    if (file === undefined) {
      links.delete(fd);
      return undefined;
    }
    const kept = links.get(fd);
    if (kept?.file === file) return kept.link;
    const writes = (file.flags & 3) !== 0;
    const reads = (file.flags & 3) !== 1;
    const text = (): string => (file.location === undefined ? file.description : shownPath(system, file.location));
    const link = new PseudoLink(fileSystem, text, owner, () => locationOf(file), (reads ? 0o500 : 0) | (writes ? 0o300 : 0));
    links.set(fd, { file, link });
    return link;
  };
  const list = function* (): Iterable<readonly [string, Inode]> {
    if (!view.inspectable) return;
    for (const [fd] of view.descriptors()) {
      const link = find(String(fd));
      if (link !== undefined) yield [String(fd), link];
    }
  };
  return new GuardedDirectory(fileSystem, view, find, list, owner, 0o500);
}

/** A directory of what only those who may inspect the process see. */
class GuardedDirectory extends DynamicDirectory {
  readonly #view: ProcessView;
  constructor(
    fileSystem: PseudoFs, view: ProcessView, find: (name: string) => Inode | undefined, list: () => Iterable<readonly [string, Inode]>, owner: Owner, mode: number,
  ) {
    super(fileSystem, find, list, owner, mode);
    this.#view = view;
  }
  override readDirectory(): ReturnType<DynamicDirectory['readDirectory']> {
    return this.#view.inspectable ? super.readDirectory() : -EACCES;
  }
}

function fdInfoDirectory(fileSystem: PseudoFs, view: ProcessView, owner: Owner): DynamicDirectory {
  const find = (name: string): Inode | undefined => {
    const file = /^(0|[1-9]\d{0,8})$/.test(name) ? view.descriptor(Number(name)) : undefined;
    return file === undefined || !view.inspectable ? undefined
      : new PseudoFile(fileSystem, () => fdInfoText(file, view.isCloseOnExec(Number(name))), 0o444, undefined, owner);
  };
  const list = function* (): Iterable<readonly [string, Inode]> {
    for (const [fd] of view.descriptors()) yield [String(fd), find(String(fd))!];
  };
  return new GuardedDirectory(fileSystem, view, find, list, owner, 0o555);
}

function addNamespaceFile(directory: PseudoDirectory, view: ProcessView, name: NamespaceFileName): void {
  directory.add(name, new OpenerFile(directory.fileSystem, (writes) => view.openNamespaceFile(name, writes), 0o644, directory.owner));
}

/** What a process's directory and a thread's directory have in common. */
function addCommon(directory: PseudoDirectory, system: SystemView, view: ProcessView, thread: () => ThreadView | undefined): void {
  const { fileSystem, owner } = directory;
  const live = (): ThreadView => thread() ?? view.leader;
  directory.file('status', () => statusText(view, live()));
  directory.file('statm', () => statmText(view));
  directory.file('comm', () => `${live().name}\n`, 0o644, (text) => {
    if (view !== system.current?.process) return -EINVAL;
    live().setName(text.replace(/\n$/, '').slice(0, 15));
    return text.length;
  });
  directory.file('cmdline', () => view.commandLine());
  addMemoryText(directory, view, 'environ', () => view.environment(), 0o400);
  addMemoryText(directory, view, 'auxv', () => view.auxv(), 0o400);
  addMemoryText(directory, view, 'maps', () => mapsText(view));
  addMemoryText(directory, view, 'smaps', () => smapsText(view));
  addMemoryText(directory, view, 'smaps_rollup', () => smapsText(view, true));
  directory.file('limits', () => limitsText(view));
  directory.file('mounts', () => mountsText(view));
  directory.file('mountinfo', () => mountInfoText(view));
  directory.file('cgroup', () => `0::${live().cgroup}\n`);
  directory.file('wchan', () => live().waitingIn || '0');
  directory.file('io', () => (view.inspectable ? 'rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n' : -EACCES), 0o400);
  directory.file('personality', () => `${live().personality.toString(16).padStart(8, '0')}\n`, 0o400);
  directory.file('schedstat', () => `${Math.floor(live().userNs + live().systemNs)} 0 ${live().voluntarySwitches}\n`);
  directory.file('stack', () => -EPERM, 0o400);
  directory.file('syscall', () => (view.inspectable ? `${live().currentCall}\n` : -EPERM), 0o400);
  directory.file('oom_score', () => `${view.oomScore}\n`);
  directory.file('oom_score_adj', () => `${view.oomScoreAdjustment}\n`, 0o644, (text) => {
    const value = Number(text.trim());
    if (!Number.isInteger(value) || value < -1000 || value > 1000) return -EINVAL;
    const refused = view.setOomScoreAdjustment(value);
    return refused === 0 ? text.length : refused;
  });
  directory.file('oom_adj', () => `${Math.trunc((view.oomScoreAdjustment * 17) / 1000)}\n`, 0o644, (text) => text.length);
  directory.file('loginuid', () => String(view.loginUid >>> 0), 0o644, (text) => {
    view.loginUid = Number(text.trim()) >>> 0;
    return text.length;
  });
  directory.file('sessionid', () => '4294967295');
  for (const name of ['uid_map', 'gid_map', 'projid_map', 'setgroups'] as const) addNamespaceFile(directory, view, name);
  directory.file('cpuset', () => `${live().cgroup}\n`);
  const links: readonly (readonly [string, () => Location | undefined])[] = [
    ['exe', () => view.executable], ['cwd', () => view.cwd], ['root', () => view.root],
  ];
  for (const [name, place] of links) directory.add(name, linkTo(fileSystem, view, system, place, owner));
  directory.add('fd', fdDirectory(fileSystem, view, system, owner));
  directory.add('fdinfo', fdInfoDirectory(fileSystem, view, owner));
  directory.add('mem', new MemoryFile(fileSystem, view, owner));
  const namespaces = directory.directory('ns');
  for (const [name] of view.namespaces()) {
    const find = (): NamespaceIdentity | undefined => view.namespaces().find(([other]) => other === name)?.[1];
    const text = (): string => `${name.replace(/_for_children$/, '')}:[${find()?.ino ?? 0}]`;
    const place = (): Location | number => {
      if (!view.inspectable) return -EACCES;
      const namespace = find();
      return namespace === undefined ? -ENOENT : namespaceLocation(namespace, text());
    };
    namespaces.add(name, new PseudoLink(fileSystem, () => (view.inspectable ? text() : -EACCES), owner, place));
  }
  const net = netDirectory(fileSystem);
  if (net !== undefined) directory.add('net', net);
  const attributes = directory.directory('attr');
  for (const name of ['current', 'exec', 'prev', 'fscreate', 'keycreate', 'sockcreate']) {
    attributes.file(name, () => (name === 'current' ? 'unconfined\n' : ''), 0o666, () => -EINVAL);
  }
}

/** /proc/PID. Its objects are made when it is first looked into; `refusal` says who may look: 0 or a negative errno. */
export function makeProcessDirectory(fileSystem: PseudoFs, system: SystemView, view: ProcessView, refusal: () => number): ProcessDirectory {
  const owner: Owner = () => view.owner;
  return new ProcessDirectory(fileSystem, owner, { view, refusal }, (directory) => {
    addCommon(directory, system, view, () => view.leader);
    directory.file('stat', () => statText(view, view.leader, true));
    directory.file('mountstats', () => mountStatsText(view), 0o400);
    addNamespaceFile(directory, view, 'timens_offsets');
    directory.file('coredump_filter', () => '00000033\n', 0o644, (text) => text.length);
    directory.file('timerslack_ns', () => `${view.leader.timerSlackNs}\n`, 0o666, (text) => text.length);
    directory.file('autogroup', () => '/autogroup-1 nice 0\n', 0o644, (text) => text.length);
    directory.add('task', threadsDirectory(fileSystem, system, view, owner));
  });
}

class LazyDirectory extends PseudoDirectory {
  #fill: ((directory: PseudoDirectory) => void) | undefined;
  constructor(fileSystem: PseudoFs, owner: Owner, fill: (directory: PseudoDirectory) => void) {
    super(fileSystem, owner);
    this.#fill = fill;
  }
  #ready(): void {
    const fill = this.#fill;
    this.#fill = undefined;
    fill?.(this);
  }
  override lookup(name: string): Inode | number {
    this.#ready();
    return super.lookup(name);
  }
  override readDirectory(): ReturnType<PseudoDirectory['readDirectory']> {
    this.#ready();
    return super.readDirectory();
  }
  override get nlink(): number {
    return 9;
  }
}

/** /proc/PID, which pidfd_send_signal(2) takes for the process. */
export class ProcessDirectory extends LazyDirectory {
  readonly view: ProcessView;
  readonly #refusal: () => number;

  constructor(
    fileSystem: PseudoFs, owner: Owner, { view, refusal }: { readonly view: ProcessView; readonly refusal: () => number }, fill: (directory: PseudoDirectory) => void,
  ) {
    super(fileSystem, owner, fill);
    this.view = view;
    this.#refusal = refusal;
  }
  /** Set: whoever looks into it is asked for. The mode that the VFS sees is then one with which it asks. */
  set isGuarded(isGuarded: boolean) {
    this.mode = S_IFDIR | (isGuarded ? 0o550 : 0o555);
  }
  permission(): number {
    return this.#refusal();
  }
  override stat(): Stat {
    return { ...super.stat(), mode: S_IFDIR | 0o555 };
  }
}

function threadsDirectory(fileSystem: PseudoFs, system: SystemView, view: ProcessView, owner: Owner): DynamicDirectory {
  const kept = new Map<number, PseudoInode>();
  const directoryOf = (tid: number): PseudoInode => {
    let directory = kept.get(tid);
    if (directory === undefined) {
      const thread = (): ThreadView | undefined => view.threads.find((other) => other.tid === tid);
      directory = new LazyDirectory(fileSystem, owner, (made) => {
        addCommon(made, system, view, thread);
        made.file('stat', () => statText(view, thread() ?? view.leader, false));
        made.file('children', () => (tid === view.pid ? view.childPids.map((pid) => `${pid} `).join('') : ''));
      });
      kept.set(tid, directory);
    }
    return directory;
  };
  const find = (name: string): Inode | undefined => {
    const tid = Number(name);
    return /^[1-9]\d*$/.test(name) && view.threads.some((thread) => thread.tid === tid) ? directoryOf(tid) : undefined;
  };
  const list = function* (): Iterable<readonly [string, Inode]> {
    for (const { tid } of view.threads) yield [String(tid), directoryOf(tid)];
  };
  return new DynamicDirectory(fileSystem, find, list, owner);
}


/** The file systems of a container: above a directory of the host (what `caisson do` sees), above the layers of an image, or in memory alone. */
import { EINVAL, ENODEV, ENOENT, ENOTDIR } from '../abi/errno.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME } from '../abi/mount.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../abi/stat.ts';
import { changes } from '../fs/changes.ts';
import type { Change } from '../fs/changes.ts';
import type { Location } from '../fs/dentry.ts';
import { CgroupFs } from '../fs/cgroupfs.ts';
import { createDevFs, createDevPts } from '../fs/devfs.ts';
import { HostFs } from '../fs/hostfs.ts';
import { OwnedFiles } from '../fs/owned-files.ts';
import { openLayer } from '../fs/layer-files.ts';
import type { LayerPaths } from '../fs/layer-files.ts';
import { LayerFs } from '../fs/layerfs.ts';
import type { Layer } from '../fs/layerfs.ts';
import { MountNamespace, newMount, topOf } from '../fs/mounts.ts';
import { OverlayFs } from '../fs/overlay.ts';
import { createProcFs } from '../fs/procfs.ts';
import { createSysFs } from '../fs/sysfs.ts';
import { TmpFs } from '../fs/tmpfs.ts';
import type { SystemView } from '../fs/process-view.ts';
import type { FileSystem, Inode } from '../fs/types.ts';
import { walkPath, LOOKUP_FOLLOW } from '../fs/walk.ts';
import type { HostFiles, HostNetwork } from '../host/types.ts';
import type { CgroupTree } from './cgroup/tree.ts';
import { listenForHostAt } from './files/network.ts';
import { specialFilesOf } from './files/special-files.ts';
import { createMqueueFs } from './ipc/mqueue-fs.ts';
import { makeOverlay } from './mounts/mount-overlay.ts';
import { nextAnonymousDevice, registerFileSystem } from './mounts/file-system-types.ts';
import type { PidNamespace } from './namespaces/pid-namespace.ts';
import type { UserNamespace } from './namespaces/user-namespace.ts';
import type { Kernel, Task } from './types.ts';
import { VfsContext } from './vfs-context.ts';

export type ViewMount =
  | BindMount
  | { readonly kind: 'tmpfs'; readonly destination: string; readonly sizeBytes?: number }
  | LayersMount
  | { readonly kind: 'file'; readonly destination: string; readonly bytes: Uint8Array; readonly mode: number; readonly uid: number; readonly gid: number }
  | SocketMount;

/** A directory or file of the host. */
export interface BindMount {
  readonly kind: 'bind';
  readonly source: string;
  readonly destination: string;
  readonly writable: boolean;
  /** Whoever runs this may not give owners on the host: they are kept in this file, and those of the host's user are root's (`fs/owned-files.ts`). */
  readonly owners?: { readonly path: string; readonly uid: number; readonly gid: number };
}

/** A unix socket of the host. */
export interface SocketMount {
  readonly kind: 'socket';
  readonly source: string;
  readonly destination: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A directory or file of some layers; none: an empty directory. What is written stays in memory. */
export interface LayersMount {
  readonly kind: 'layers';
  readonly layers: readonly LayerPaths[];
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface HostViewOptions {
  /** Absent: `/` starts as an empty directory in memory, and nothing of the host can be mounted. */
  readonly files?: HostFiles | undefined;
  /** Absent: no socket of the host can be mounted. */
  readonly network?: HostNetwork | undefined;
  /** Host directory that is the lower layer of `/`. Without `files` it is not used. */
  readonly root: string;
  /** Layers of an image, the lowest first, that are the lower layer of `/` instead of `root`. */
  readonly layers?: readonly LayerPaths[] | undefined;
  /** Host paths that look absent. */
  readonly hide?: readonly string[];
  readonly mounts?: readonly ViewMount[];
  readonly readOnly?: boolean;
  /** Bytes that the writable layer holds at most. Default 1 GiB. */
  readonly upperBytes?: number;
  /** What of them earlier starts have taken. */
  readonly upperUsedBytes?: number | undefined;
  readonly upperInodes?: number;
  /** Bytes of /dev/shm. Default 64 MiB, as Docker. */
  readonly shmBytes?: number;
  readonly system: SystemView;
  /** What a procfs of another PID namespace sees. */
  readonly systemOf: (namespace: PidNamespace) => SystemView;
  /** Who may mount. */
  readonly user: UserNamespace;
  /** With a terminal there is /dev/console. */
  readonly console?: boolean;
  /** `/sys/fs/cgroup` may be written by whom its files let. Default: it is read-only, as Docker's. */
  readonly writableCgroups?: boolean;
}

export interface HostView {
  readonly namespace: MountNamespace;
  readonly overlay: OverlayFs;
  /** A `struct fs_struct` for a first process; -ENOENT and the like where `cwd` cannot be entered. */
  context(cwd: string, umask?: number): VfsContext | number;
  changes(): Iterable<Change>;
  /** The same of a mount of the kind `layers`. */
  changesOf(destination: string): Iterable<Change>;
  /** Closes host handles. */
  close(): void;
}

/** A kernel with control groups, which the interface `Kernel` does not speak of. */
type CgroupKernel = Kernel & { readonly cgroups: CgroupTree };

/** New files get numbers above those of the host. */
const UPPER_FIRST_INODE = 2 ** 48;
/** Device numbers (0:N) that stat and mountinfo show. */
const DEVICES = { overlay: 40, upper: 41, lower: 42, proc: 43, sys: 44, dev: 45, pts: 46, shm: 47, cgroup: 48, first: 50 } as const;
const SUPER = { fsuid: 0, fsgid: 0, groups: [], capabilitiesLow: -1, capabilitiesHigh: -1 } as const;

/** Makes the view, or answers the negative errno and the path that is the reason. */
export function createHostView(kernel: CgroupKernel, options: HostViewOptions): HostView | { readonly errno: number; readonly path: string } {
  const { files, root } = options;
  const hidden = files === undefined ? [] : canonicalHidden(files, options.hide ?? []);
  const prefix = root === '/' ? '' : root;
  const { monotonicNs, realtimeNs } = kernel;
  const closers: (() => void)[] = [];
  const openHost: HostOpener = (path, dev, writable, masked, { keptAbove = false, owners } = {}) => {
    if (files === undefined) return -ENODEV;
    const seen = owners === undefined ? files : new OwnedFiles(files, owners.path, owners, monotonicNs);
    const host = HostFs.open({ files: seen, root: path, dev, monotonicNs, writable, hidden, masked, keptAbove });
    if (typeof host !== 'number') closers.push(() => host.handles.closeAll());
    return host;
  };
  const lower = files === undefined
    ? new TmpFs({ dev: DEVICES.lower, now: realtimeNs, mode: 0o755 })
    : options.layers === undefined
      ? openHost(root, DEVICES.lower, false, ['/proc', '/sys', '/dev'].map((path) => prefix + path), { keptAbove: true })
      : openLayers(files, options.layers, closers);
  if (typeof lower === 'number') return { errno: lower, path: root };
  if ('errno' in lower) return lower;
  const upper = new TmpFs({
    dev: DEVICES.upper, now: realtimeNs, maxBytes: options.upperBytes ?? 2 ** 30, maxInodes: options.upperInodes ?? 1_000_000,
    firstInode: UPPER_FIRST_INODE, usedBytes: options.upperUsedBytes,
  });
  const overlay = new OverlayFs({ dev: DEVICES.overlay, lower, upper });
  overlay.onTransfer = (bytes, writing) => kernel.cgroups.transferred(bytes, writing);
  kernel.cgroups.disk = `0:${DEVICES.overlay}`;
  const namespace = new MountNamespace(options.user, newMount(overlay, MS_RELATIME, 'overlay'));
  const builder = new ViewBuilder(namespace);
  const overlays = new Map<string, OverlayFs>();
  const failed = mountSystem(kernel, options, builder) ?? mountGranted(options, builder, { kernel, openHost, now: realtimeNs, closers, overlays });
  if (failed !== undefined) return failed;
  if (options.readOnly === true) namespace.root.flags |= MS_RDONLY;
  return {
    namespace, overlay,
    context: (cwd, umask = 0o022) => contextAt(namespace, cwd, umask),
    changes: () => changes(overlay),
    changesOf: (destination) => {
      const mounted = overlays.get(destination);
      return mounted === undefined ? [] : changes(mounted, { withRoot: true });
    },
    close: () => {
      for (const close of closers) close();
    },
  };
}

function openLayers(files: HostFiles, paths: readonly LayerPaths[], closers: (() => void)[], dev: number = DEVICES.lower): LayerFs | Failure {
  const layers: Layer[] = [];
  for (const path of paths) {
    const layer = openLayer(files, path);
    if (typeof layer === 'number') return { errno: layer, path: path.index };
    layers.push(layer);
    closers.push(() => layer.close());
  }
  return new LayerFs({ dev, layers });
}

type HostOpener = (path: string, dev: number, writable: boolean, masked: readonly string[], options?: { readonly keptAbove?: boolean; readonly owners?: BindMount['owners'] }) => HostFs | number;

interface Failure {
  readonly errno: number;
  readonly path: string;
}

/** /proc, /sys, /dev and what is in it. */
function mountSystem(kernel: CgroupKernel, options: HostViewOptions, builder: ViewBuilder): Failure | undefined {
  const { realtimeNs } = kernel;
  const secure = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME;
  const { ptys } = specialFilesOf(kernel);
  const makePts = (): FileSystem => {
    const made = createDevPts(DEVICES.pts, realtimeNs, ptys);
    ptys.fileSystem = made;
    return made;
  };
  const makeProc = (task: Task): FileSystem => createProcFs(nextAnonymousDevice(), realtimeNs, options.systemOf(task.process.pidNamespace));
  const makeSys = (): FileSystem => createSysFs(DEVICES.sys, realtimeNs, options.system);
  registerFileSystem(kernel, 'proc', makeProc, { owner: (task) => task.process.pidNamespace.user, mustBeVisible: true });
  registerFileSystem(kernel, 'sysfs', makeSys, { owner: (task) => task.namespaces.network.user, mustBeVisible: true });
  registerFileSystem(kernel, 'overlay', makeOverlay, { owner: (task) => task.credentials.user });
  registerFileSystem(kernel, 'mqueue', ({ namespaces }) => createMqueueFs(nextAnonymousDevice(), realtimeNs, namespaces.ipc), { owner: (task) => task.namespaces.ipc.user });
  registerFileSystem(kernel, 'devpts', makePts, { owner: (task) => task.credentials.user });
  const cgroups = new CgroupFs({ dev: DEVICES.cgroup, now: realtimeNs, credentials: () => kernel.current?.credentials });
  registerFileSystem(kernel, 'cgroup2', (task, data) => (unknownCgroupOption(data) ? -EINVAL : cgroups.viewFrom(task.namespaces.cgroup.root)), {
    check: (_task, option) => (unknownCgroupOption(option) ? -EINVAL : 0),
    owner: (task) => task.namespaces.cgroup.user,
  });
  const shm = new TmpFs({ dev: DEVICES.shm, now: realtimeNs, maxBytes: options.shmBytes ?? 64 * 2 ** 20, mode: 0o1777, payer: () => kernel.cgroups.payer() });
  const dev = createDevFs({ dev: DEVICES.dev, now: realtimeNs, console: options.console === true });
  return builder.mount('/proc', createProcFs(DEVICES.proc, realtimeNs, options.system), secure, 'proc')
    ?? builder.mount('/sys', makeSys(), secure | MS_RDONLY, 'sysfs')
    ?? builder.mount('/sys/fs/cgroup', cgroups.viewFrom(kernel.cgroups.container), options.writableCgroups === true ? secure : secure | MS_RDONLY, 'cgroup')
    ?? builder.mount('/dev', dev, MS_NOSUID, 'tmpfs')
    ?? builder.mount('/dev/pts', makePts(), MS_NOSUID | MS_NOEXEC | MS_RELATIME, 'devpts')
    ?? builder.mount('/dev/shm', shm, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, 'shm');
}

/** Those of mount(2) that change nothing here (cgroup2_fs_parameters). */
function unknownCgroupOption(data: string): boolean {
  const known = ['', 'nsdelegate', 'favordynmods', 'memory_localevents', 'memory_recursiveprot', 'memory_hugetlb_accounting', 'pids_localevents'];
  return data.split(',').some((option) => !known.includes(option));
}

interface Granting {
  readonly kernel: Kernel;
  readonly openHost: HostOpener;
  readonly now: () => bigint;
  readonly closers: (() => void)[];
  readonly overlays: Map<string, OverlayFs>;
}

/** What the user granted. */
function mountGranted(options: HostViewOptions, builder: ViewBuilder, granting: Granting): Failure | undefined {
  let dev: number = DEVICES.first;
  for (const mount of options.mounts ?? []) {
    const failed = mountOne(options, builder, mount, dev, granting);
    if (failed !== undefined) return failed;
    dev += 3;
  }
  return undefined;
}

/** `dev`: the first of three numbers that it may use. */
function mountOne(options: HostViewOptions, builder: ViewBuilder, mount: ViewMount, dev: number, granting: Granting): Failure | undefined {
  const { openHost, now } = granting;
  if (mount.kind === 'tmpfs') {
    const maxBytes = mount.sizeBytes ?? 2 ** 30;
    return builder.mount(mount.destination, new TmpFs({ dev, now, maxBytes, payer: () => granting.kernel.memoryPayer?.() }), MS_NOSUID | MS_NODEV | MS_RELATIME, 'tmpfs');
  }
  if (mount.kind === 'layers') return mountLayers(options, builder, mount, dev, granting);
  if (mount.kind === 'file') return mountNode(builder, mount, S_IFREG, dev, now, (file) => void file.writeAt(mount.bytes, 0));
  if (mount.kind === 'socket') {
    const { network } = options;
    if (network === undefined) return { errno: -ENODEV, path: mount.source };
    return mountNode(builder, mount, S_IFSOCK, dev, now, (node) => listenForHostAt(granting.kernel, node, mount.destination, (handlers) => network.connectUnix(mount.source, handlers)));
  }
  const host = openHost(mount.source, dev, mount.writable, [], { owners: mount.owners });
  if (typeof host === 'number') return { errno: host, path: mount.source };
  return builder.mount(mount.destination, host, (mount.writable ? 0 : MS_RDONLY) | MS_NODEV | MS_RELATIME, mount.source);
}

/** A file or a socket in memory. */
function mountNode(builder: ViewBuilder, { destination, mode, uid, gid }: Pick<SocketMount, 'destination' | 'mode' | 'uid' | 'gid'>, type: number, dev: number, now: () => bigint, fill: (node: Inode) => void): Failure | undefined {
  const memory = new TmpFs({ dev, now });
  const node = memory.createNode(type | mode, uid, gid, 0);
  if (typeof node === 'number') return { errno: node, path: destination };
  node.linkCount = 1;
  fill(node);
  return builder.mount(destination, { ...viewOf(memory), root: node, readOnly: true }, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_RELATIME, 'tmpfs');
}

/** A file system with another root, which is one of its own. */
function viewOf(fileSystem: FileSystem): FileSystem {
  const { type, dev, root, readOnly, cacheable } = fileSystem;
  return { type, dev, root, readOnly, cacheable, statfs: () => fileSystem.statfs(), sync: () => fileSystem.sync() };
}

function mountLayers(options: HostViewOptions, builder: ViewBuilder, mount: LayersMount, dev: number, { now, closers, overlays }: Granting): Failure | undefined {
  const { files } = options;
  if (files === undefined) return { errno: -ENODEV, path: mount.destination };
  let lower: FileSystem;
  if (mount.layers.length === 0) lower = new TmpFs({ dev, now, mode: mount.mode ?? 0o755, uid: mount.uid ?? 0, gid: mount.gid ?? 0 });
  else {
    const layers = openLayers(files, mount.layers, closers, dev);
    if ('errno' in layers) return layers;
    const root = layers.walk(mount.source, mount.layers.length, true);
    if (typeof root === 'number') return { errno: root, path: mount.source };
    lower = { ...viewOf(layers), root };
  }
  if (mount.readOnly) return builder.mount(mount.destination, lower, MS_RDONLY | MS_NODEV | MS_RELATIME, 'overlay');
  const upper = new TmpFs({ dev: dev + 1, now, maxBytes: options.upperBytes ?? 2 ** 30, maxInodes: options.upperInodes ?? 1_000_000, firstInode: UPPER_FIRST_INODE });
  const overlay = new OverlayFs({ dev: dev + 2, lower, upper });
  overlays.set(mount.destination, overlay);
  return builder.mount(mount.destination, overlay, MS_NODEV | MS_RELATIME, 'overlay');
}

/** Mounts by path, making the places to mount on where they are missing. */
class ViewBuilder {
  readonly #namespace: MountNamespace;

  constructor(namespace: MountNamespace) {
    this.#namespace = namespace;
  }

  mount(path: string, fileSystem: FileSystem, flags: number, source: string): Failure | undefined {
    const isFile = (fileSystem.root.mode & S_IFMT) !== S_IFDIR;
    const at = this.#placeFor(path, isFile);
    if (typeof at === 'number') return { errno: at, path };
    const mounted = this.#namespace.mount(fileSystem, at, flags, source);
    return typeof mounted === 'number' ? { errno: mounted, path } : undefined;
  }

  #placeFor(path: string, isFile: boolean): Location | number {
    const root = this.#namespace.rootLocation;
    const context = { root, cwd: root, umask: 0 };
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    let at: Location = root;
    for (const [index, part] of parts.entries()) {
      const found = walkPath(context, SUPER, at, part, LOOKUP_FOLLOW);
      if (typeof found !== 'number') {
        at = topOf(found);
        continue;
      }
      if (found !== -ENOENT) return found;
      const file = isFile && index === parts.length - 1;
      const made = at.dentry.inode.create(part, file ? S_IFREG | 0o644 : S_IFDIR | 0o755, 0, 0, 0);
      if (typeof made === 'number') return made;
      const again = walkPath(context, SUPER, at, part, LOOKUP_FOLLOW);
      if (typeof again === 'number') return again;
      at = again;
    }
    const isDirectory = (at.dentry.inode.mode & S_IFMT) === S_IFDIR;
    if (isDirectory === isFile) return isFile ? -EINVAL : -ENOTDIR;
    return { mount: at.mount, dentry: at.dentry };
  }
}

function contextAt(namespace: MountNamespace, cwd: string, umask: number): VfsContext | number {
  const root = namespace.rootLocation;
  const found = walkPath({ root, cwd: root, umask }, SUPER, root, cwd, LOOKUP_FOLLOW);
  if (typeof found === 'number') return found;
  if ((found.dentry.inode.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
  return new VfsContext(namespace, root, { mount: found.mount, dentry: found.dentry }, umask);
}

/** The paths themselves, and where the host's symbolic links on the way to them lead. */
function canonicalHidden(files: HostFiles, paths: readonly string[]): readonly string[] {
  const known = new Map<string, string | undefined>([['', '']]);
  const directoryOf = (path: string): string | undefined => {
    if (known.has(path)) return known.get(path);
    known.set(path, undefined);
    const cut = path.lastIndexOf('/');
    const above = directoryOf(path.slice(0, cut));
    let result: string | undefined;
    if (above !== undefined) {
      const here = `${above}/${path.slice(cut + 1)}`;
      const stat = files.lstat(here);
      if (typeof stat === 'number') result = undefined;
      else if ((stat.mode & S_IFMT) !== S_IFLNK) result = here;
      else {
        const target = files.readLink(here);
        result = typeof target === 'number' ? undefined : directoryOf(joined(above, target));
      }
    }
    known.set(path, result);
    return result;
  };
  const result = new Set(paths);
  for (const path of paths) {
    const cut = path.lastIndexOf('/');
    const above = directoryOf(path.slice(0, cut));
    if (above !== undefined) result.add(`${above}${path.slice(cut)}`);
  }
  return [...result];
}

/** A link's target as an absolute path without `.` and `..`. */
function joined(directory: string, target: string): string {
  const parts = target.startsWith('/') ? [] : directory.split('/');
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.filter((part) => part !== '').map((part) => `/${part}`).join('');
}

/** What a path of the view leads to, links followed. */
export function inodeAt(view: HostView, path: string): Inode | number {
  const root = view.namespace.rootLocation;
  const found = walkPath({ root, cwd: root, umask: 0 }, SUPER, root, path, LOOKUP_FOLLOW);
  return typeof found === 'number' ? found : found.dentry.inode;
}

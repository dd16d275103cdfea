/** Texts of /proc/PID/maps, mounts, limits and so on (Linux fs/proc/task_mmu.c, fs/proc_namespace.c, fs/proc/fd.c). */
import {
  MS_DIRSYNC, MS_MANDLOCK, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_RDONLY, MS_RELATIME, MS_SYNCHRONOUS,
} from '../abi/mount.ts';
import { O_CLOEXEC } from '../abi/fcntl.ts';
import type { Mount } from './dentry.ts';
import { visiblePath } from './path.ts';
import type { MappingView, ProcessView } from './process-view.ts';
import { TmpFs } from './tmpfs.ts';
import type { FileSystem, OpenFile } from './types.ts';

/** Blanks, tabs, newlines and backslashes as octal escapes (seq_path). */
function mangle(text: string): string {
  return text.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}

function mapLine(map: MappingView): string {
  const mode = `${map.readable ? 'r' : '-'}${map.writable ? 'w' : '-'}${map.executable ? 'x' : '-'}${map.shared ? 's' : 'p'}`;
  const device = `${hex(map.dev >>> 8, 2)}:${hex(map.dev & 255, 2)}`;
  const line = `${hex(map.start, 8)}-${hex(map.end, 8)} ${mode} ${hex(map.offset, 8)} ${device} ${map.ino} `;
  return map.name === '' ? `${line}\n` : `${line.padEnd(73)}${map.name.replaceAll('\n', '\\012')}\n`;
}

export function mapsText(view: ProcessView): string {
  let text = '';
  for (const map of view.mappings()) text += mapLine(map);
  return text;
}

const SMAPS_FIELDS = ['Size', 'KernelPageSize', 'MMUPageSize', 'Rss', 'Pss', 'Pss_Dirty', 'Shared_Clean', 'Shared_Dirty', 'Private_Clean', 'Private_Dirty',
  'Referenced', 'Anonymous', 'LazyFree', 'AnonHugePages', 'ShmemPmdMapped', 'FilePmdMapped', 'Shared_Hugetlb', 'Private_Hugetlb', 'Swap', 'SwapPss', 'Locked'];
/** Fields that count all bytes of a mapping, since everything mapped is resident here. */
const SMAPS_WHOLE = new Set(['Size', 'Rss', 'Pss', 'Private_Dirty', 'Referenced', 'Anonymous']);

export function smapsText(view: ProcessView, rollup = false): string {
  const field = (name: string, kilobytes: number): string => `${`${name}:`.padEnd(16)}${String(kilobytes).padStart(8)} kB\n`;
  const fields = (bytes: number): string => SMAPS_FIELDS.map((name) => field(name, name.endsWith('PageSize') ? 4 : SMAPS_WHOLE.has(name) ? bytes / 1024 : 0)).join('');
  if (rollup) {
    let bytes = 0;
    for (const map of view.mappings()) bytes += map.end - map.start;
    return `00010000-ffffffff ---p 00000000 00:00 0                          [rollup]\n${fields(bytes).split('\n').slice(3).join('\n')}`;
  }
  let text = '';
  for (const map of view.mappings()) {
    const flags = `${map.readable ? 'rd ' : ''}${map.writable ? 'wr ' : ''}${map.executable ? 'ex ' : ''}${map.shared ? 'sh ' : ''}mr mw me `;
    text += `${mapLine(map)}${fields(map.end - map.start)}THPeligible:           0\nVmFlags: ${flags}\n`;
  }
  return text;
}

const LIMIT_ROWS: readonly (readonly [name: string, unit: string])[] = [
  ['Max cpu time', 'seconds'], ['Max file size', 'bytes'], ['Max data size', 'bytes'], ['Max stack size', 'bytes'], ['Max core file size', 'bytes'],
  ['Max resident set', 'bytes'], ['Max processes', 'processes'], ['Max open files', 'files'], ['Max locked memory', 'bytes'], ['Max address space', 'bytes'],
  ['Max file locks', 'locks'], ['Max pending signals', 'signals'], ['Max msgqueue size', 'bytes'], ['Max nice priority', ''], ['Max realtime priority', ''],
  ['Max realtime timeout', 'us'],
];

export function limitsText(view: ProcessView): string {
  const value = (limit: number): string => (limit === Infinity ? 'unlimited' : String(limit)).padEnd(20);
  const rows = view.limits().map(({ soft, hard }, index) => {
    const [name, unit] = LIMIT_ROWS[index] ?? ['', ''];
    return `${name.padEnd(25)} ${value(soft)} ${value(hard)} ${unit.padEnd(10)}\n`;
  });
  return `${'Limit'.padEnd(25)} ${'Soft Limit'.padEnd(20)} ${'Hard Limit'.padEnd(20)} Units     \n${rows.join('')}`;
}

/** Options of a mount: its own flags. */
function mountFlags(mount: Mount): string {
  const names: readonly (readonly [number, string])[] = [
    [MS_NOSUID, 'nosuid'], [MS_NODEV, 'nodev'], [MS_NOEXEC, 'noexec'], [MS_NOATIME, 'noatime'], [MS_NODIRATIME, 'nodiratime'], [MS_RELATIME, 'relatime'],
    [MS_NOSYMFOLLOW, 'nosymfollow'],
  ];
  const set = names.filter(([bit]) => (mount.flags & bit) !== 0).map(([, name]) => name);
  return [(mount.flags & MS_RDONLY) !== 0 ? 'ro' : 'rw', ...set].join(',');
}

/** Options of the file system itself. */
function superFlags(mount: Mount): string {
  const { fileSystem, flags } = mount;
  const options = [fileSystem.readOnly ? 'ro' : 'rw'];
  if ((flags & MS_SYNCHRONOUS) !== 0) options.push('sync');
  if ((flags & MS_DIRSYNC) !== 0) options.push('dirsync');
  if ((flags & MS_MANDLOCK) !== 0) options.push('mand');
  const shown = (fileSystem as FileSystem).options;
  if (shown !== undefined) options.push(shown);
  if (fileSystem instanceof TmpFs) options.push(`size=${Math.floor(fileSystem.maxBytes / 1024)}k`);
  if (fileSystem.type === 'devpts') options.push('gid=5', 'mode=620', 'ptmxmode=666');
  return options.join(',');
}

/** Mounts that the process can reach, with their paths from its root. */
function* visibleMounts(view: ProcessView): Iterable<readonly [mount: Mount, path: string]> {
  const { root } = view;
  if (root === undefined) return;
  for (const mount of view.mounts()) {
    const path = mount === root.mount && root.dentry === mount.root ? '/' : visiblePath({ mount, dentry: mount.root }, root);
    if (path !== undefined) yield [mount, path];
  }
}

export function mountsText(view: ProcessView): string {
  let text = '';
  for (const [mount, path] of visibleMounts(view)) {
    const own = mountFlags(mount).split(',').slice(1);
    const rest = superFlags(mount).split(',').slice(1);
    const access = (mount.flags & MS_RDONLY) !== 0 || mount.fileSystem.readOnly ? 'ro' : 'rw';
    text += `${mangle(mount.source)} ${mangle(path)} ${mount.fileSystem.type} ${[access, ...own, ...rest].join(',')} 0 0\n`;
  }
  return text;
}

/** The optional fields of mountinfo: how the mount propagates. */
function propagationFields({ peers, master, isUnbindable }: Mount): string {
  const shared = peers === undefined ? '' : `shared:${peers.id} `;
  return shared + (master === undefined ? '' : `master:${master.id} `) + (isUnbindable ? 'unbindable ' : '');
}

export function mountInfoText(view: ProcessView): string {
  let text = '';
  for (const [mount, path] of visibleMounts(view)) {
    const device = `${mount.fileSystem.dev >>> 8}:${mount.fileSystem.dev & 255}`;
    let inside = '';
    for (let at = mount.root; at.parent !== undefined; at = at.parent) inside = `/${at.name}${inside}`;
    text += `${mount.id} ${mount.parent?.id ?? 1} ${device} ${mangle(inside || '/')} ${mangle(path)} ${mountFlags(mount)} ${propagationFields(mount)}- `
      + `${mount.fileSystem.type} ${mangle(mount.source)} ${superFlags(mount)}\n`;
  }
  return text;
}

export function mountStatsText(view: ProcessView): string {
  let text = '';
  for (const [mount, path] of visibleMounts(view)) text += `device ${mangle(mount.source)} mounted on ${mangle(path)} with fstype ${mount.fileSystem.type}\n`;
  return text;
}

export function fdInfoText(file: OpenFile, closeOnExec: boolean): string {
  const flags = closeOnExec ? file.flags | O_CLOEXEC : file.flags;
  return `pos:\t${file.position}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${file.location?.mount.id ?? 1}\nino:\t${file.inode.ino}\n${file.fdInfo?.() ?? ''}`;
}

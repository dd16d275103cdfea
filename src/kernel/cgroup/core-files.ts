/** The files that every group has (cgroup_base_files of kernel/cgroup/cgroup.c). */
import { EINVAL, EOPNOTSUPP, ERANGE } from '../../abi/errno.ts';
import { SI_USER, SIGKILL } from '../../abi/signal.ts';
import type { CgroupFile } from '../../fs/cgroup-view.ts';
import type { Process } from '../task/process.ts';
import type { Cgroup } from './cgroup.ts';
import { attachFromText } from './attach.ts';
import { changeSubtreeControl } from './subtree-control.ts';
import { formatMaximum, parseMaximum } from './values.ts';

function typeOf(group: Cgroup): string {
  if (group.isThreaded) return 'threaded';
  if (!group.isValidDomain) return 'domain invalid';
  return group.isThreadRoot ? 'domain threaded' : 'domain';
}

/** cgroup_enable_threaded(). */
function becomeThreaded(group: Cgroup, text: string): number {
  if (text !== 'threaded') return -EINVAL;
  if (group.isThreaded) return 0;
  const domain = group.parent?.domain;
  if (domain === undefined || group.population > 0 || !group.canBeThreadRoot) return -EOPNOTSUPP;
  if (!domain.isValidDomain && domain.parent !== undefined || !domain.canBeThreadRoot) return -EOPNOTSUPP;
  group.domain = domain;
  for (const below of group.subtree()) below.controllersChanged();
  return 0;
}

/** Processes whose leader is in the group; for the root of a threaded subtree also those below. */
function processesOf(group: Cgroup): ReadonlySet<Process> {
  const found = new Set<Process>();
  for (const below of group.subtree()) {
    if (below.domain !== group && below !== group) continue;
    for (const task of below.tasks) found.add(task.process);
  }
  return found;
}

/** Ids as the reader's PID namespace has them: 0 for what is not in it. */
function listing(group: Cgroup, ids: readonly number[]): string {
  const reader = group.tree.kernel.current;
  return ids.map((id) => reader?.numberOf(id) ?? id).sort((a, b) => a - b).map((id) => `${id}\n`).join('');
}

function killAll(group: Cgroup): void {
  const victims = new Set<Process>();
  for (const below of group.subtree()) for (const task of below.tasks) victims.add(task.process);
  // As a signal of who writes: the first process of his own PID namespace stays (cgroup_kill_control).
  for (const process of victims) process.sendSignal(SIGKILL, { signal: SIGKILL, code: SI_USER });
}

/** A whole number from 0 up, or `max`. */
function bound(name: string, get: () => number, set: (value: number) => void): CgroupFile {
  return {
    name, mode: 0o644, effect: 'bounds',
    read: () => `${formatMaximum(get())}\n`,
    write: (text) => {
      const value = parseMaximum(text);
      if (value === undefined) return -EINVAL;
      if (value < 0 || (value !== Infinity && value > 0x7fff_ffff)) return -ERANGE;
      set(value);
      return 0;
    },
  };
}

function eventFiles(group: Cgroup): readonly CgroupFile[] {
  const { tree } = group;
  return [
    { name: 'cgroup.events', mode: 0o444, effect: 'tells', note: 'polled and watched as on Linux', read: () => `populated ${group.population > 0 ? 1 : 0}\nfrozen ${tree.isQuiet(group) ? 1 : 0}\n` },
    {
      name: 'cgroup.freeze', mode: 0o644, effect: 'acts', read: () => `${group.freeze ? 1 : 0}\n`,
      write: (text) => {
        if (!/^[+-]?\d+$/.test(text)) return -EINVAL;
        if (text !== '0' && text !== '1') return -ERANGE;
        tree.setFreeze(group, text === '1');
        return 0;
      },
    },
    {
      name: 'cgroup.kill', mode: 0o200, effect: 'acts',
      write: (text) => {
        if (group.isThreaded) return -EOPNOTSUPP;
        if (!/^[+-]?\d+$/.test(text)) return -EINVAL;
        if (text !== '1') return -ERANGE;
        killAll(group);
        return 0;
      },
    },
  ];
}

export function coreFiles(group: Cgroup): readonly CgroupFile[] {
  const list = (names: readonly string[]): string => (names.length === 0 ? '' : `${names.join(' ')}\n`);
  return [
    {
      name: 'cgroup.type', mode: 0o644, effect: 'acts', note: '`threaded` makes a group threaded; there is no way back, as on Linux',
      read: () => `${typeOf(group)}\n`, write: (text) => becomeThreaded(group, text),
    },
    {
      name: 'cgroup.procs', mode: 0o644, effect: 'acts', note: 'moves a process; ids are those of the PID namespace of who reads or writes',
      read: () => (group.isThreaded ? -EOPNOTSUPP : listing(group, [...processesOf(group)].map(({ pid }) => pid))),
      write: (text, mayWrite) => attachFromText(group, text, true, mayWrite),
    },
    {
      name: 'cgroup.threads', mode: 0o644, effect: 'acts', note: 'moves a thread within a threaded subtree',
      read: () => listing(group, [...group.tasks].map(({ tid }) => tid)),
      write: (text, mayWrite) => attachFromText(group, text, false, mayWrite),
    },
    { name: 'cgroup.controllers', mode: 0o444, effect: 'tells', read: () => list(group.available) },
    {
      name: 'cgroup.subtree_control', mode: 0o644, effect: 'acts', read: () => list(group.available.filter((name) => group.subtreeControl.has(name))),
      write: (text) => changeSubtreeControl(group, text),
    },
    bound('cgroup.max.descendants', () => group.maxDescendants, (value) => (group.maxDescendants = value)),
    bound('cgroup.max.depth', () => group.maxDepth, (value) => (group.maxDepth = value)),
    { name: 'cgroup.stat', mode: 0o444, effect: 'tells', note: 'removed groups are gone at once: none is dying', read: () => `nr_descendants ${group.descendants}\nnr_dying_descendants 0\n` },
    ...eventFiles(group),
    { name: 'cpu.stat', mode: 0o444, effect: 'tells', note: 'all time is user time', read: () => group.cpu.statistics() },
  ];
}

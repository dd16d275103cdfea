/** Options of procfs: whose directories a mount of it shows to whom (proc(5), "Mount options"; Linux fs/proc/root.c). */
import { EINVAL } from '../abi/errno.ts';

/** Whose /proc/PID can be used: everybody's; one's own, and others are only listed; only one's own are there; only those that could be traced. */
export type HidePid = 'off' | 'noaccess' | 'invisible' | 'ptraceable';

export interface ProcOptions {
  readonly hidePid: HidePid;
  /** The kernel's id of a group that sees all. */
  readonly gid: number;
  /** `subset=pid`: processes, and nothing about the system. */
  readonly pidsOnly: boolean;
}

export const PROC_DEFAULTS: ProcOptions = { hidePid: 'off', gid: 0, pidsOnly: false };

const BY_NUMBER = new Map<string, HidePid>([['0', 'off'], ['1', 'noaccess'], ['2', 'invisible'], ['4', 'ptraceable']]);

/**
 * What the data of mount(2) changes of `before`, or -EINVAL.
 *
 * @param kernelGid The kernel's id of a group of who mounts; undefined for none.
 */
export function parseProcOptions(data: string, before: ProcOptions, kernelGid: (gid: number) => number | undefined): ProcOptions | number {
  let options = before;
  for (const option of data.split(',').filter((part) => part !== '')) {
    const [name, value = ''] = option.split('=', 2) as [string, string?];
    if (name === 'hidepid') {
      const hidePid = BY_NUMBER.get(value) ?? [...BY_NUMBER.values()].find((known) => known === value);
      if (hidePid === undefined) return -EINVAL;
      options = { ...options, hidePid };
    } else if (name === 'gid') {
      const gid = /^\d{1,10}$/.test(value) ? kernelGid(Number(value)) : undefined;
      if (gid === undefined) return -EINVAL;
      options = { ...options, gid };
    } else if (name === 'subset' && value === 'pid') {
      options = { ...options, pidsOnly: true };
    } else return -EINVAL;
  }
  return options;
}

/** As in /proc/mounts; undefined where all is as it begins. */
export function shownProcOptions({ hidePid, gid, pidsOnly }: ProcOptions): string | undefined {
  const shown = [...(gid === 0 ? [] : [`gid=${gid}`]), ...(hidePid === 'off' ? [] : [`hidepid=${hidePid}`]), ...(pidsOnly ? ['subset=pid'] : [])];
  return shown.length === 0 ? undefined : shown.join(',');
}

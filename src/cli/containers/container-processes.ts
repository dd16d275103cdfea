/** The processes of a container, read from its own /proc (proc(5)), in the columns of `ps -ef`. */
import type { ContainerFiles } from '../../container/index.ts';

/** Clock ticks in a second, for who reads `stat`. */
const TICKS = 100;
/** Fields of `stat` behind the name: the state is the first. */
const FIELD = { ppid: 1, userTime: 11, systemTime: 12, start: 19 } as const;

function text(files: ContainerFiles, path: string): string {
  const bytes = files.readFile(path);
  return typeof bytes === 'number' ? '' : Buffer.from(bytes).toString();
}

function clock(seconds: number): string {
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

export function processTable(files: ContainerFiles): readonly (readonly string[])[] {
  const entries = files.list('/proc');
  const pids = typeof entries === 'number' ? [] : entries.map(({ name }) => name).filter((name) => /^\d+$/.test(name)).sort((left, right) => Number(left) - Number(right));
  const bootSeconds = Number(/^btime (\d+)$/m.exec(text(files, '/proc/stat'))?.[1] ?? 0);
  return pids.flatMap((pid) => {
    const stat = text(files, `/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (stat === '') return [];
    const name = /\((.*)\)/s.exec(stat)?.[1] ?? '';
    const command = text(files, `/proc/${pid}/cmdline`).split('\0').join(' ').trim();
    const uid = /^Uid:\s+(\d+)/m.exec(text(files, `/proc/${pid}/status`))?.[1] ?? '?';
    const started = new Date((bootSeconds + Number(fields[FIELD.start]) / TICKS) * 1000).toISOString().slice(11, 16);
    const used = (Number(fields[FIELD.userTime]) + Number(fields[FIELD.systemTime])) / TICKS;
    return [[uid, pid, fields[FIELD.ppid] ?? '', '0', started, '?', clock(used), command === '' ? `[${name}]` : command]];
  });
}

/**
 * Names processes so that others can tell whether they still run: `PLACE.PID.START`. A place is a boot and a pid namespace; the
 * start, in ticks since boot (proc(5), field 22 of `stat`), tells a process from a later one with the same number.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** `stat` fields behind the name, which may hold anything, up to its last parenthesis: state is the first, the start the twentieth. */
const START_FIELD = 19;

function orUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Undefined: there is no such process, or no /proc. */
function statOf(processId: string): { readonly state: string; readonly start: string } | undefined {
  const text = orUndefined(() => readFileSync(`/proc/${processId}/stat`, 'latin1'));
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined ? undefined : { state: fields[0] ?? '', start: fields[START_FIELD] ?? '' };
}

function findPlace(): string {
  const boot = orUndefined(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))?.replace(/[^0-9a-f]/g, '').slice(0, 12);
  const namespace = orUndefined(() => readlinkSync('/proc/self/ns/pid'))?.replace(/\D/g, '');
  return `${boot ?? 'host'}${namespace === undefined ? '' : `n${namespace}`}`;
}

let place: string | undefined;
let own: string | undefined;

/** Of this process. */
export function processOwner(): string {
  place ??= findPlace();
  return (own ??= `${place}.${process.pid}.${statOf('self')?.start ?? '0'}`);
}

/** Undefined: it belongs to another boot, pid namespace or machine, or the name is none of ours. */
export function ownerHasEnded(owner: string): boolean | undefined {
  const [where, id = '', start] = owner.split('.');
  place ??= findPlace();
  if (where !== place || !/^\d{1,10}$/.test(id)) return undefined;
  const stat = statOf(id);
  if (stat !== undefined) return 'ZXx'.includes(stat.state) || stat.start !== start;
  if (statOf('self') !== undefined) return true;
  try {
    process.kill(Number(id), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** adjtimex(2), clock_adjtime(2): the clock is the host's, so it can be read as one that nobody disciplines, and not set (kernel/time/ntp.c). */
import { EFAULT, EINVAL, EOPNOTSUPP, EPERM } from '../../abi/errno.ts';
import { CLOCK_REALTIME } from '../../abi/time.ts';
import {
  ADJ_ADJTIME, ADJ_OFFSET_READONLY, MAXFREQ_SCALED, NTP_PHASE_LIMIT, STA_UNSYNC, TIME_ERROR, TIMEX_CONSTANT, TIMEX_ESTERROR, TIMEX_MAXERROR, TIMEX_MODES,
  TIMEX_PRECISION, TIMEX_SIZE, TIMEX_STATUS, TIMEX_TICK, TIMEX_TIME_MICROSECONDS, TIMEX_TIME_SECONDS, TIMEX_TOLERANCE,
} from '../../abi/timex.ts';
import type { KernelTask } from '../task/task.ts';
import { findClock } from '../time/clocks.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

function adjtimex(task: KernelTask, address: number): number {
  const bytes = task.memory.copyIn(address, TIMEX_SIZE);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const modes = view.getUint32(TIMEX_MODES, true);
  const readsOffset = (modes & ADJ_ADJTIME) !== 0 && (modes & ADJ_OFFSET_READONLY) !== 0;
  if (modes !== 0 && !readsOffset) return -EPERM;
  const seconds = task.kernel.realtimeSeconds();
  bytes.fill(0, 4);
  const fields: readonly (readonly [number, number])[] = [
    [TIMEX_MAXERROR, NTP_PHASE_LIMIT], [TIMEX_ESTERROR, NTP_PHASE_LIMIT], [TIMEX_CONSTANT, 2], [TIMEX_PRECISION, 1], [TIMEX_TOLERANCE, MAXFREQ_SCALED],
    [TIMEX_TIME_SECONDS, seconds], [TIMEX_TIME_MICROSECONDS, Math.floor(task.kernel.realtimeRest / 1000)], [TIMEX_TICK, 10_000],
  ];
  for (const [offset, value] of fields) view.setBigInt64(offset, BigInt(value), true);
  view.setInt32(TIMEX_STATUS, STA_UNSYNC, true);
  return task.memory.copyOut(address, bytes) < 0 ? -EFAULT : TIME_ERROR;
}

function clockAdjtime(task: KernelTask, id: number, address: number): number {
  if (task.memory.readable(address, TIMEX_SIZE) === undefined) return -EFAULT;
  if (findClock(task, id) === undefined) return -EINVAL;
  return id === CLOCK_REALTIME ? adjtimex(task, address) : -EOPNOTSUPP;
}

export const adjtimexRows: readonly SyscallRow[] = [
  row(159, 'adjtimex', ['pointer'], adjtimex, { support: 'partial', note: 'The clock is the host\'s: it can be read, and not set (EPERM).' }),
  row(305, 'clock_adjtime', ['int', 'pointer'], clockAdjtime, { support: 'partial', note: 'As adjtimex.' }),
];

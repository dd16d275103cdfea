/** What a container may use, from flags with Docker's names and meaning. */
import { DEFAULT_LIMITS, type LimitsConfig } from '../../container/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { need } from '../option-values.ts';
import { parseCount, parseSize } from '../quantities.ts';

/** Docker's bounds of --cpu-shares. */
const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;
const PERIOD_US = 100_000;
/** Docker's least memory limit. */
const LEAST_MEMORY = 6 * 2 ** 20;

function size(values: FlagValues, name: string): number | undefined {
  const text = values.last(name);
  return text === undefined ? undefined : need(parseSize(text), name, text, 'it is not a size such as 512m');
}

function count(values: FlagValues, name: string, advice = 'it is not a number'): number | undefined {
  const text = values.last(name);
  return text === undefined ? undefined : need(parseCount(text), name, text, advice);
}

/** `--memory-swap`: memory and swap together, of which there is none. */
function swapOf(values: FlagValues, memoryBytes: number | undefined): number | undefined {
  const text = values.last('memory-swap');
  if (text === undefined || text === '-1') return undefined;
  const total = need(parseSize(text), 'memory-swap', text, 'it is not a size such as 1g, nor -1');
  if (memoryBytes === undefined) throw new UserError(`cannot use --memory-swap ${text}: You should always set the Memory limit when using Memoryswap limit`, 'add --memory');
  if (total < memoryBytes) throw new UserError(`cannot use --memory-swap ${text}: Minimum memoryswap limit should be larger than memory limit`, 'it is memory and swap together');
  return total - memoryBytes;
}

function memoryOf(values: FlagValues): Partial<LimitsConfig> {
  const memoryBytes = size(values, 'memory');
  const reservationBytes = size(values, 'memory-reservation');
  if (memoryBytes !== undefined && memoryBytes < LEAST_MEMORY) throw new UserError(`cannot use --memory ${values.last('memory') ?? ''}: Minimum memory limit allowed is 6MB`, 'such as 64m');
  if (memoryBytes !== undefined && reservationBytes !== undefined && memoryBytes < reservationBytes) {
    throw new UserError(`cannot use --memory-reservation ${values.last('memory-reservation') ?? ''}: Minimum memory limit can not be less than memory reservation limit`, 'it is a part of --memory');
  }
  const swapBytes = swapOf(values, memoryBytes);
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }), ...(reservationBytes === undefined ? {} : { reservationBytes }), ...(swapBytes === undefined ? {} : { swapBytes }),
  };
}

/** `--cpus`, or a quota and a period by themselves. */
function quotaOf(values: FlagValues): Partial<LimitsConfig> {
  const cpus = values.last('cpus');
  const quota = count(values, 'cpu-quota');
  const period = count(values, 'cpu-period');
  if (cpus !== undefined && (quota !== undefined || period !== undefined)) throw new UserError('cannot use --cpus with --cpu-quota or --cpu-period: Conflicting options: Nano CPUs and CPU Period cannot both be set', 'leave one of them out');
  if (cpus !== undefined) {
    const number = /^\d+(\.\d+)?$/.test(cpus) ? Number(cpus) : undefined;
    if (need(number, 'cpus', cpus, 'it is not a number such as 0.5') < 0.01) throw new UserError(`cannot use --cpus ${cpus}: the least is 0.01`, 'such as 0.5');
    return { cpuQuotaUs: Math.round(Number(cpus) * PERIOD_US), cpuPeriodUs: PERIOD_US };
  }
  if (quota !== undefined && quota < 1000) throw new UserError(`cannot use --cpu-quota ${quota}: CPU cfs quota can not be less than 1ms (i.e. 1000)`, 'microseconds of each period');
  if (period !== undefined && (period < 1000 || period > 1_000_000)) throw new UserError(`cannot use --cpu-period ${period}: CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)`, 'microseconds');
  return { ...(quota === undefined ? {} : { cpuQuotaUs: quota }), ...(period === undefined ? {} : { cpuPeriodUs: period }) };
}

function sharesOf(values: FlagValues): Partial<LimitsConfig> {
  const shares = count(values, 'cpu-shares');
  if (shares === undefined || shares === 0) return {};
  if (shares < LEAST_SHARES || shares > MOST_SHARES) throw new UserError(`cannot use --cpu-shares ${shares}: it is ${LEAST_SHARES} to ${MOST_SHARES}`, '1024 is the default');
  return { cpuShares: shares };
}

/** A container has one processor, number 0. */
function cpusetOf(values: FlagValues): Partial<LimitsConfig> {
  const cpuset = values.last('cpuset-cpus');
  if (cpuset === undefined || cpuset === '') return {};
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(cpuset)) throw new UserError(`cannot use --cpuset-cpus ${cpuset}: Invalid value ${cpuset} for cpuset cpus`, 'such as 0');
  if (!/^0(-0)?(,0(-0)?)*$/.test(cpuset)) throw new UserError(`cannot use --cpuset-cpus ${cpuset}: Requested CPUs are not available - requested ${cpuset}, available: 0`, 'a container has one processor');
  return { cpuset };
}

function oomOf(values: FlagValues): Partial<LimitsConfig> {
  const text = values.last('oom-score-adj');
  if (text === undefined) return {};
  const value = /^-?\d{1,4}$/.test(text) ? Number(text) : NaN;
  if (!(value >= -1000 && value <= 1000)) throw new UserError(`cannot use --oom-score-adj ${text}: Invalid value ${text}, range for oom score adj is [-1000, 1000]`, 'the higher, the sooner it is killed');
  return { oomScoreAdjust: value };
}

/** `--storage-opt size=`: of what is written above the image. */
function storageOf(values: FlagValues): Partial<LimitsConfig> {
  const text = values.last('storage-opt');
  if (text === undefined) return {};
  const match = /^size=(.+)$/.exec(text);
  if (match === null) throw new UserError(`cannot use --storage-opt ${text}: it is size=SIZE`, 'such as size=2g');
  return { writableBytes: need(parseSize(match[1] ?? '') || undefined, 'storage-opt', text, 'it is not a size such as 2g') };
}

const IO_FLAGS = [['device-read-bps', 'rbps'], ['device-write-bps', 'wbps'], ['device-read-iops', 'riops'], ['device-write-iops', 'wiops']] as const;

/** `PATH:RATE`. Whatever device is named: a container has one disk. */
function ioOf(values: FlagValues): Partial<LimitsConfig> {
  const io: Partial<Record<typeof IO_FLAGS[number][1], number>> = {};
  for (const [flag, key] of IO_FLAGS) {
    for (const text of values.all(flag)) {
      const [, rate = ''] = /^\/[^:]*:(.+)$/.exec(text) ?? [];
      io[key] = need((key.endsWith('bps') ? parseSize(rate) : parseCount(rate)) || undefined, flag, text, `it is not PATH:RATE such as /dev/sda:${key.endsWith('bps') ? '1m' : '100'}`);
    }
  }
  return Object.keys(io).length === 0 ? {} : { io };
}

/** @throws UserError */
export function parseLimits(values: FlagValues): LimitsConfig {
  const namespace = values.last('cgroupns');
  if (namespace !== undefined && namespace !== 'private') {
    throw new UserError(`cannot use --cgroupns ${namespace}: ${namespace === 'host' ? 'the control groups of this machine are never shown' : 'there is no such mode'}`, 'the only one is private');
  }
  return { ...memoryOf(values), ...quotaOf(values), ...sharesOf(values), ...cpusetOf(values), ...oomOf(values), ...storageOf(values), ...ioOf(values), tasks: tasksOf(values) ?? DEFAULT_LIMITS.tasks };
}

/** `--pids-limit`: -1 and 0 for the default. */
function tasksOf(values: FlagValues): number | undefined {
  const text = values.last('pids-limit');
  return text === '-1' || text === '0' ? DEFAULT_LIMITS.tasks : count(values, 'pids-limit');
}

/** Those of `update`: what no flag names stays. @throws UserError */
export function parseNewLimits(values: FlagValues): Partial<LimitsConfig> {
  const tasks = tasksOf(values);
  return { ...memoryOf(values), ...quotaOf(values), ...cpusetOf(values), ...(tasks === undefined ? {} : { tasks }) };
}

/** Who has CAP_SYS_ADMIN could mount the control groups again without that, so they are not read-only to begin with. */
export function writableCgroups(addedCapabilities: readonly string[]): { readonly writableCgroups?: true } {
  return addedCapabilities.includes('sys_admin') ? { writableCgroups: true } : {};
}

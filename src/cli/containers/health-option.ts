/** The health check of a container: the image's, with what `--health-*` and `--no-healthcheck` say over it. */
import { DEFAULT_HEALTH } from '../../lifecycle/index.ts';
import type { HealthCheck } from '../../lifecycle/index.ts';
import { fieldOf, isObject, listOf } from '../../image/index.ts';
import type { JsonObject } from '../../image/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { need } from '../option-values.ts';
import { parseCount, parseGoDuration } from '../quantities.ts';

const FLAGS = ['health-cmd', 'health-interval', 'health-timeout', 'health-retries', 'health-start-period', 'health-start-interval'];
/** An image's times are nanoseconds. */
const NS_PER_MS = 1e6;
const LEAST_MS = 1;

interface Given {
  readonly test?: readonly string[];
  readonly intervalMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly retries?: number | undefined;
  readonly startPeriodMs?: number | undefined;
  readonly startIntervalMs?: number | undefined;
}

function ofImage(document: JsonObject): Given {
  const config = fieldOf(document, 'config');
  const check = isObject(config) ? fieldOf(config, 'Healthcheck') : undefined;
  if (!isObject(check)) return {};
  const test = listOf(fieldOf(check, 'Test'));
  const number = (name: string): number | undefined => {
    const value = fieldOf(check, name);
    return typeof value === 'number' && value > 0 ? value : undefined;
  };
  const time = (name: string): number | undefined => {
    const value = number(name);
    return value === undefined ? undefined : value / NS_PER_MS;
  };
  return { ...(test === undefined ? {} : { test }), intervalMs: time('Interval'), timeoutMs: time('Timeout'), retries: number('Retries'), startPeriodMs: time('StartPeriod'), startIntervalMs: time('StartInterval') };
}

function ofFlags(values: FlagValues): Given {
  const time = (flag: string): number | undefined => {
    const text = values.last(flag);
    if (text === undefined) return undefined;
    const milliseconds = need(parseGoDuration(text), flag, text, 'it is not a time such as 30s or 1m30s');
    // 0 is what nobody has said (reference/cli/docker/container/run).
    if (milliseconds > 0 && milliseconds < LEAST_MS) throw new UserError(`cannot use --${flag} ${text}: it cannot be less than 1ms`, 'such as 30s');
    return milliseconds === 0 ? undefined : milliseconds;
  };
  const command = values.last('health-cmd');
  const retries = values.last('health-retries');
  return {
    ...(command === undefined || command === '' ? {} : { test: ['CMD-SHELL', command] }), intervalMs: time('health-interval'), timeoutMs: time('health-timeout'),
    retries: retries === undefined ? undefined : need(parseCount(retries), 'health-retries', retries, 'it is not a number') || undefined, startPeriodMs: time('health-start-period'), startIntervalMs: time('health-start-interval'),
  };
}

/** Undefined: nobody looks. `document`: the image's configuration. @throws UserError */
export function healthOf(values: FlagValues, document: JsonObject): HealthCheck | undefined {
  if (values.has('no-healthcheck')) {
    const other = FLAGS.find((flag) => values.has(flag));
    if (other !== undefined) throw new UserError(`cannot use --${other}: --no-healthcheck conflicts with --health-* options`, 'leave one of them out');
    return undefined;
  }
  const [image, flags] = [ofImage(document), ofFlags(values)];
  const test = flags.test ?? image.test ?? [];
  const [kind] = test;
  if ((kind !== 'CMD' && kind !== 'CMD-SHELL') || test.length < 2) return undefined;
  const choose = (key: Exclude<keyof Given, 'test'>): number => flags[key] ?? image[key] ?? DEFAULT_HEALTH[key];
  return { test, intervalMs: choose('intervalMs'), timeoutMs: choose('timeoutMs'), retries: choose('retries'), startPeriodMs: choose('startPeriodMs'), startIntervalMs: choose('startIntervalMs') };
}

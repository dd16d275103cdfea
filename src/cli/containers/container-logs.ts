/** `logs`: what a container has printed. */
import { writeSync } from 'node:fs';
import type { Containers } from '../../lifecycle/index.ts';
import { LogReader } from '../../lifecycle/log.ts';
import type { LogLine } from '../../lifecycle/log.ts';
import { readCommand } from '../command.ts';
import { LOGS } from './container-specs.ts';
import { withContainers } from './container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { need } from '../option-values.ts';
import { parseCount, parseDuration } from '../quantities.ts';

const PAUSE_MS = 100;

/** A date, seconds since the epoch, or how long ago. Milliseconds since the epoch. */
export function timeOf(values: FlagValues, flag: 'since' | 'until'): number | undefined {
  const text = values.last(flag);
  if (text === undefined) return undefined;
  const seconds = /^\d{9,}(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
  const ago = seconds === undefined ? parseDuration(text) : undefined;
  const time = seconds !== undefined ? seconds * 1000 : ago !== undefined ? Date.now() - ago : Date.parse(text);
  if (Number.isNaN(time)) throw new UserError(`cannot use --${flag} ${text}: it is no time`, 'such as 10m or 2026-01-31T12:00:00Z');
  return time;
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function show({ time, fd, bytes }: LogLine, withTime: boolean): void {
  writeAll(fd, withTime ? Buffer.concat([Buffer.from(`${time} `), bytes]) : bytes);
}

interface LogOptions {
  readonly tail: number;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly withTime: boolean;
}

function optionsOf(values: FlagValues): LogOptions {
  const tail = values.last('tail');
  return {
    tail: tail === undefined || tail === 'all' ? Infinity : need(parseCount(tail), 'tail', tail, 'it is not a number, or all'),
    sinceMs: timeOf(values, 'since') ?? -Infinity, untilMs: timeOf(values, 'until') ?? Infinity, withTime: values.has('timestamps'),
  };
}

function fits({ time }: LogLine, { sinceMs, untilMs }: LogOptions): boolean {
  if (sinceMs === -Infinity && untilMs === Infinity) return true;
  const at = Date.parse(time);
  return at >= sinceMs && at <= untilMs;
}

function showWritten(reader: LogReader, options: LogOptions): void {
  const last: LogLine[] = [];
  for (const line of reader.all()) {
    if (!fits(line, options)) continue;
    if (options.tail === Infinity) show(line, options.withTime);
    else if (options.tail > 0) {
      last.push(line);
      if (last.length > options.tail) last.shift();
    }
  }
  for (const line of last) show(line, options.withTime);
}

async function follow(containers: Containers, id: string, reader: LogReader, options: LogOptions): Promise<void> {
  for (;;) {
    const isRunning = containers.stateOf(id).status === 'running';
    for (const line of reader.more()) if (fits(line, options)) show(line, options.withTime);
    if (!isRunning || Date.now() > options.untilMs) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

export async function logsCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(LOGS, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  const options = optionsOf(values);
  return withContainers(`show the logs of "${text}"`, async (containers, store) => {
    const { id } = containers.find(text);
    const reader = new LogReader(store.disk.files, containers.pathOf(id, 'log'));
    showWritten(reader, options);
    if (values.has('follow')) await follow(containers, id, reader, options);
    reader.end();
    return 0;
  });
}

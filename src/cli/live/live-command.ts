/** `events --live CONTAINER`, and of a stream: `events --live --replay FILE`. */
import { withContainers, EXIT_FAILED } from '../containers/container-store.ts';
import { linesOf, replayError, rulesOf } from '../detect/replay-command.ts';
import { readyRules } from '../detect/ready-rules.ts';
import { alertRate, DEFAULT_SET, ruleFiles } from '../detect/watch-flags.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { isTerminal } from '../../host/node/stdio.ts';
import { showPlain } from './plain.ts';
import { ContainerSource, StreamSource } from './sources.ts';
import type { LiveSource } from './sources.ts';

const SCREEN_MS = 500;
const PLAIN_MS = 2000;
/** Between looks, in seconds. */
const LEAST_INTERVAL = 0.1;
const MOST_INTERVAL = 3600;

function intervalMs(values: FlagValues): number | undefined {
  const text = values.last('interval');
  if (text === undefined) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= LEAST_INTERVAL && seconds <= MOST_INTERVAL)) throw new UserError(`cannot look every "${text}" seconds`, `write a number from ${LEAST_INTERVAL} to ${MOST_INTERVAL}`, EXIT_FAILED);
  return seconds * 1000;
}

function wantsJson(values: FlagValues): boolean {
  const format = values.last('format');
  if (format !== undefined && format !== 'json') throw new UserError(`cannot show a live view as "${format}"`, 'write --format json, or leave it out', EXIT_FAILED);
  return format === 'json';
}

/** Keys are read and pictures drawn only where both can be. */
async function hasScreen(values: FlagValues): Promise<boolean> {
  if (values.has('no-stream') || values.has('format') || process.env['TERM'] === 'dumb') return false;
  return (await isTerminal(0)) && (await isTerminal(1));
}

async function show(source: LiveSource, values: FlagValues): Promise<number> {
  const [interval, isJson] = [intervalMs(values), wantsJson(values)];
  try {
    if (!(await hasScreen(values))) return await showPlain(source, { isJson, isOnce: values.has('no-stream'), intervalMs: interval ?? (values.has('no-stream') ? SCREEN_MS : PLAIN_MS) });
    const { showScreen } = await import('./screen.ts');
    return await showScreen(source, { intervalMs: interval ?? SCREEN_MS, hasColor: (process.env['NO_COLOR'] ?? '') === '' });
  } finally {
    source.close();
  }
}

async function showStream(values: FlagValues, path: string): Promise<number> {
  const rules = await rulesOf(values);
  try {
    return await show(new StreamSource(path, linesOf(path), rules, alertRate(values)), values);
  } catch (error) {
    throw replayError(error, path);
  }
}

/** @throws UserError */
export async function liveEvents(values: FlagValues): Promise<number> {
  const [name] = values.command;
  const path = values.last('replay');
  const unfit = ['filter', 'since', 'until', 'list-rules', ...(path === undefined ? ['on-rule', 'alert-rate'] : [])].find((flag) => values.has(flag));
  if (unfit !== undefined) throw new UserError(`cannot use --${unfit} with --live`, unfit === 'on-rule' ? 'a live view only alerts; "caisson run --on-rule" acts' : 'leave one of them out', EXIT_FAILED);
  if (path !== undefined && name !== undefined) throw new UserError(`cannot show both "${name}" and "${path}"`, 'leave one of them out', EXIT_FAILED);
  intervalMs(values);
  wantsJson(values);
  if (path !== undefined) return showStream(values, path);
  return withContainers('show what a container does', async (containers) => {
    if (name === undefined) {
      const running = containers.list().filter(({ state }) => state.status === 'running').map((container) => container.name);
      throw new UserError('cannot show what a container does: none is named', running.length === 0 ? 'none runs; a recorded stream: --live --replay FILE' : `caisson events --live ${running[0]}`, EXIT_FAILED);
    }
    const container = containers.findWhole(name);
    const named = ruleFiles(values);
    const files = named.map(({ name: file, text }) => ({ name: file, ...(text === undefined ? {} : { text }) }));
    // A mistake is found before anything is watched.
    await readyRules({ rules: files, onRule: [] });
    const hasOwn = (container.record.watch?.rules.length ?? 0) > 0;
    const rules = files.length > 0 ? files : hasOwn ? undefined : [{ name: DEFAULT_SET }];
    return show(await ContainerSource.open(containers, container, rules), values);
  });
}

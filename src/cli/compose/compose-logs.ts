/** `compose logs`. */
import type { Containers } from '../../lifecycle/index.ts';
import type { LogLine } from '../../lifecycle/log.ts';
import { timeOf } from '../containers/container-logs.ts';
import { withContainers } from '../containers/container-store.ts';
import type { FlagValues } from '../flags.ts';
import { need } from '../option-values.ts';
import { parseCount } from '../quantities.ts';
import { itemsOf, knownProject } from './compose-down.ts';
import { Output, Tail } from './output.ts';
import { again } from './project-containers.ts';

const PAUSE_MS = 100;

interface Range {
  readonly tail: number;
  readonly sinceMs: number;
  readonly untilMs: number;
}

function rangeOf(values: FlagValues): Range {
  const tail = values.last('tail');
  return { tail: tail === undefined || tail === 'all' ? Infinity : need(parseCount(tail), 'tail', tail, 'it is not a number, or all'), sinceMs: timeOf(values, 'since') ?? -Infinity, untilMs: timeOf(values, 'until') ?? Infinity };
}

function fits({ time }: LogLine, { sinceMs, untilMs }: Range): boolean {
  if (sinceMs === -Infinity && untilMs === Infinity) return true;
  const at = Date.parse(time);
  return at >= sinceMs && at <= untilMs;
}

/** What is there, in the order in which it was printed. */
function showWritten(tails: readonly Tail[], output: Output, range: Range): void {
  const lines = tails.flatMap((tail) => {
    const own = tail.written().filter((line) => fits(line, range));
    return (range.tail === Infinity ? own : range.tail === 0 ? [] : own.slice(-range.tail)).map((line) => ({ id: tail.item.container.id, line }));
  });
  lines.sort((one, other) => (one.line.time < other.line.time ? -1 : one.line.time > other.line.time ? 1 : 0));
  for (const { id, line } of lines) output.line(id, line);
}

async function follow(containers: Containers, tails: readonly Tail[], output: Output, range: Range): Promise<void> {
  const open = new Set(tails);
  while (open.size > 0 && Date.now() <= range.untilMs) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    for (const tail of open) {
      const hasEnded = again(containers, tail.item)?.state.status !== 'running';
      for (const line of tail.more()) if (fits(line, range)) output.line(tail.item.container.id, line);
      if (hasEnded) open.delete(tail);
    }
  }
}

export async function logs(values: FlagValues, globals: FlagValues): Promise<number> {
  const known = knownProject(globals, values.command);
  const range = rangeOf(values);
  return withContainers('show the logs of the project', async (containers) => {
    const items = itemsOf(containers, known, values.command);
    const output = new Output({ withPrefix: !values.has('no-log-prefix'), withColour: process.stdout.isTTY === true && !values.has('no-color'), withTime: values.has('timestamps') });
    output.expect(items);
    const tails = items.map((item) => new Tail(containers, item));
    showWritten(tails, output, range);
    if (values.has('follow')) await follow(containers, tails, output, range);
    for (const tail of tails) tail.end();
    return 0;
  });
}

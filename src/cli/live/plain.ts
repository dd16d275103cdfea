/** A live view where no terminal is: what is so at a moment, as text or JSON. */
import { KINDS } from '../../detect/index.ts';
import type { LiveSnapshot } from '../../detect/index.ts';
import { printable } from '../errors.ts';
import { line, headline } from './view.ts';
import { PANES } from './panes.ts';
import type { LiveSource } from './sources.ts';

/** Rows of each pane. */
const MOST_LINES = 20;
/** Columns, where the last one is cut. */
const WIDTH = 200;

/** A line of JSON is a moment. */
function jsonOf(snapshot: LiveSnapshot): string {
  return `${JSON.stringify(snapshot)}\n`;
}

export function textOf(snapshot: LiveSnapshot): string {
  const panes = PANES.map((pane) => {
    const rows = pane.rows(snapshot);
    if (rows.length === 0) return `${pane.title}: ${pane.empty}\n`;
    const more = rows.length - MOST_LINES;
    const lines = [pane.columns.map(({ title }) => title), ...rows.slice(0, MOST_LINES).map(({ cells }) => cells)].map((cells) => line(pane, cells, WIDTH).trimEnd());
    return `${pane.title}\n${lines.join('\n')}\n${more > 0 ? `and ${more} more\n` : ''}`;
  });
  return `${printable(headline(snapshot, undefined))}\n\n${panes.join('\n')}`;
}

export interface PlainOptions {
  readonly isJson: boolean;
  readonly isOnce: boolean;
  readonly intervalMs: number;
}

/** Until it ends. A stream that ends at once is shown as it was at its end. @throws UserError */
export async function showPlain(source: LiveSource, { isJson, isOnce, intervalMs }: PlainOptions): Promise<number> {
  let isOver = false;
  const over = source.ended.then(() => void (isOver = true));
  // What it says is said below.
  over.catch(() => {});
  let isFirst = true;
  const write = (snapshot: LiveSnapshot | undefined): void => {
    if (snapshot === undefined) return;
    process.stdout.write(isJson ? jsonOf(snapshot) : `${isFirst ? '' : '\n'}${textOf(snapshot)}`);
    isFirst = false;
  };
  // The first look begins it: there is nothing to be seen yet.
  await source.look([]);
  while (!isOver) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([over, new Promise((resolve) => (timer = setTimeout(resolve, intervalMs)))]);
    clearTimeout(timer);
    write(await source.look(KINDS));
    if (isOnce) break;
  }
  if (!isOnce) await over;
  return 0;
}

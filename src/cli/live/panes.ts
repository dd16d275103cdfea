/** The panes of a live view: what their columns are, and what stands in them. */
import type { Kind, LiveAlert, LiveCall, LiveConnection, LiveFile, LiveProcess, LiveSnapshot } from '../../detect/index.ts';
import { KINDS } from '../../detect/index.ts';

export type Style = 'plain' | 'dim' | 'warning' | 'danger';

export interface Column {
  readonly title: string;
  /** Columns of the terminal. The last one takes what is left. */
  readonly width: number;
  readonly align?: 'right';
}

export interface Row {
  /** Stays the same from look to look. */
  readonly key: string;
  readonly cells: readonly string[];
  readonly style: Style;
  /** All that is known. */
  readonly details: readonly (readonly [what: string, value: string])[];
}

export interface Pane {
  readonly kind: Kind;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly empty: string;
  rows(snapshot: LiveSnapshot): Row[];
}

const clock = (timeMs: number): string => new Date(timeMs).toISOString().slice(11, 19);
const exactClock = (timeMs: number): string => new Date(timeMs).toISOString().slice(11, 23);
const count = (value: number): string => (value === 0 ? '.' : String(value));
const REST = 0;

// ---- processes, as a tree ----

interface Placed {
  readonly process: LiveProcess;
  readonly branch: string;
}

/** Each behind its parent; `branch` draws the line to it. One whose parent is not there begins a tree. */
export function treeOf(processes: readonly LiveProcess[]): Placed[] {
  const known = new Set(processes.map(({ pid }) => pid));
  const children = new Map<number, LiveProcess[]>();
  for (const process of processes) {
    const above = process.parent !== process.pid && known.has(process.parent) ? process.parent : 0;
    const siblings = children.get(above);
    if (siblings === undefined) children.set(above, [process]);
    else siblings.push(process);
  }
  const placed: Placed[] = [];
  const seen = new Set<number>();
  const place = (above: number, lines: string): void => {
    const siblings = children.get(above) ?? [];
    siblings.forEach((process, index) => {
      if (seen.has(process.pid)) return;
      seen.add(process.pid);
      const isLast = index === siblings.length - 1;
      placed.push({ process, branch: above === 0 ? '' : `${lines}${isLast ? '`- ' : '|- '}` });
      place(process.pid, above === 0 ? '' : `${lines}${isLast ? '   ' : '|  '}`);
    });
  };
  place(0, '');
  // A number that was used again may make a circle.
  for (const process of processes) if (!seen.has(process.pid)) placed.push({ process, branch: '' });
  return placed;
}

const ORIGINS = { image: '', new: '[new] ', memory: '[memory] ' } as const;

function processRow({ process, branch }: Placed): Row {
  const { pid, parent, user, command, program, calls, last, lastMs, origin, isRunning } = process;
  const state = isRunning === undefined ? '' : isRunning ? 'runs' : 'ended';
  return {
    key: String(pid), cells: [String(pid), user ?? '?', count(calls), state, last, `${branch}${ORIGINS[origin]}${command}`],
    style: origin !== 'image' ? 'warning' : isRunning === false ? 'dim' : 'plain',
    details: [
      ['process', String(pid)], ['parent', parent === 0 ? 'none in here' : String(parent)], ['user', user ?? 'not known yet'], ['command', command], ['program', program],
      ['made by', { image: 'the image', new: 'the container itself: it was not there at first', memory: 'a program: it is in memory only' }[origin]], ['watched calls', String(calls)], ['last', last === '' ? 'none yet' : `${last}, ${exactClock(lastMs)}`],
    ],
  };
}

// ---- the others ----

function fileRow({ path, reads, writes, changes, failures, process, pid, last, lastMs }: LiveFile): Row {
  return {
    key: path, cells: [count(reads), count(writes), count(changes), count(failures), process, last, path], style: reads + writes + changes === 0 ? 'dim' : 'plain',
    details: [['file', path], ['opened to read', String(reads)], ['opened to write', String(writes)], ['other calls', String(changes)], ['calls that failed', String(failures)], ['last', `${last} by ${process} (${pid}), ${exactClock(lastMs)}`]],
  };
}

function connectionRow({ direction, protocol, local, remote, count: times, failures, process, pid, result, lastMs }: LiveConnection): Row {
  const address = direction === 'out' ? `-> ${remote}` : remote === '' ? local : `${local} <- ${remote}`;
  return {
    key: JSON.stringify([direction, protocol, address, pid]), cells: [direction, protocol, count(times), count(failures), process, result === 'SUCCESS' ? 'ok' : result, address], style: times === failures ? 'dim' : 'plain',
    details: [['what', direction], ['protocol', protocol], ['address', address], ['times', String(times)], ['of them failed', String(failures)], ['process', `${process} (${pid})`], ['last', `${result}, ${exactClock(lastMs)}`]],
  };
}

const DANGERS: ReadonlySet<string> = new Set(['Emergency', 'Alert', 'Critical', 'Error']);

function alertRow({ timeMs, priority, rule, output, action }: LiveAlert, index: number, total: number): Row {
  return {
    key: String(total - index), cells: [clock(timeMs), priority, action, rule, output], style: DANGERS.has(priority) ? 'danger' : priority === 'Warning' ? 'warning' : 'plain',
    details: [['time', exactClock(timeMs)], ['rule', rule], ['priority', priority], ['action', action], ['output', output]],
  };
}

function callRow({ timeMs, pid, process, call, about, result }: LiveCall, index: number, total: number): Row {
  return {
    key: String(total - index), cells: [exactClock(timeMs), String(pid), process, call, result === 'SUCCESS' ? 'ok' : result, about], style: result === 'SUCCESS' ? 'plain' : 'dim',
    details: [['time', exactClock(timeMs)], ['process', `${process} (${pid})`], ['call', call], ['about', about], ['result', result]],
  };
}

const right = (title: string, width: number): Column => ({ title, width, align: 'right' });
const left = (title: string, width: number): Column => ({ title, width });

const PANES_BY_KIND: Readonly<Record<Kind, Pane>> = {
  processes: {
    kind: 'processes', title: 'Processes', empty: 'no process yet', columns: [right('PID', 6), left('USER', 8), right('CALLS', 7), left('STATE', 5), left('LAST', 10), left('COMMAND', REST)],
    rows: ({ processes }) => treeOf(processes).map(processRow),
  },
  files: {
    kind: 'files', title: 'Files', empty: 'no file yet', columns: [right('READ', 5), right('WRITE', 5), right('OTHER', 5), right('FAIL', 5), left('PROCESS', 10), left('LAST', 12), left('PATH', REST)],
    rows: ({ files }) => files.map(fileRow),
  },
  connections: {
    kind: 'connections', title: 'Connections', empty: 'no connection yet', columns: [left('WHAT', 6), left('PROTO', 5), right('TIMES', 6), right('FAIL', 5), left('PROCESS', 10), left('LAST', 12), left('ADDRESS', REST)],
    rows: ({ connections }) => connections.map(connectionRow),
  },
  alerts: {
    kind: 'alerts', title: 'Alerts', empty: 'no alert yet', columns: [left('TIME', 8), left('PRIORITY', 9), left('ACTION', 6), left('RULE', 26), left('OUTPUT', REST)],
    rows: ({ alerts, totals }) => alerts.map((alert, index) => alertRow(alert, index, totals.alerts)),
  },
  calls: {
    kind: 'calls', title: 'Calls', empty: 'no call yet', columns: [left('TIME', 12), right('PID', 6), left('PROCESS', 10), left('CALL', 12), left('RESULT', 8), left('ABOUT', REST)],
    rows: ({ calls, totals }) => calls.map((call, index) => callRow(call, index, totals.calls)),
  },
};

export const PANES: readonly Pane[] = KINDS.map((kind) => PANES_BY_KIND[kind]);

/** What a live view shows at a terminal, and what its keys do: a state, and lines made of it. */
import type { LiveSnapshot } from '../../detect/index.ts';
import { fit, shown, widthOf, wrap } from './cells.ts';
import { PANES } from './panes.ts';
import type { Pane, Row, Style } from './panes.ts';

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

const MOST_FILTER = 60;
const RESET = '\x1b[0m';
const REVERSE = '\x1b[7m';
const BOLD = '\x1b[1m';
const DIM = '\x1b[2m';
const COLORS: Readonly<Record<Style, string>> = { plain: '', dim: DIM, warning: '\x1b[33m', danger: '\x1b[31m' };
/** Title, tabs, titles of columns, keys. */
const FRAME_LINES = 4;

const HELP: readonly (readonly [keys: string, what: string])[] = [
  ['1 to 5, Tab, left, right', 'another pane'], ['up, down, j, k, PgUp, PgDn, Home, End', 'another row'], ['Enter', 'all about a row; again, or Esc: back'],
  ['/', 'only rows with a text; Enter keeps it, Esc ends it'], ['Space', 'hold still what is shown; again: go on'], ['h, ?', 'this text'], ['q, Ctrl-C', 'end; the container goes on'],
  ['', ''], ['PROCESSES', '[new] was made by the container, [memory] has no file; those that have ended are shown for ten seconds'], ['OTHER', 'calls that change a file without opening it: names, modes, owners'], ['FAIL', 'calls that were refused or failed'],
];

export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

/** `web (busybox:1), 12 calls, 1 alert` */
export function headline({ container: { name, id, image }, totals, sinceMs, atMs }: LiveSnapshot, perSecond: number | undefined): string {
  const who = `${name === '' ? id.slice(0, 12) || 'stream' : name}${image === '' ? '' : ` (${image})`}`;
  return [
    who, ...(sinceMs === 0 ? [] : [`watched for ${span(atMs - sinceMs)}`]), `${grouped(totals.calls)} ${totals.calls === 1 ? 'call' : 'calls'}${perSecond === undefined ? '' : `, ${grouped(perSecond)} a second`}`, `${totals.alerts} ${totals.alerts === 1 ? 'alert' : 'alerts'}`,
  ].join('  ');
}

/** A row of cells in its columns; the last one takes what is left of `width`. */
export function line(pane: Pane, cells: readonly string[], width: number): string {
  let used = 0;
  const texts = pane.columns.map(({ width: own, align }, index) => {
    const left = Math.max(0, width - used);
    const text = fit(cells[index] ?? '', index === pane.columns.length - 1 ? left : Math.min(own, left), align);
    used += widthOf(text) + 1;
    return text;
  });
  return texts.filter((text) => text !== '').join(' ');
}

export function matches({ cells }: Row, filter: string): boolean {
  return filter === '' || cells.some((cell) => cell.toLowerCase().includes(filter.toLowerCase()));
}

export class LiveView {
  /** The source has ended: what was last is shown. */
  ended: string | undefined;
  /** What is shown is held still. */
  isHeld = false;
  #pane = 0;
  #selected = 0;
  /** The row that was chosen: it stays so where others come before it. Undefined: the first one, whichever that is. */
  #selectedKey: string | undefined;
  #first = 0;
  #filter = '';
  #mode: 'rows' | 'filter' | 'details' | 'help' = 'rows';
  #details: Row['details'] = [];
  #page = 1;
  #rows: readonly Row[] = [];
  readonly #hasColor: boolean;

  constructor(hasColor: boolean) {
    this.#hasColor = hasColor;
  }

  get pane(): Pane {
    return PANES[this.#pane]!;
  }

  // ---- keys ----

  /** False: it is to end. */
  key(key: string): boolean {
    if (key === '\x03') return false;
    if (this.#mode === 'filter') {
      this.#typed(key);
      return true;
    }
    if (key === 'q' || key === 'Q') return false;
    if (this.#mode !== 'rows') {
      if (['\x1b', '\r', '\n', 'h', '?', '\x7f'].includes(key)) this.#mode = 'rows';
      return true;
    }
    if (/^[1-5]$/.test(key)) this.#choosePane(Number(key) - 1);
    else this.#otherKey(key);
    return true;
  }

  #typed(key: string): void {
    if (key === '\x1b') this.#filter = '';
    if (key === '\x1b' || key === '\r' || key === '\n') this.#mode = 'rows';
    else if (key === '\x7f' || key === '\b') this.#filter = [...this.#filter].slice(0, -1).join('');
    else if (key === '\x15') this.#filter = '';
    else if (!/^[\x00-\x1f]/.test(key) && this.#filter.length < MOST_FILTER) this.#filter += key;
    this.#select(0);
  }

  #otherKey(key: string): void {
    const steps: Readonly<Record<string, number>> = { '\x1b[A': -1, '\x1bOA': -1, k: -1, '\x1b[B': 1, '\x1bOB': 1, j: 1, '\x1b[5~': -this.#page, '\x1b[6~': this.#page, '\x1b[H': -Infinity, '\x1b[1~': -Infinity, g: -Infinity, '\x1b[F': Infinity, '\x1b[4~': Infinity, G: Infinity };
    const panes: Readonly<Record<string, number>> = { '\t': 1, '\x1b[C': 1, '\x1bOC': 1, '\x1b[Z': -1, '\x1b[D': -1, '\x1bOD': -1 };
    if (Object.hasOwn(steps, key)) this.#select(this.#selected + steps[key]!);
    else if (Object.hasOwn(panes, key)) this.#choosePane((this.#pane + panes[key]! + PANES.length) % PANES.length);
    else if (key === ' ' || key === 'p') this.isHeld = !this.isHeld;
    else if (key === '/') this.#mode = 'filter';
    else if (key === '?' || key === 'h') this.#mode = 'help';
    else if (key === '\x1b') this.#filter = '';
    else if ((key === '\r' || key === '\n') && this.#rows[this.#selected] !== undefined) {
      this.#details = this.#rows[this.#selected]!.details;
      this.#mode = 'details';
    }
  }

  #choosePane(index: number): void {
    this.#pane = index;
    this.#first = 0;
    this.#select(0);
    this.#rows = [];
  }

  #select(index: number): void {
    this.#selected = Math.max(0, Math.min(this.#rows.length - 1, index));
    this.#selectedKey = this.#selected === 0 ? undefined : this.#rows[this.#selected]?.key;
  }

  // ---- lines ----

  /** As many lines as the terminal has, each as wide as it or shorter. */
  lines(snapshot: LiveSnapshot, perSecond: number, { rows, columns }: Size): string[] {
    const body = Math.max(1, rows - FRAME_LINES);
    const content = this.#mode === 'help' ? this.#table(HELP, columns) : this.#mode === 'details' ? this.#table(this.#details, columns) : this.#list(snapshot, body, columns);
    const state = this.ended ?? (this.isHeld ? 'HELD: Space goes on' : '');
    const lines = [
      this.#bar(fit(`${state === '' ? '' : `${state}  `}${headline(snapshot, this.ended === undefined ? perSecond : undefined)}`, columns)),
      this.#tabs(snapshot, columns),
      ...(this.#mode === 'rows' || this.#mode === 'filter' ? [`${BOLD}${line(this.pane, this.pane.columns.map(({ title }) => title), columns)}${RESET}`] : ['']),
      ...content.slice(0, body), ...Array.from({ length: Math.max(0, body - content.length) }, () => ''),
      this.#keys(columns),
    ];
    return lines.slice(0, Math.max(1, rows));
  }

  #bar(text: string): string {
    return `${REVERSE}${text}${RESET}`;
  }

  #tabs({ totals }: LiveSnapshot, columns: number): string {
    let left = columns;
    return PANES.map(({ kind, title }, index) => {
      const text = ` ${index + 1} ${title} ${grouped(totals[kind])} `.slice(0, Math.max(0, left));
      left -= text.length + 1;
      return text === '' ? '' : index === this.#pane ? this.#bar(text) : `${this.#colored(text, kind === 'alerts' && totals.alerts > 0 ? 'danger' : 'plain')}`;
    }).filter((text) => text !== '').join(' ');
  }

  #keys(columns: number): string {
    if (this.#mode === 'filter') return fit(`/${this.#filter}_   Enter keeps it, Esc ends it`, columns);
    if (this.#mode !== 'rows') return fit('Esc back  q quit', columns);
    const filtered = this.#filter === '' ? '/ filter' : `filter "${this.#filter}" (Esc ends it)`;
    return fit(`1-5 Tab pane  up/down row  Enter details  ${filtered}  Space hold  ? help  q quit`, columns);
  }

  #colored(text: string, style: Style): string {
    const color = this.#hasColor || style === 'dim' ? COLORS[style] : '';
    return color === '' ? text : `${color}${text}${RESET}`;
  }

  #table(pairs: readonly (readonly [string, string])[], columns: number): string[] {
    const wide = Math.min(Math.max(...pairs.map(([what]) => what.length)) + 2, Math.max(4, Math.floor(columns / 2)));
    return pairs.flatMap(([what, value]) => wrap(value, columns - wide).map((text, index) => `${index === 0 ? fit(what, wide) : ' '.repeat(wide)}${text}`));
  }

  #list(snapshot: LiveSnapshot, body: number, columns: number): string[] {
    this.#rows = this.pane.rows(snapshot).filter((row) => matches(row, this.#filter));
    this.#page = Math.max(1, body - 1);
    const at = this.#selectedKey === undefined ? 0 : this.#rows.findIndex(({ key }) => key === this.#selectedKey);
    this.#selected = at >= 0 ? at : Math.max(0, Math.min(this.#selected, this.#rows.length - 1));
    this.#first = Math.max(0, Math.min(this.#first, this.#selected, this.#rows.length - body));
    if (this.#selected >= this.#first + body) this.#first = this.#selected - body + 1;
    if (this.#rows.length === 0) return [shown(this.#filter === '' ? this.pane.empty : `nothing with "${this.#filter}"`, columns)];
    return this.#rows.slice(this.#first, this.#first + body).map((row, index) => {
      const text = line(this.pane, row.cells, columns);
      return this.#first + index === this.#selected ? this.#bar(fit(text, columns)) : this.#colored(text, row.style);
    });
  }
}

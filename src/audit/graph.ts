/** Open paths as a picture: what is there on the left, the paths that it opens, and their effects on the right. */
import { escapeMarkup } from '../findings/index.ts';
import type { Severity } from '../findings/index.ts';
import { describeChange } from './change.ts';
import { openPaths, withChanges } from './evaluate.ts';
import type { Judgement } from './evaluate.ts';
import type { ConditionState } from './path.ts';
import type { HostFacts } from './host-facts.ts';

export interface GraphNode {
  readonly id: string;
  readonly column: 0 | 1 | 2;
  readonly text: string;
  /** Below the text, smaller. */
  readonly note: string;
  readonly look: Severity | ConditionState | 'effect' | 'cut';
}

export interface Graph {
  readonly title: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly isCut: boolean }[];
}

/** A picture of more is none. */
const MOST_PATHS_SHOWN = 40;

/** Of one container. */
export function graphOf(judgement: Judgement, facts: HostFacts): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges: { from: string; to: string; isCut: boolean }[] = [];
  const ids = new Map<string, string>();
  const nodeFor = (key: string, node: Omit<GraphNode, 'id'>): string => {
    const id = ids.get(key) ?? `n${ids.size}`;
    ids.set(key, id);
    if (!nodes.has(id) || node.look === 'cut') nodes.set(id, { ...node, id });
    return id;
  };
  for (const { path, severity, conditions, cut } of openPaths(judgement).filter((judged) => judged.severity !== 'info').slice(0, MOST_PATHS_SHOWN)) {
    const pathNode = nodeFor(`path ${path.id}`, { column: 1, text: path.title, note: cut === undefined ? `${severity}; nothing here cuts it` : `${severity}; to cut it: ${cut.map(describeChange).join(', ')}`, look: severity });
    const changed = cut === undefined ? undefined : path.conditions(judgement.configuration).map((condition) => condition.state(withChanges(judgement.configuration, cut), facts));
    for (const [index, { text, state }] of conditions.entries()) {
      const isCut = changed?.[index] === 'missing';
      const condition = nodeFor(`condition ${text}`, { column: 0, text, note: state === 'unknown' ? 'not known' : '', look: isCut ? 'cut' : state });
      edges.push({ from: condition, to: pathNode, isCut });
    }
    edges.push({ from: pathNode, to: nodeFor(`effect ${path.effect}`, { column: 2, text: path.effect, note: '', look: 'effect' }), isCut: false });
  }
  return { title: judgement.configuration.name, nodes: [...nodes.values()], edges };
}

/** Lines of a label. */
function quoteDot(...lines: readonly string[]): string {
  return `"${lines.map((line) => line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ').replaceAll('\\', '\\\\').replaceAll('"', '\\"')).join('\\n')}"`;
}

const FILLS: Readonly<Record<GraphNode['look'], string>> = {
  critical: '#f8d0d0', high: '#fbdcc4', medium: '#fdf0c4', low: '#e4eef8', info: '#eeeeee', met: '#ffffff', unknown: '#ffffff', missing: '#ffffff', effect: '#3b3b3b', cut: '#dff3df',
};

/** Graphviz' language. */
export function asDot(graphs: readonly Graph[]): string {
  const parts = graphs.map(({ title, nodes, edges }, number) => {
    const name = (id: string): string => quoteDot(`${number}.${id}`);
    const lines = nodes.map(({ id, text, note, look }) => `    ${name(id)} [label=${note === '' ? quoteDot(text) : quoteDot(text, note)}, fillcolor=${quoteDot(FILLS[look])}${look === 'effect' ? ', fontcolor="white"' : ''}${look === 'unknown' ? ', style="filled,dashed"' : ''}];`);
    const arrows = edges.map(({ from, to, isCut }) => `    ${name(from)} -> ${name(to)}${isCut ? ' [style=dashed, color="#2e7d32", label="cut"]' : ''};`);
    return `  subgraph cluster_${number} {\n    label=${quoteDot(title)};\n${[...lines, ...arrows].join('\n')}\n  }`;
  });
  return `digraph audit {\n  rankdir=LR;\n  node [shape=box, style=filled, fontname="sans-serif"];\n${parts.join('\n')}\n}\n`;
}

const COLUMN_X = [20, 400, 860] as const;
const COLUMN_WIDTH = [300, 380, 260] as const;
const LINE = 17;
const GAP = 16;
const PADDING = 8;
/** Of the letters below, in px. */
const LETTER = 7.4;

function wrap(text: string, width: number): readonly string[] {
  const most = Math.floor((width - 2 * PADDING) / LETTER);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => (one.length > most ? one.match(new RegExp(`.{1,${most}}`, 'gu')) ?? [] : [one]))) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

interface Box {
  readonly node: GraphNode;
  readonly lines: readonly string[];
  readonly notes: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function layOut({ nodes, edges }: Graph, top: number): readonly Box[] {
  const boxes: Box[] = [];
  const middle = (id: string): number => {
    const box = boxes.find(({ node }) => node.id === id);
    return box === undefined ? 0 : box.y + box.height / 2;
  };
  // Paths stand in their order; the others near the paths that they belong to.
  for (const column of [1, 0, 2] as const) {
    const centre = ({ id }: GraphNode): number => {
      const near = edges.filter(({ from, to }) => from === id || to === id).map(({ from, to }) => middle(from === id ? to : from));
      return near.reduce((sum, y) => sum + y, 0) / Math.max(near.length, 1);
    };
    const mine = nodes.filter((node) => node.column === column);
    const ordered = column === 1 ? mine : [...mine].sort((one, other) => centre(one) - centre(other));
    let y = top;
    for (const node of ordered) {
      const width = COLUMN_WIDTH[column];
      const [lines, notes] = [wrap(node.text, width), node.note === '' ? [] : wrap(node.note, width)];
      const height = (lines.length + notes.length) * LINE + 2 * PADDING;
      const place = column === 1 ? y : Math.max(y, centre(node) - height / 2);
      boxes.push({ node, lines, notes, x: COLUMN_X[column], y: place, width, height });
      y = place + height + GAP;
    }
  }
  return boxes;
}

function drawBox({ node: { look }, lines, notes, x, y, width, height }: Box): string {
  const ink = look === 'effect' ? '#ffffff' : '#1b1b1b';
  const border = look === 'cut' ? ' stroke="#2e7d32" stroke-width="2"' : look === 'unknown' ? ' stroke="#777777" stroke-dasharray="5 4"' : ' stroke="#777777"';
  const text = [...lines.map((line) => [line, ''] as const), ...notes.map((line) => [line, ' font-size="11" opacity="0.8"'] as const)];
  const shown = text.map(([line, style], index) => `<text x="${x + PADDING}" y="${(y + PADDING + (index + 0.75) * LINE).toFixed(1)}" fill="${ink}"${style}>${escapeMarkup(line)}</text>`);
  return `<rect x="${x}" y="${y.toFixed(1)}" width="${width}" height="${height}" rx="5" fill="${FILLS[look]}"${border}/>${shown.join('')}`;
}

function drawEdge(from: Box, to: Box, isCut: boolean): string {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x - 3, to.y + to.height / 2];
  const bend = (x1 + x2) / 2;
  const style = isCut ? 'stroke="#2e7d32" stroke-width="2" stroke-dasharray="6 4"' : 'stroke="#8a8a8a"';
  const word = isCut ? `<text x="${x1 + 6}" y="${(y1 - 5).toFixed(1)}" font-size="11" fill="#2e7d32">cut</text>` : '';
  return `<path d="M${x1} ${y1.toFixed(1)} C${bend} ${y1.toFixed(1)} ${bend} ${y2.toFixed(1)} ${x2} ${y2.toFixed(1)}" fill="none" ${style} marker-end="url(#arrow)"/>${word}`;
}

/** One picture for all, one below the other. */
export function asSvg(graphs: readonly Graph[]): string {
  const parts: string[] = [];
  let top = 20;
  for (const graph of graphs) {
    parts.push(`<text x="20" y="${top + 12}" font-size="16" font-weight="bold" fill="#1b1b1b">${escapeMarkup(graph.title)}</text>`);
    const boxes = layOut(graph, top + 30);
    const byId = new Map(boxes.map((box) => [box.node.id, box]));
    for (const { from, to, isCut } of graph.edges) {
      const [start, end] = [byId.get(from), byId.get(to)];
      if (start !== undefined && end !== undefined) parts.push(drawEdge(start, end, isCut));
    }
    parts.push(...boxes.map(drawBox));
    top = Math.max(top + 60, ...boxes.map(({ y, height }) => y + height + 40));
  }
  const width = COLUMN_X[2] + COLUMN_WIDTH[2] + 20;
  const arrow = '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 Z" fill="#8a8a8a"/></marker></defs>';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${Math.ceil(top)}" width="${width}" height="${Math.ceil(top)}" font-family="ui-monospace, 'DejaVu Sans Mono', monospace" font-size="12"><rect width="100%" height="100%" fill="#ffffff"/>${arrow}${parts.join('\n')}</svg>\n`;
}

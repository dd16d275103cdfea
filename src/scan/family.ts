/** Images by inheritance: which is built on which, what each adds, mends and passes on; as DOT and SVG. */
import { escapeMarkup } from '../findings/index.ts';
import type { Vulnerability } from './advisories/match.ts';
import { nearestBase } from './inheritance.ts';
import type { FoundPackage } from './merge.ts';

/** An image that was scanned. */
export interface FamilyMember {
  readonly name: string;
  readonly diffIds: readonly string[];
  readonly packages: readonly FoundPackage[];
  readonly vulnerabilities: readonly Vulnerability[];
}

export interface FamilyNode {
  readonly member: FamilyMember;
  /** Undefined: it is built on none of the others. */
  readonly parent: FamilyNode | undefined;
  readonly addedPackages: number;
  readonly removedPackages: number;
  /** Vulnerabilities: those of the parent that are still there, those that it brought itself, those of the parent that are gone. */
  readonly inherited: number;
  readonly own: number;
  readonly mended: number;
}

function packageKeys({ packages }: FamilyMember): ReadonlySet<string> {
  return new Set(packages.map(({ package: { type, name, version } }) => `${type} ${name} ${version}`));
}

/** A vulnerability of a package by name: an update that leaves it in stays the same one. */
export function vulnerabilityKeys(vulnerabilities: readonly Vulnerability[]): ReadonlySet<string> {
  return new Set(vulnerabilities.map(({ id, found: { package: { type, name } } }) => `${id} ${type} ${name}`));
}

function without(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  return [...left].filter((key) => !right.has(key)).length;
}

/** Parents before children. Images of the same layers are one. */
export function familyOf(members: readonly FamilyMember[]): readonly FamilyNode[] {
  const unique = [...new Map(members.map((member) => [member.diffIds.join(), member])).values()].sort((left, right) => left.diffIds.length - right.diffIds.length || (left.name < right.name ? -1 : 1));
  const nodes = new Map<FamilyMember, FamilyNode>();
  for (const member of unique) {
    const base = nearestBase(member.diffIds, unique);
    const parent = base === undefined ? undefined : nodes.get(base as FamilyMember);
    const [packages, vulnerabilities] = [packageKeys(member), vulnerabilityKeys(member.vulnerabilities)];
    const before = { packages: parent === undefined ? new Set<string>() : packageKeys(parent.member), vulnerabilities: parent === undefined ? new Set<string>() : vulnerabilityKeys(parent.member.vulnerabilities) };
    const own = without(vulnerabilities, before.vulnerabilities);
    nodes.set(member, {
      member, parent, addedPackages: without(packages, before.packages), removedPackages: without(before.packages, packages), own, inherited: vulnerabilities.size - own, mended: without(before.vulnerabilities, vulnerabilities),
    });
  }
  return [...nodes.values()];
}

/** Those above and below one image, and it. */
export function relativesOf(nodes: readonly FamilyNode[], name: string): readonly FamilyNode[] {
  const isAbove = (upper: FamilyNode, lower: FamilyNode | undefined): boolean => lower !== undefined && (lower === upper || isAbove(upper, lower.parent));
  const own = nodes.find(({ member }) => member.name === name);
  return own === undefined ? nodes : nodes.filter((node) => isAbove(node, own) || isAbove(own, node));
}

function linesOf({ member, parent, addedPackages, removedPackages, inherited, own, mended }: FamilyNode): readonly string[] {
  const packages = `${member.packages.length} packages${parent === undefined ? '' : ` (+${addedPackages} −${removedPackages})`}`;
  const vulnerabilities = parent === undefined ? `${own} vulnerabilities` : `${inherited} inherited, ${own} added, ${mended} mended`;
  return [member.name, packages, vulnerabilities];
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replace(/(?!\n)\p{Cc}/gu, ' ').replace(/\n/g, '\\n')}"`;
}

export function familyAsDot(nodes: readonly FamilyNode[]): string {
  const number = new Map(nodes.map((node, index) => [node, index]));
  const boxes = nodes.map((node, index) => `  n${index} [label=${quoted(linesOf(node).join('\n'))}];`);
  const arrows = nodes.flatMap((node, index) => (node.parent === undefined ? [] : [`  n${number.get(node.parent) ?? 0} -> n${index};`]));
  return `digraph images {\n  rankdir=LR;\n  node [shape=box];\n${[...boxes, ...arrows].join('\n')}\n}\n`;
}

const BOX = { width: 300, height: 66, acrossGap: 60, downGap: 18, margin: 20 } as const;

/** Left to right; a row for each image that no other is built on. */
export function familyAsSvg(nodes: readonly FamilyNode[]): string {
  const places = new Map<FamilyNode, { readonly x: number; readonly y: number }>();
  let rows = 0;
  const place = (node: FamilyNode, depth: number): number => {
    const rowsOfChildren = nodes.filter(({ parent }) => parent === node).map((child) => place(child, depth + 1));
    const row = rowsOfChildren.length === 0 ? rows++ : ((rowsOfChildren[0] ?? 0) + (rowsOfChildren.at(-1) ?? 0)) / 2;
    places.set(node, { x: BOX.margin + depth * (BOX.width + BOX.acrossGap), y: BOX.margin + row * (BOX.height + BOX.downGap) });
    return row;
  };
  for (const node of nodes) if (node.parent === undefined || !nodes.includes(node.parent)) place(node, 0);
  const width = Math.max(0, ...Array.from(places.values(), ({ x }) => x)) + BOX.width + BOX.margin;
  const height = Math.max(0, ...Array.from(places.values(), ({ y }) => y)) + BOX.height + BOX.margin;
  const parts: string[] = [];
  for (const [node, { x, y }] of places) {
    const from = node.parent === undefined ? undefined : places.get(node.parent);
    if (from !== undefined) parts.push(`<path d="M${from.x + BOX.width} ${from.y + BOX.height / 2} L${x} ${y + BOX.height / 2}" stroke="#777" fill="none"/>`);
    const color = node.own > 0 ? '#fbe3e0' : node.inherited > 0 ? '#fdf3d8' : '#e3f3e3';
    parts.push(`<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6" fill="${color}" stroke="#555"/>`);
    for (const [index, line] of linesOf(node).entries()) parts.push(`<text x="${x + 10}" y="${y + 20 + index * 18}"${index === 0 ? ' font-weight="bold"' : ''}>${escapeMarkup(line.length > 44 ? `${line.slice(0, 43)}…` : line)}</text>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">${parts.join('')}</svg>\n`;
}

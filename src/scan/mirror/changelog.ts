/** What a package's list of changes says (deb-changelog(5)), and how it is taken out of a package (deb(5)). */
import { scanTarFile } from '../../image/index.ts';
import type { TarEntry } from '../../image/index.ts';
import { MOST_CHANGELOG_BYTES, MOST_DEB_BYTES } from '../limits.ts';
import { asciiOf, textOf } from '../text.ts';
import type { MirrorTools } from './tools.ts';

export interface ChangelogEntry {
  readonly version: string;
  readonly urgency: string;
  /** CVE identifiers, each with what is said of it. */
  readonly fixes: readonly { readonly id: string; readonly text: string }[];
}

const HEADING = /^(\S{1,200}) \(([^()\s]{1,200})\) [^;]{0,200};\s*urgency=([a-z]{1,20})/i;
const CVE = /\bCVE-\d{4}-\d{4,7}\b/g;
const MOST_ENTRIES = 500;
const MOST_TEXT_CHARACTERS = 200;
const MOST_DATA_BYTES = 512 * 2 ** 20;

/** Points of an entry, each in one line: `* text` and what is indented below it. */
function pointsOf(lines: readonly string[]): readonly string[] {
  const points: string[] = [];
  for (const line of lines) {
    const text = line.trim();
    if (/^[*+-]\s/.test(text) || points.length === 0) points.push(text.replace(/^[*+-]\s+/, ''));
    else points[points.length - 1] += ` ${text}`;
  }
  return points;
}

function entryOf(version: string, urgency: string, lines: readonly string[]): ChangelogEntry {
  const fixes = new Map<string, string>();
  for (const point of pointsOf(lines)) for (const [id] of point.matchAll(CVE)) if (!fixes.has(id)) fixes.set(id, point.slice(0, MOST_TEXT_CHARACTERS));
  return { version, urgency: urgency.toLowerCase(), fixes: Array.from(fixes, ([id, text]) => ({ id, text })) };
}

/** The newest first. */
export function readChangelog(text: string): readonly ChangelogEntry[] {
  const entries: ChangelogEntry[] = [];
  let [version, urgency]: (string | undefined)[] = [];
  let lines: string[] = [];
  const finish = (): void => {
    if (version !== undefined) entries.push(entryOf(version, urgency ?? '', lines));
    lines = [];
  };
  for (const line of text.split('\n')) {
    const heading = HEADING.exec(line);
    if (heading !== null) {
      finish();
      if (entries.length >= MOST_ENTRIES) return entries;
      [, , version, urgency] = heading;
    } else if (/^\s+\S/.test(line) && !line.startsWith(' -- ')) lines.push(line);
  }
  finish();
  return entries;
}

/** Members of an ar archive. */
function arMember(bytes: Uint8Array, start: string): Uint8Array | undefined {
  if (asciiOf(bytes.subarray(0, 8)) !== '!<arch>\n') return undefined;
  for (let at = 8; at + 60 <= bytes.length;) {
    const size = Number(asciiOf(bytes.subarray(at + 48, at + 58)).trim());
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    if (asciiOf(bytes.subarray(at, at + 16)).startsWith(start)) return bytes.subarray(at + 60, at + 60 + size);
    at += 60 + size + (size % 2);
  }
  return undefined;
}

/** The list of changes in a package; undefined where it has none, for instance because its directory is a link to another package's. */
export async function changelogOf(deb: Uint8Array, name: string, tools: MirrorTools): Promise<string | undefined> {
  const member = deb.length > MOST_DEB_BYTES ? undefined : arMember(deb, 'data.tar');
  if (member === undefined) return undefined;
  const data = await tools.uncompress(member, MOST_DATA_BYTES);
  const found = new Map<string, TarEntry>();
  scanTarFile((buffer, position) => {
    const piece = data.subarray(position, position + buffer.length);
    buffer.set(piece);
    return piece.length;
  }, data.length, (entry) => {
    const path = entry.path.replace(/^\.?\//, '');
    if (entry.type === 'file' && path.startsWith(`usr/share/doc/${name}/changelog`)) found.set(path.slice(`usr/share/doc/${name}/`.length), entry);
  });
  const entry = found.get('changelog.Debian.gz') ?? found.get('changelog.gz') ?? found.get('changelog.Debian') ?? found.get('changelog');
  if (entry === undefined) return undefined;
  return textOf(await tools.uncompress(data.subarray(entry.dataOffset, entry.dataOffset + entry.size), MOST_CHANGELOG_BYTES));
}

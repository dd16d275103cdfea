/**
 * Ignore files: findings that are known and accepted, with a reason, and until when. One a line, `#` begins a comment:
 *
 *     RULE SUBJECT [until YYYY-MM-DD] -- REASON
 *     homoglyph  ghcr.io/acme/paypa1  until 2027-03-31  -- our own, renamed in spring
 *     *          "deploy/old *.yaml"  -- these are not used any more
 *
 * `*` stands for any characters, in both. SUBJECT is that of the finding, or the file in which it is. Without a reason an entry is
 * refused; on the day after the last one it takes nothing out any more.
 */
import { matches } from './wildcard.ts';
import type { Finding, IgnoredFinding } from './types.ts';

export const MOST_IGNORE_BYTES = 2 ** 20;
/** Each finding is held against each entry. */
const MOST_ENTRIES = 10_000;

export interface IgnoreEntry {
  readonly line: number;
  readonly rule: string;
  readonly subject: string;
  /** `YYYY-MM-DD` */
  readonly until: string | undefined;
  readonly reason: string;
}

/** A line that cannot be understood. */
export class IgnoreFileError extends Error {
  override readonly name = 'IgnoreFileError';
  readonly line: number;
  readonly advice: string;

  constructor(line: number, message: string, advice = 'RULE SUBJECT [until YYYY-MM-DD] -- REASON') {
    super(message);
    this.line = line;
    this.advice = advice;
  }
}

/** Words, of which those with spaces stand in double quotes. */
function splitWords(text: string, line: number): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    if (text[at] === ' ' || text[at] === '\t') {
      at++;
      continue;
    }
    if (text[at] === '"') {
      const end = text.indexOf('"', at + 1);
      if (end < 0) throw new IgnoreFileError(line, 'a quote is not closed');
      words.push(text.slice(at + 1, end));
      at = end + 1;
      continue;
    }
    let end = at;
    while (end < text.length && text[end] !== ' ' && text[end] !== '\t') end++;
    words.push(text.slice(at, end));
    at = end;
  }
  return words;
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function readEntry(text: string, line: number): IgnoreEntry {
  const split = text.indexOf(' -- ');
  const reason = split < 0 ? '' : text.slice(split + 4).trim();
  if (reason === '') throw new IgnoreFileError(line, 'it gives no reason');
  const [rule, subject, word, until, ...more] = splitWords(text.slice(0, split), line);
  if (rule === undefined || subject === undefined || more.length > 0) throw new IgnoreFileError(line, 'it is not a rule and a subject');
  if (word === undefined) return { line, rule, subject, until: undefined, reason };
  if (word !== 'until') throw new IgnoreFileError(line, `"${word}" means nothing here`);
  if (until === undefined || !isDay(until)) throw new IgnoreFileError(line, `"${until ?? ''}" is no day`, 'such as until 2027-03-31');
  return { line, rule, subject, until, reason };
}

/** @throws IgnoreFileError */
export function parseIgnoreFile(text: string): readonly IgnoreEntry[] {
  const entries: IgnoreEntry[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (entries.length === MOST_ENTRIES) throw new IgnoreFileError(index + 1, `there are more than ${MOST_ENTRIES} entries`, 'join some of them with *');
    entries.push(readEntry(line, index + 1));
  }
  return entries;
}

export interface Sifted {
  readonly findings: readonly Finding[];
  readonly ignored: readonly IgnoredFinding[];
  /** Entries whose last day is over, and that would take something out. */
  readonly expired: readonly IgnoreEntry[];
  /** Entries that nothing is found for. */
  readonly unused: readonly IgnoreEntry[];
}

function isAbout(entry: IgnoreEntry, { rule, subject, place }: Finding): boolean {
  return matches(entry.rule, rule) && (matches(entry.subject, subject) || (place !== undefined && matches(entry.subject, place.file)));
}

/** Takes out what the entries name. `nowMs`: the time, since 1970, in milliseconds; days are those of UTC. */
export function siftFindings(findings: readonly Finding[], entries: readonly IgnoreEntry[], nowMs: number): Sifted {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const isOver = ({ until }: IgnoreEntry): boolean => until !== undefined && until < today;
  const kept: Finding[] = [];
  const ignored: IgnoredFinding[] = [];
  const used = new Set<IgnoreEntry>();
  for (const finding of findings) {
    const about = entries.filter((entry) => isAbout(entry, finding));
    for (const entry of about) used.add(entry);
    const entry = about.find((candidate) => !isOver(candidate));
    if (entry === undefined) kept.push(finding);
    else ignored.push({ finding, reason: entry.reason, until: entry.until });
  }
  return { findings: kept, ignored, expired: entries.filter((entry) => used.has(entry) && isOver(entry)), unused: entries.filter((entry) => !used.has(entry)) };
}

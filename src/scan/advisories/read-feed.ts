/** Files of advisories, whatever they are: OSV (a document, a list, one a line), Debian's tracker, Alpine's secdb, EPSS, KEV. */
import { ScanInputError } from '../errors.ts';
import { arrayOf, fieldOf, isObject, parseJson, stringOf, textOf } from '../text.ts';
import type { Scorer } from './cvss.ts';
import { isSecdb, isTracker, readSecdb, readTracker } from './distributions.ts';
import { readOsv } from './osv.ts';
import type { Advisory } from './types.ts';

/** What one file brings. */
export interface FeedPart {
  /** What it belongs to: parts of the same name are put together, and replace what was of that name. */
  readonly feed: string;
  readonly advisories: readonly Advisory[];
  /** How new it is, ISO 8601. */
  readonly date?: string;
  /** By CVE, 0 to 1. */
  readonly epss?: ReadonlyMap<string, number>;
  readonly exploited?: ReadonlySet<string>;
}

const DATE = /^\d{4}-\d\d-\d\d(?:T[\d:.]{5,15}Z?)?$/;

/** Of the newest document. */
function newest(documents: readonly unknown[]): { readonly date?: string } {
  const date = documents.flatMap((document) => stringOf(document, 'modified') ?? []).filter((text) => DATE.test(text)).sort().at(-1);
  return date === undefined ? {} : { date };
}

const CVE = /^CVE-\d{4}-\d{4,}$/;

/** `cve,epss,percentile` behind a line of comment. */
function readEpss(text: string): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [cve = '', score = ''] = line.split(',');
    const number = Number(score);
    if (CVE.test(cve) && score !== '' && number >= 0 && number <= 1) scores.set(cve, number);
  }
  return scores;
}

function osvFeed(advisories: readonly Advisory[]): string {
  const names = new Set(advisories.map(({ ecosystem }) => ecosystem.replace(/:.*/, '')));
  const [only] = names;
  return only === undefined || names.size > 1 ? 'osv' : `osv/${only}`;
}

function readDocument(document: unknown, scorer: Scorer): FeedPart | undefined {
  if (Array.isArray(document)) {
    const advisories = document.flatMap((one) => readOsv(one, scorer));
    return advisories.length === 0 && document.length > 0 ? undefined : { feed: osvFeed(advisories), advisories, ...newest(document) };
  }
  if (!isObject(document)) return undefined;
  if (stringOf(document, 'id') !== undefined && (fieldOf(document, 'affected') !== undefined || stringOf(document, 'modified') !== undefined)) {
    const advisories = readOsv(document, scorer);
    return { feed: osvFeed(advisories), advisories, ...newest([document]) };
  }
  if (isSecdb(document)) return { feed: `secdb/${stringOf(document, 'distroversion') ?? ''}/${stringOf(document, 'reponame') ?? ''}`, advisories: readSecdb(document) };
  const exploited = arrayOf(document, 'vulnerabilities').flatMap((entry) => stringOf(entry, 'cveID') ?? []);
  if (exploited.length > 0) return { feed: 'kev', advisories: [], exploited: new Set(exploited), ...newest([{ modified: stringOf(document, 'dateReleased') }]) };
  return isTracker(document) ? { feed: 'debian-tracker', advisories: readTracker(document) } : undefined;
}

/** @throws ScanInputError for what is none of them */
export function readFeed(bytes: Uint8Array, name: string, scorer: Scorer): FeedPart {
  const start = textOf(bytes.subarray(0, 2000));
  if (/^(?:#.*\n)?cve,epss/.test(start)) return { feed: 'epss', advisories: [], epss: readEpss(textOf(bytes)), ...newest([{ modified: /score_date:(\d{4}-\d\d-\d\d)/.exec(start)?.[1] }]) };
  const whole = parseJson(bytes);
  const part = whole === undefined ? readLines(bytes, scorer) : readDocument(whole, scorer);
  if (part === undefined) throw new ScanInputError(`"${name}" holds no advisories that are known`, 'there are OSV (JSON, zip), the JSON of Debian\'s security tracker, Alpine\'s secdb, EPSS (CSV) and KEV (JSON)');
  return part;
}

function readLines(bytes: Uint8Array, scorer: Scorer): FeedPart | undefined {
  const advisories: Advisory[] = [];
  const documents: unknown[] = [];
  for (const line of textOf(bytes).split('\n')) {
    if (line.trim() === '') continue;
    let document: unknown;
    try {
      document = JSON.parse(line) as unknown;
    } catch {
      return undefined;
    }
    advisories.push(...readOsv(document, scorer));
    documents.push({ modified: stringOf(document, 'modified') });
  }
  return { feed: osvFeed(advisories), advisories, ...newest(documents) };
}

/** OSV: ossf.github.io/osv-schema 1.7. One document is one vulnerability, and what it affects in each ecosystem. */
import type { Severity } from '../../findings/index.ts';
import { MOST_RANGES } from '../limits.ts';
import { arrayOf, fieldOf, isObject, stringOf } from '../text.ts';
import { COMPARE } from '../versions/index.ts';
import { intervalsOf } from './affected.ts';
import { severityOfScore, severityOfWord } from './cvss.ts';
import type { Scorer } from './cvss.ts';
import { ecosystemOfOsv, normalizedPackage, typeOfEcosystem } from './ecosystem.ts';
import type { Advisory, Interval } from './types.ts';

const MOST_TITLE_CHARACTERS = 200;

function strings(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}

/** The newest kind of vector that it has. */
function vectorOf(document: unknown): string | undefined {
  const vectors = arrayOf(document, 'severity').flatMap((entry) => stringOf(entry, 'score') ?? []).filter((text) => text.startsWith('CVSS:'));
  return vectors.sort().at(-1);
}

interface Rating {
  readonly severity?: Severity;
  readonly severitySource?: string;
  readonly vector?: string;
  readonly score?: number;
}

/** Whoever publishes the package first, then the number. */
function ratingOf(document: unknown, affected: unknown, scorer: Scorer): Rating {
  const own = severityOfWord(stringOf(fieldOf(affected, 'ecosystem_specific'), 'severity') ?? stringOf(fieldOf(affected, 'ecosystem_specific'), 'urgency') ?? stringOf(fieldOf(document, 'database_specific'), 'severity'));
  const vector = vectorOf(affected) ?? vectorOf(document);
  const score = vector === undefined ? undefined : scorer(vector);
  const severity = own ?? (score === undefined ? undefined : severityOfScore(score));
  return {
    ...(severity === undefined ? {} : { severity, severitySource: own === undefined ? 'cvss' : 'publisher' }),
    ...(vector === undefined ? {} : { vector }), ...(score === undefined ? {} : { score }),
  };
}

const EVENTS = { introduced: 'introduced', fixed: 'fixed', last_affected: 'lastAffected' } as const;

function rangesOf(affected: unknown, ecosystem: string): readonly Interval[] {
  const type = typeOfEcosystem(ecosystem);
  if (type === undefined) return [];
  return arrayOf(affected, 'ranges').slice(0, MOST_RANGES).flatMap((range) => {
    if (stringOf(range, 'type') === 'GIT') return [];
    const events = arrayOf(range, 'events').slice(0, MOST_RANGES).flatMap((event) => Object.entries(EVENTS).flatMap(([name, kind]) => {
      const version = stringOf(event, name);
      return version === undefined ? [] : [[kind, version] as const];
    }));
    return intervalsOf(events, COMPARE[type]);
  });
}

/** One document. Empty for what is none, what was withdrawn, and what affects nothing that we know. */
export function readOsv(document: unknown, scorer: Scorer): readonly Advisory[] {
  const id = stringOf(document, 'id');
  if (!isObject(document) || id === undefined || stringOf(document, 'withdrawn') !== undefined) return [];
  const aliases = [...new Set([...strings(arrayOf(document, 'aliases')), ...strings(arrayOf(document, 'upstream'))])].filter((alias) => alias !== id);
  const title = (stringOf(document, 'summary') ?? stringOf(document, 'details') ?? '').split('\n')[0]?.slice(0, MOST_TITLE_CHARACTERS) ?? '';
  const references = arrayOf(document, 'references');
  const url = stringOf(references.find((reference) => stringOf(reference, 'type') === 'ADVISORY') ?? references[0], 'url');
  // Numbers of a distribution stand for the CVE that they are about.
  const cve = /^(?:DEBIAN|UBUNTU|ALPINE|ECHO)-(CVE-\d{4}-\d{4,})$/.exec(id)?.[1];
  return arrayOf(document, 'affected').slice(0, MOST_RANGES).flatMap((affected): readonly Advisory[] => {
    const one = fieldOf(affected, 'package');
    const ecosystem = ecosystemOfOsv(stringOf(one, 'ecosystem') ?? '');
    const name = stringOf(one, 'name');
    if (ecosystem === undefined || name === undefined) return [];
    const intervals = rangesOf(affected, ecosystem);
    const versions = strings(arrayOf(affected, 'versions')).slice(0, MOST_RANGES);
    if (intervals.length === 0 && versions.length === 0) return [];
    return [{
      id: cve ?? id, ecosystem, package: normalizedPackage(ecosystem, name), status: intervals.some(({ fixed }) => fixed !== undefined) ? 'fixed' : 'affected', source: 'osv', ...ratingOf(document, affected, scorer),
      ...(aliases.length === 0 ? {} : { aliases }), ...(intervals.length === 0 ? {} : { intervals }), ...(versions.length === 0 ? {} : { versions }), ...(title === '' ? {} : { title }), ...(url === undefined ? {} : { url }),
    }];
  });
}

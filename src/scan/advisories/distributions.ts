/** Debian's security tracker (`security-tracker.debian.org/tracker/data/json`) and Alpine's security database (`secdb.alpinelinux.org`). */
import { arrayOf, entriesOf, fieldOf, isObject, stringOf } from '../text.ts';
import { severityOfWord } from './cvss.ts';
import { debianRelease } from './ecosystem.ts';
import type { Advisory, Status } from './types.ts';

const MOST_TITLE_CHARACTERS = 200;

/** `nodsa`: there is no advisory of Debian's for it, and why. */
function trackerStatus(release: unknown): Status {
  const [status, urgency] = [stringOf(release, 'status'), stringOf(release, 'urgency')];
  if (status === 'resolved') return stringOf(release, 'fixed_version') === '0' ? 'not affected' : 'fixed';
  if (urgency === 'end-of-life') return 'end of life';
  if (stringOf(release, 'nodsa_reason') === 'ignored') return 'will not fix';
  return status === 'undetermined' ? 'under investigation' : 'affected';
}

/** A package, its vulnerabilities, and their state in each release. */
export function readTracker(document: unknown): readonly Advisory[] {
  return entriesOf(document).flatMap(([name, issues]) => entriesOf(issues).flatMap(([id, issue]) => entriesOf(fieldOf(issue, 'releases')).flatMap(([codename, release]): readonly Advisory[] => {
    const number = debianRelease(codename);
    if (number === undefined || !/^(?:CVE|TEMP|DSA)-/.test(id)) return [];
    const status = trackerStatus(release);
    const fixed = status === 'fixed' ? stringOf(release, 'fixed_version') : undefined;
    const severity = severityOfWord(stringOf(release, 'urgency'));
    const title = stringOf(issue, 'description')?.slice(0, MOST_TITLE_CHARACTERS);
    return [{
      id, ecosystem: `debian:${number}`, package: name, status, source: 'debian-tracker', url: `https://security-tracker.debian.org/tracker/${encodeURIComponent(id)}`,
      ...(fixed === undefined ? {} : { intervals: [{ fixed }] }), ...(severity === undefined ? {} : { severity, severitySource: 'debian' }), ...(title === undefined ? {} : { title }),
    }];
  })));
}

export function isTracker(document: unknown): boolean {
  const [first] = entriesOf(document);
  return first !== undefined && entriesOf(first[1]).some(([id, issue]) => /^(?:CVE|TEMP)-/.test(id) && isObject(fieldOf(issue, 'releases')));
}

/** A package, and which of its versions mends what: `0` is for what never affected it. */
export function readSecdb(document: unknown): readonly Advisory[] {
  const ecosystem = `alpine:${(stringOf(document, 'distroversion') ?? '').replace(/^v/, '')}`;
  return arrayOf(document, 'packages').flatMap((entry) => {
    const one = fieldOf(entry, 'pkg');
    const name = stringOf(one, 'name');
    return name === undefined ? [] : entriesOf(fieldOf(one, 'secfixes')).flatMap(([fixed, ids]) => (Array.isArray(ids) ? ids : []).flatMap((text: unknown): readonly Advisory[] => {
      const [id, ...aliases] = typeof text === 'string' ? text.split(/\s+/).filter((word) => /^[A-Z]+-[\w-]+$/.test(word)) : [];
      if (id === undefined) return [];
      return [{ id, ecosystem, package: name, status: fixed === '0' ? 'not affected' : 'fixed', source: 'secdb', ...(aliases.length === 0 ? {} : { aliases }), ...(fixed === '0' ? {} : { intervals: [{ fixed }] }) }];
    }));
  });
}

export function isSecdb(document: unknown): boolean {
  return stringOf(document, 'distroversion') !== undefined && Array.isArray(fieldOf(document, 'packages'));
}

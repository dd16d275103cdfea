/** What a suite says of itself: the digests of its lists, its names, and until when it may be believed (wiki.debian.org/DebianRepository/Format). */
import { paragraphs } from '../packages/deb822.ts';

export interface Release {
  /** SHA-256 in hexadecimal, by the path below the suite. */
  readonly digests: ReadonlyMap<string, string>;
  /** `oldstable-security`, `bookworm-security`: none where it says none. */
  readonly names: readonly string[];
  readonly isSecurity: boolean;
  /** apt does not take from it by itself: backports, experimental. */
  readonly isManual: boolean;
  readonly hasByHash: boolean;
  /** As it stands there. */
  readonly validUntil: string | undefined;
}

const HEX = /^[0-9a-f]{64}$/;

/** `text`: without the lines of OpenPGP. */
export function readRelease(text: string, suite: string): Release {
  const [fields = new Map<string, string>()] = paragraphs(text, ['Label', 'Suite', 'Codename', 'NotAutomatic', 'Acquire-By-Hash', 'Valid-Until', 'SHA256']);
  const digests = new Map<string, string>();
  for (const line of (fields.get('SHA256') ?? '').split('\n')) {
    const [digest = '', , path = ''] = line.trim().split(/\s+/);
    if (HEX.test(digest)) digests.set(path, digest);
  }
  const yes = (name: string): boolean => fields.get(name)?.toLowerCase() === 'yes';
  return {
    digests, names: ['Suite', 'Codename'].flatMap((name) => fields.get(name) ?? []), validUntil: fields.get('Valid-Until'),
    isSecurity: /security/i.test(fields.get('Label') ?? '') || /-security\b|\/updates$/.test(suite), isManual: yes('NotAutomatic'), hasByHash: yes('Acquire-By-Hash'),
  };
}

/** Whether it is the suite that was asked for: another one of the same archive is signed as well. Old security suites are called `stretch/updates`, and say `stretch`. */
export function isOf({ names }: Release, suite: string): boolean {
  return names.length === 0 || names.includes(suite) || names.includes(suite.replace(/\/updates$/, ''));
}

/** Undefined: it may be believed. */
export function ageProblem({ validUntil }: Release, nowMs: number): string | undefined {
  if (validUntil === undefined) return undefined;
  const untilMs = Date.parse(validUntil);
  if (Number.isNaN(untilMs)) return `it is valid until "${validUntil}", which is no date`;
  return untilMs < nowMs ? `it was valid until ${new Date(untilMs).toISOString().slice(0, 10)}` : undefined;
}

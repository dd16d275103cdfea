/** The registry's host: misspelled, mistaken, made to look like another, or standing where the namespace does. */
import { DEFAULT_REGISTRY } from '../image/reference.ts';
import type { Reference } from '../image/reference.ts';
import { latinOf } from './alphabet.ts';
import { kindsOfEdit, likenesses } from './edits.ts';
import type { Slip } from './judge.ts';
import type { Names } from './names.ts';
import { shownHost } from './punycode.ts';
import { baseOf } from './rules.ts';
import { describe, likelihood } from './scores.ts';

function withHost(reference: Reference, registry: string): Reference {
  return { ...reference, registry, repository: registry === DEFAULT_REGISTRY && !reference.repository.includes('/') ? `library/${reference.repository}` : reference.repository };
}

function confused(reference: Reference, registry: string, why: string, score = baseOf('host-confused'), weight = 2): Slip {
  return { kinds: ['host-confused'], part: 'host', meant: withHost(reference, registry), score, why, distance: 0, weight };
}

/** `ghcr.io.example.com`, `ghcr-io.com`: a well-known host as a part of another one. */
function asPart(host: string, names: Names): string | undefined {
  const { byDashes } = names.hostIndex;
  for (const { index } of host.matchAll(/[.-]/g)) {
    const before = host.slice(0, index);
    if (names.hosts.has(before)) return before;
    const dashed = byDashes.get(before);
    if (dashed !== undefined) return dashed;
  }
  return undefined;
}

/** `ghcr.com` for `ghcr.io`. */
function withOtherEnd(host: string, names: Names): string | undefined {
  return names.hostIndex.byStem.get(host.slice(0, Math.max(0, host.lastIndexOf('.'))));
}

/** Its last labels are those below which accounts have hosts. */
function isBelowSuffix(host: string, names: Names): boolean {
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) if (names.suffixes.has(host.slice(dot + 1))) return true;
  return false;
}

/** `acme.azurcr.io`: what is before is the account's own. */
function judgeSuffix(reference: Reference, host: string, names: Names): readonly Slip[] {
  const dots = [...host.matchAll(/\./g)].map(({ index }) => index);
  const at = dots.at(-2);
  if (at === undefined) return [];
  const end = host.slice(at + 1);
  return likenesses(end, names.suffixes).filter(({ meant }) => meant.name.length >= 7).map((likeness) => {
    const { meant: { name, weight }, kinds, distance } = likeness;
    return { kinds: [kinds[0] ?? 'replacement', ...kinds.slice(1)], part: 'host', meant: withHost(reference, `${host.slice(0, at + 1)}${name}`), score: likelihood(likeness), why: describe(end, name, kinds[0] ?? 'replacement'), distance, weight };
  });
}

/** An image that is known at one registry, asked of another whose name is one slip away: `ghcr.io/distroless/static`. */
function judgeOtherRegistry(reference: Reference, host: string, names: Names): readonly Slip[] {
  const known = names.paths.get(reference.repository) ?? [];
  const namespace = reference.repository.slice(0, Math.max(0, reference.repository.lastIndexOf('/')));
  if (known.some((repository) => repository.host === host) || names.publishers.get(host)?.has(namespace) === true) return [];
  return known.filter(({ host: right }) => kindsOfEdit(host, right) !== undefined)
    .map(({ host: right, weight }) => confused(reference, right, `"${reference.repository}" is published at ${right}; that namespace of ${host} is anyone's`, 0.75, weight));
}

/** `reference.registry` is in small letters, and not the default one. */
export function judgeHost(reference: Reference, names: Names): readonly Slip[] {
  const host = reference.registry.replace(/:\d+$/, '');
  const mistaken = names.mistakes.get(host);
  if (mistaken !== undefined) return [confused(reference, mistaken, `"${host}" is not "${mistaken}"`, baseOf('host-confused'), 3)];
  if (names.hosts.has(host)) return judgeOtherRegistry(reference, host, names);
  const looks = host.includes('xn--') ? latinOf(shownHost(host)) : undefined;
  if (looks !== undefined && names.hosts.has(looks)) return [{ kinds: ['homoglyph'], part: 'host', meant: withHost(reference, looks), score: baseOf('homoglyph'), why: `"${host}" is shown as "${shownHost(host)}", which looks like "${looks}"`, distance: 0, weight: 3 }];
  if (isBelowSuffix(host, names)) return [];
  const part = asPart(host, names);
  if (part !== undefined) return [confused(reference, part, `"${host}" only begins like "${part}"`)];
  const found: Slip[] = likenesses(host, names.hosts).map((likeness) => {
    const { meant: { name, weight }, kinds, distance } = likeness;
    return { kinds: [kinds[0] ?? 'replacement', ...kinds.slice(1)], part: 'host', meant: withHost(reference, name), score: likelihood(likeness), why: describe(host, name, kinds[0] ?? 'replacement'), distance, weight };
  });
  const other = withOtherEnd(host, names);
  if (other !== undefined) found.push(confused(reference, other, `"${host}" ends otherwise than "${other}"`, 0.8));
  return found.length > 0 ? found : judgeSuffix(reference, host, names);
}

/** Text with letters that no reference may have, but that look like those of a well-known one. Undefined: it has none, or looks like nothing known. */
export function judgeForeign(text: string, names: Names): Slip | undefined {
  if (/^[\x00-\x7f]*$/.test(text)) return undefined;
  const latin = latinOf(text);
  if (latin === undefined || !/^[a-z0-9._:/@-]+$/.test(latin)) return undefined;
  const [first = '', ...rest] = latin.split('/');
  const isHost = rest.length > 0 && first.includes('.');
  const path = (isHost ? rest.join('/') : latin).replace(/[:@].*$/, '');
  const host = isHost ? first : DEFAULT_REGISTRY;
  const isKnown = isHost ? names.hosts.has(host) : names.official.has(path) || names.paths.has(path) || names.publishers.get(host)?.has(path.split('/')[0] ?? '') === true;
  if (!isKnown) return undefined;
  const tag = /:([A-Za-z0-9_][A-Za-z0-9_.-]*)$/.exec(latin)?.[1];
  return { kinds: ['homoglyph'], part: isHost ? 'host' : path.includes('/') ? 'namespace' : 'repository', meant: withHost({ registry: host, repository: path, tag, digest: undefined }, host), score: 1, why: 'it has letters of another script that look like Latin ones', distance: 0, weight: 3 };
}

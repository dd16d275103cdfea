/** What somebody would register who waits for the slips of others: the names near a name, by kind (dnstwist's fuzzers, as far as names of images go). */
import { DEFAULT_REGISTRY, familiarName, parseReference } from '../image/reference.ts';
import type { Reference } from '../image/reference.ts';
import { KEY_NEIGHBOURS, LOOKALIKES } from './alphabet.ts';
import { MOST_CANDIDATES } from './limits.ts';
import type { Names } from './names.ts';
import type { Kind } from './rules.ts';
import type { Part } from './judge.ts';

export interface Candidate {
  readonly kind: Kind;
  readonly part: Part;
  readonly reference: Reference;
  /** As a user writes it, without a tag. */
  readonly name: string;
}

const VOWELS = 'aeiou';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const SEPARATORS = ['-', '_', '.'];
const JOINED = ['official', 'latest', 'stable', 'docker', 'image', 'container', 'server', 'new', 'pro'];
const OTHER_ENDS = ['com', 'net', 'org', 'co', 'dev', 'io', 'cc', 'app'];
const CLAIMED = ['official', 'officialimages', 'docker-library', 'dockerhub', 'docker-official'];
const COMPONENT = /^[a-z0-9]+(?:[._-][a-z0-9]+|__[a-z0-9]+)*$/;
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}(?::\d+)?$/;

function* replacedAt(word: string, at: number, replacements: Iterable<string>): Generator<string> {
  for (const replacement of replacements) yield word.slice(0, at) + replacement + word.slice(at + 1);
}

function* homoglyphs(word: string): Generator<string> {
  for (const [shown, meant] of LOOKALIKES) {
    for (const [from, to] of [[meant, shown], [shown, meant]] as const) for (let at = word.indexOf(from); at >= 0; at = word.indexOf(from, at + 1)) yield word.slice(0, at) + to + word.slice(at + from.length);
  }
}

function* bitFlips(word: string): Generator<string> {
  for (let at = 0; at < word.length; at++) for (let bit = 1; bit < 128; bit <<= 1) yield word.slice(0, at) + String.fromCharCode(word.charCodeAt(at) ^ bit) + word.slice(at + 1);
}

function* keyboard(word: string): Generator<string> {
  for (let at = 0; at < word.length; at++) {
    const neighbours = KEY_NEIGHBOURS.get(word[at] ?? '') ?? [];
    yield* replacedAt(word, at, neighbours);
    for (const neighbour of neighbours) {
      yield word.slice(0, at) + neighbour + word.slice(at);
      yield word.slice(0, at + 1) + neighbour + word.slice(at + 1);
    }
  }
}

function* separators(word: string): Generator<string> {
  for (let at = 0; at < word.length; at++) {
    if (SEPARATORS.includes(word[at] ?? '')) yield* replacedAt(word, at, ['', ...SEPARATORS]);
    else if (at > 0) yield `${word.slice(0, at)}-${word.slice(at)}`;
  }
}

function* joined(word: string): Generator<string> {
  for (const more of JOINED) yield* [`${word}-${more}`, `${more}-${word}`, `${word}${more}`];
  for (const number of '23') yield word + number;
  const tokens = word.split('-');
  if (tokens.length > 1) yield tokens.reverse().join('-');
}

function* omissions(word: string): Generator<string> {
  for (let at = 0; at < word.length; at++) if (!SEPARATORS.includes(word[at] ?? '')) yield word.slice(0, at) + word.slice(at + 1);
}

function* repetitions(word: string): Generator<string> {
  for (let at = 0; at < word.length; at++) yield word.slice(0, at + 1) + word.slice(at);
}

function* transpositions(word: string): Generator<string> {
  for (let at = 0; at + 1 < word.length; at++) yield word.slice(0, at) + (word[at + 1] ?? '') + (word[at] ?? '') + word.slice(at + 2);
}

function* vowelSwaps(word: string): Generator<string> {
  for (let at = 0; at < word.length; at++) if (VOWELS.includes(word[at] ?? '')) yield* replacedAt(word, at, VOWELS);
}

function* additions(word: string): Generator<string> {
  for (const letter of LETTERS) yield word + letter;
}

/** In this order: a name that two kinds give is the first one's. */
const MUTATIONS: readonly (readonly [kind: Kind, of: (word: string) => Iterable<string>])[] = [
  ['transposition', transpositions], ['homoglyph', homoglyphs], ['repetition', repetitions],
  ['plural', (word) => [`${word}s`, ...(word.endsWith('s') ? [word.slice(0, -1)] : [])]], ['omission', omissions], ['separator', separators], ['keyboard', keyboard],
  ['bit-flip', bitFlips], ['combined-word', joined], ['replacement', vowelSwaps], ['addition', additions],
];

class Candidates {
  readonly found = new Map<string, Candidate>();
  readonly #own: string;

  constructor(own: Reference) {
    this.#own = familiarName(own);
  }

  add(kind: Kind, part: Part, reference: Reference): void {
    const name = familiarName(reference);
    if (name === this.#own || this.found.has(name) || this.found.size >= MOST_CANDIDATES) return;
    this.found.set(name, { kind, part, reference, name });
  }

  mutate(part: Part, word: string, isValid: RegExp, build: (mutated: string) => Reference): void {
    for (const [kind, mutations] of MUTATIONS) for (const mutated of mutations(word)) if (isValid.test(mutated)) this.add(kind, part, build(mutated));
  }
}

function addHosts(candidates: Candidates, reference: Reference, names: Names): void {
  const { registry } = reference;
  const withHost = (host: string): Reference => ({ ...reference, registry: host });
  for (const [wrong, right] of names.mistakes) if (right === registry) candidates.add('host-confused', 'host', withHost(wrong));
  candidates.mutate('host', registry, HOST, withHost);
  const [bare = registry, port] = registry.split(':');
  const dot = bare.lastIndexOf('.');
  for (const end of dot < 0 ? [] : OTHER_ENDS) {
    candidates.add('host-confused', 'host', withHost(`${bare.slice(0, dot)}.${end}${port === undefined ? '' : `:${port}`}`));
    candidates.add('host-confused', 'host', withHost(`${bare.replaceAll('.', '-')}.${end}`));
  }
  const path = reference.repository;
  if (registry !== DEFAULT_REGISTRY && dot > 0) for (const word of [bare, bare.slice(0, dot), bare.replaceAll('.', '-')]) if (COMPONENT.test(word)) candidates.add('host-as-namespace', 'host', { ...reference, registry: DEFAULT_REGISTRY, repository: `${word}/${path}` });
}

/**
 * Each once, those of one kind together, without `text`'s own. Tags are left out: who owns a repository owns its tags.
 *
 * @throws InvalidReferenceError
 */
export function generate(text: string, names: Names): readonly Candidate[] {
  const reference: Reference = { ...parseReference(text), tag: undefined, digest: undefined };
  const candidates = new Candidates(reference);
  const parts = reference.repository.split('/');
  const name = parts.at(-1) ?? '';
  const isOfficial = reference.registry === DEFAULT_REGISTRY && parts[0] === 'library' && parts.length === 2;
  const withParts = (changed: readonly string[]): Reference => ({ ...reference, repository: changed.join('/') });
  candidates.mutate('repository', name, COMPONENT, (mutated) => withParts([...parts.slice(0, -1), mutated]));
  if (isOfficial) for (const namespace of [...CLAIMED, name, `${name}-official`]) candidates.add('namespace-stolen', 'namespace', withParts([namespace, name]));
  else if (parts.length > 1) {
    candidates.mutate('namespace', parts[0] ?? '', COMPONENT, (mutated) => withParts([mutated, ...parts.slice(1)]));
    candidates.add('namespace-stolen', 'namespace', withParts([name, name]));
    candidates.add('namespace-dropped', 'namespace', withParts(reference.registry === DEFAULT_REGISTRY ? ['library', name] : [name]));
  }
  if (reference.registry !== DEFAULT_REGISTRY || text.startsWith(`${DEFAULT_REGISTRY}/`)) addHosts(candidates, reference, names);
  const byKind = new Map<Kind, Candidate[]>();
  for (const candidate of candidates.found.values()) {
    const known = byKind.get(candidate.kind);
    if (known === undefined) byKind.set(candidate.kind, [candidate]);
    else known.push(candidate);
  }
  return [...byKind.values()].flat();
}

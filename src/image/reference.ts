/**
 * References: `registry/repository:tag@digest`, read and completed as Docker does
 * (distribution/reference: `ParseNormalizedNamed`, `TagNameOnly`; its grammar stands in `reference.go`).
 */
import { InvalidReferenceError } from './errors.ts';
import { parseDigest } from './digest.ts';
import type { Digest } from './digest.ts';

export const DEFAULT_REGISTRY = 'docker.io';
const LEGACY_DEFAULT_REGISTRY = 'index.docker.io';
const OFFICIAL_PREFIX = 'library/';
export const DEFAULT_TAG = 'latest';
/** Bounds of distribution/reference. */
const MOST_NAME_CHARACTERS = 255;
const MOST_TAG_CHARACTERS = 128;

const PORT = /^[0-9]+$/;
const DOMAIN_COMPONENT = /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])$/;
const IPV6 = /^\[(?:[a-fA-F0-9:]+)\]$/;
const SEPARATOR = /^(?:[._]|__|-+)$/;
const TAG_FIRST = /^[A-Za-z0-9_]$/;
const TAG_CHARACTER = /^[A-Za-z0-9_.-]$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;

/** A complete reference. At least one of `tag` and `digest` is there. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000` */
  readonly registry: string;
  /** `library/debian` */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** One part of a reference, and why it is what it is: what `caisson resolve` shows. */
export interface ReferencePart {
  readonly part: 'registry' | 'repository' | 'tag' | 'digest';
  readonly value: string;
  readonly why: string;
}

/** `registry/repository`, without tag and digest. */
export function nameOf({ registry, repository }: Reference): string {
  return `${registry}/${repository}`;
}

/** The whole: `docker.io/library/debian:12`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${nameOf(reference)}${tag}${digest}`;
}

/** Without what Docker leaves out: `debian` for `docker.io/library/debian`. */
export function familiarName({ registry, repository }: Reference): string {
  if (registry !== DEFAULT_REGISTRY) return `${registry}/${repository}`;
  const short = repository.startsWith(OFFICIAL_PREFIX) ? repository.slice(OFFICIAL_PREFIX.length) : repository;
  return short.includes('/') && repository.startsWith(OFFICIAL_PREFIX) ? repository : short;
}

/** `debian:12`, as Docker's `FamiliarString`. */
export function familiarReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return `${familiarName(reference)}${tag}${reference.digest === undefined ? '' : `@${reference.digest}`}`;
}

interface Split {
  readonly registry: string;
  readonly remainder: string;
  /** Index in the text at which the remainder begins. */
  readonly start: number;
  readonly given: boolean;
}

/** The word before the first slash is a registry if it has a dot, a port or a capital letter, or is `localhost` (`splitDockerDomain`). */
function splitRegistry(text: string): Split {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(0, slash));
  const isRegistry = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (!isRegistry) return { registry: DEFAULT_REGISTRY, remainder: text, start: 0, given: false };
  return { registry: first === LEGACY_DEFAULT_REGISTRY ? DEFAULT_REGISTRY : first, remainder: text.slice(slash + 1), start: slash + 1, given: true };
}

function checkRegistry(text: string, registry: string): void {
  const bracket = registry.startsWith('[') ? registry.indexOf(']') : -1;
  const colon = bracket >= 0 ? registry.indexOf(':', bracket) : registry.indexOf(':');
  const host = colon < 0 ? registry : registry.slice(0, colon);
  if (registry.startsWith('[')) {
    if (!IPV6.test(host)) throw new InvalidReferenceError(text, 0, 'the IPv6 address of the registry is not well formed', 'such as [::1]:5000/name');
  } else {
    let at = 0;
    for (const component of host.split('.')) {
      if (!DOMAIN_COMPONENT.test(component)) {
        const inside = [...component].findIndex((character, index) => !/[a-zA-Z0-9]/.test(character) && (character !== '-' || index === 0 || index === component.length - 1));
        throw new InvalidReferenceError(text, at + Math.max(0, inside), `the registry's name cannot have ${describe(component[Math.max(0, inside)])} here`, 'names are letters, digits and dashes, with dots between');
      }
      at += component.length + 1;
    }
  }
  const port = colon < 0 ? undefined : registry.slice(colon + 1);
  if (port !== undefined && !PORT.test(port)) throw new InvalidReferenceError(text, colon + 1 + Math.max(0, port.search(/[^0-9]/)), 'the port is not a number', 'such as localhost:5000/name');
}

function describe(character: string | undefined): string {
  return character === undefined ? 'nothing' : `"${character}"`;
}

/** `path-component ['/' path-component]*`: small letters and digits, between them one dot, one or two underscores, or dashes. */
function checkRepository(text: string, repository: string, start: number): void {
  if (repository === '') throw new InvalidReferenceError(text, start, 'the repository has no name', 'such as debian, or registry.example/team/app');
  const capital = repository.search(/[A-Z]/);
  if (capital >= 0) throw new InvalidReferenceError(text, start + capital, `the repository must be lower case, and has "${repository[capital] ?? ''}"`, `did you mean "${repository.toLowerCase()}"?`);
  let at = start;
  for (const component of repository.split('/')) {
    if (component === '') throw new InvalidReferenceError(text, at, 'a part of the repository is empty', 'use one slash between parts');
    const foreign = component.search(/[^a-z0-9._-]/);
    if (foreign >= 0) throw new InvalidReferenceError(text, at + foreign, `the repository cannot have ${describe(component[foreign])}`, 'names are small letters and digits, with . _ - between');
    for (const { 0: separator, index } of component.matchAll(/[._-]+/g)) {
      const inner = index > 0 && index + separator.length < component.length;
      if (!inner || !SEPARATOR.test(separator)) throw new InvalidReferenceError(text, at + index, `the repository cannot have "${separator}" ${inner ? 'between letters' : index === 0 ? 'at the beginning of a part' : 'at the end of a part'}`, 'names are small letters and digits, with . _ - between');
    }
    at += component.length + 1;
  }
}

function checkTag(text: string, tag: string, start: number): void {
  if (tag === '') throw new InvalidReferenceError(text, start, 'the tag is empty', 'such as debian:12, or leave the colon out');
  const wrong = [...tag].findIndex((character, index) => !(index === 0 ? TAG_FIRST : TAG_CHARACTER).test(character));
  if (wrong >= 0) throw new InvalidReferenceError(text, start + wrong, `the tag cannot have ${describe(tag[wrong])} ${wrong === 0 ? 'at its beginning' : 'in it'}`, 'tags are letters, digits, _ . and -');
  if (tag.length > MOST_TAG_CHARACTERS) throw new InvalidReferenceError(text, start + MOST_TAG_CHARACTERS, `the tag is longer than ${MOST_TAG_CHARACTERS} characters`, 'shorten it');
}

function readDigest(text: string, digest: string, start: number): Digest {
  const parsed = parseDigest(digest);
  if (typeof parsed === 'object') throw new InvalidReferenceError(text, start + parsed.position, parsed.reason, 'such as sha256: and 64 of 0-9 and a-f');
  return parsed;
}

interface Parsed {
  readonly reference: Reference;
  readonly split: Split;
  readonly repositoryGiven: string;
}

function parse(text: string): Parsed {
  if (text === '') throw new InvalidReferenceError(text, 0, 'it is empty', 'such as debian:12');
  if (IDENTIFIER.test(text)) throw new InvalidReferenceError(text, 0, '64 hexadecimal digits are an identifier, not a name', `write sha256:${text.slice(0, 4)}... for an image that is here`);
  const split = splitRegistry(text);
  const at = split.remainder.indexOf('@');
  const beforeDigest = at < 0 ? split.remainder : split.remainder.slice(0, at);
  const colon = beforeDigest.indexOf(':');
  const given = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  if (split.given) checkRegistry(text, split.registry);
  checkRepository(text, given, split.start);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined) checkTag(text, tag, split.start + colon + 1);
  const digest = at < 0 ? undefined : readDigest(text, split.remainder.slice(at + 1), split.start + at + 1);
  const repository = split.registry === DEFAULT_REGISTRY && !given.includes('/') ? OFFICIAL_PREFIX + given : given;
  if (split.registry.length + 1 + repository.length > MOST_NAME_CHARACTERS) {
    throw new InvalidReferenceError(text, MOST_NAME_CHARACTERS, `registry and repository are longer than ${MOST_NAME_CHARACTERS} characters`, 'shorten them');
  }
  const completeTag = tag ?? (digest === undefined ? DEFAULT_TAG : undefined);
  return { reference: { registry: split.registry, repository, tag: completeTag, digest }, split, repositoryGiven: given };
}

/**
 * @example
 * formatReference(parseReference('debian')) // 'docker.io/library/debian:latest'
 * @throws InvalidReferenceError that names the first wrong character.
 */
export function parseReference(text: string): Reference {
  return parse(text).reference;
}

/** Each part of a reference and where it comes from. */
export function explainReference(text: string): { readonly reference: Reference; readonly parts: readonly ReferencePart[] } {
  const { reference, split, repositoryGiven } = parse(text);
  const parts: ReferencePart[] = [{
    part: 'registry', value: reference.registry,
    why: !split.given ? 'no registry was given: the default' : text.startsWith(LEGACY_DEFAULT_REGISTRY) ? `${LEGACY_DEFAULT_REGISTRY} is the old name of ${DEFAULT_REGISTRY}` : 'as given: the first part has a dot, a port or a capital letter, or is localhost',
  }, {
    part: 'repository', value: reference.repository,
    why: reference.repository === repositoryGiven ? 'as given' : `one word on ${DEFAULT_REGISTRY} is an official image: ${OFFICIAL_PREFIX} goes before it`,
  }];
  if (reference.tag !== undefined) parts.push({ part: 'tag', value: reference.tag, why: text.slice(split.start).split('@')[0]?.includes(':') === true ? 'as given' : 'neither tag nor digest was given: the default' });
  if (reference.digest !== undefined) parts.push({ part: 'digest', value: reference.digest, why: reference.tag === undefined ? 'as given' : 'as given; it decides, and the tag is only kept' });
  return { reference, parts };
}

/** Namespace, repository and tag. */
import { DEFAULT_REGISTRY, DEFAULT_TAG } from '../image/reference.ts';
import type { Reference } from '../image/reference.ts';
import { distanceUpTo, kindsOfEdit, likenesses } from './edits.ts';
import type { Likeness } from './edits.ts';
import type { Part, Slip } from './judge.ts';
import { lettersOf } from './names.ts';
import type { KnownName, NameSet, Names } from './names.ts';
import { baseOf } from './rules.ts';
import { describe, likelihood } from './scores.ts';

const OFFICIAL = 'library';
/** Words with which a name claims to be what it is joined to. */
const CLAIMS = ['official', 'latest', 'stable', 'original', 'docker', 'image', 'images', 'container', 'server', 'dockerhub', 'team', 'inc', 'io', 'org', 'lts', 'secure', 'verified', 'prod'] as const;
/** Namespaces that claim to be Docker's own. */
const CLAIMED_NAMESPACES: ReadonlySet<string> = new Set(['official', 'officials', 'officialimage', 'officialimages', 'official-images', 'dockerlibrary', 'docker-library', 'dockerofficial', 'docker-official', 'dockerhub', 'libraries', 'libary', 'librarys', 'dockerimages', 'hub']);
/** Registries where anybody may take a namespace. */
const PUBLIC_HOSTS: ReadonlySet<string> = new Set([DEFAULT_REGISTRY, 'ghcr.io', 'quay.io', 'registry.gitlab.com', 'codeberg.org']);
/** Names of registries without their ends. `docker` and `library` are namespaces of Docker's. */
const HOST_WORDS: ReadonlyMap<string, string> = new Map([['ghcr', 'ghcr.io'], ['quay', 'quay.io'], ['gcr', 'gcr.io'], ['mcr', 'mcr.microsoft.com'], ['nvcr', 'nvcr.io'], ['lscr', 'lscr.io'], ['dockerhub', 'docker.io'], ['docker-io', 'docker.io'], ['dockerio', 'docker.io']]);
/** In a namespace that nobody knows, an image may have what name it likes: a likeness says less. */
const UNKNOWN_NAMESPACE = 0.72;
/** There, of names of five letters and less only such slips: `gost` and `redir` are projects. */
const SHORT_LETTERS = 5;
const TELLING_IF_SHORT: ReadonlySet<string> = new Set(['transposition', 'repetition', 'homoglyph', 'keyboard']);
/** Two slips are looked for in names of so many letters. */
const LEAST_LONG = 9;
/** Below a publisher that alone can publish there, a slip ends in nothing, and what is near is more often another one of its images. */
const OWN_NAMESPACE = 0.7;
const TELLING_BELOW_PUBLISHER: ReadonlySet<string> = new Set(['transposition', 'repetition', 'homoglyph', 'separator']);
/** Last parts that many have: without their namespace they name nothing. */
const GENERIC: ReadonlySet<string> = new Set(['agent', 'base', 'controller', 'executor', 'included', 'operator', 'runtime', 'server', 'stable', 'static', 'management', 'admin', 'compose', 'python', 'nodejs', 'renderer']);

function slip(likeness: Likeness, typed: string, part: Part, meant: Reference, factor = 1, more = ''): Slip {
  const { meant: { name, weight }, kinds, distance } = likeness;
  const [kind = 'replacement', ...also] = kinds;
  return { kinds: [kind, ...also], part, meant, score: likelihood(likeness) * factor, why: `${describe(typed, name, kind)}${more}`, distance, weight };
}

/** `nginx-official`, `my-nginx`, `nginx2`: a claim joined to a known name. */
function joinedWord(typed: string, names: NameSet): { readonly known: KnownName; readonly word: string } | undefined {
  for (const word of CLAIMS) {
    if (typed.length <= word.length) continue;
    for (const rest of [typed.endsWith(word) ? typed.slice(0, -word.length) : '', typed.startsWith(word) ? typed.slice(word.length) : '']) {
      const known = names.get(rest.replace(/^[-_.]|[-_.]$/g, ''));
      if (known !== undefined && known.name.length > 2) return { known, word };
    }
  }
  const bare = /^([a-z.-]*[a-z])[-_.]?\d{1,3}$/.exec(typed)?.[1];
  const known = bare === undefined ? undefined : names.get(bare);
  return known === undefined || bare === undefined || known.name.length <= 2 ? undefined : { known, word: typed.slice(bare.length).replace(/^[-_.]/, '') };
}

/** Two slips in a long name. */
function distant(typed: string, names: NameSet): readonly Likeness[] {
  const found: Likeness[] = [];
  for (let length = Math.max(LEAST_LONG, typed.length - 2); length <= typed.length + 2; length++) {
    for (const meant of names.ofLength(length)) {
      if (meant.name[0] === typed[0] && distanceUpTo(typed, meant.name, 2) === 2) found.push({ meant, kinds: ['distant-misspelling'], distance: 2 });
    }
  }
  return found;
}

function officialReference(reference: Reference, name: string): Reference {
  return { ...reference, registry: DEFAULT_REGISTRY, repository: `${OFFICIAL}/${name}` };
}

/** `docker.io/library/NAME`: a closed list, so that what is not on it is nothing that one could mean. */
function judgeOfficial(reference: Reference, name: string, names: Names): readonly Slip[] {
  if (names.official.has(name) || names.words.has(name) || name === 'scratch') return [];
  const more = `; ${DEFAULT_REGISTRY}/${OFFICIAL} has no "${name}"`;
  const found: Slip[] = likenesses(name, names.official).map((likeness) => slip(likeness, name, 'repository', officialReference(reference, likeness.meant.name), 1, more));
  const alias = names.aliases.get(name);
  if (alias !== undefined) found.push({ kinds: ['other-name'], part: 'repository', meant: officialReference(reference, alias), score: baseOf('other-name'), why: `"${name}" is called "${alias}" there${more}`, distance: 0, weight: names.official.get(alias)?.weight ?? 1 });
  const joined = joinedWord(name, names.official);
  if (joined !== undefined) found.push({ kinds: ['combined-word'], part: 'repository', meant: officialReference(reference, joined.known.name), score: baseOf('combined-word'), why: `"${name}" is "${joined.known.name}" with "${joined.word}" joined to it${more}`, distance: 0, weight: joined.known.weight });
  for (const { host, namespace, name: known, weight } of names.repositories.get(name) ?? []) {
    if (name.length > 4 && weight >= 2 && !GENERIC.has(name)) found.push({ kinds: ['namespace-dropped'], part: 'namespace', meant: { ...reference, registry: host, repository: namespace === '' ? known : `${namespace}/${known}` }, score: baseOf('namespace-dropped') * (weight === 3 ? 1 : 0.85), why: `"${name}" is published as "${host === DEFAULT_REGISTRY ? '' : `${host}/`}${namespace}/${known}"${more}`, distance: 0, weight });
  }
  if (found.length > 0) return found;
  return distant(name, names.official).map((likeness) => slip(likeness, name, 'repository', officialReference(reference, likeness.meant.name), 1, more));
}

/** `ghcr/owner/app`, `docker.io/ghcr.io/owner/app`. */
function judgeHostAsNamespace(reference: Reference, parts: readonly string[], names: Names): readonly Slip[] {
  const [first = '', ...rest] = parts;
  const host = names.hosts.has(first) ? first : names.mistakes.get(first) ?? HOST_WORDS.get(first) ?? names.hostIndex.byDashes.get(first);
  if (host === undefined || rest.length === 0 || host === reference.registry) return [];
  // A mirror has the registries that it copies as its first part; Docker Hub is none.
  if (reference.registry !== DEFAULT_REGISTRY) return [];
  const isHub = host === DEFAULT_REGISTRY;
  const repository = isHub && rest.length === 1 ? `${OFFICIAL}/${rest[0] ?? ''}` : rest.join('/');
  return [{ kinds: ['host-as-namespace'], part: 'host', meant: { ...reference, registry: host, repository }, score: baseOf('host-as-namespace'), why: `"${first}" is a namespace of ${DEFAULT_REGISTRY} here, and not the registry ${host}`, distance: 0, weight: 3 }];
}

/** An image of Docker's own list, or a well-known one, under a namespace that only claims to be its publisher's. */
function judgeStolen(reference: Reference, namespace: string, name: string, names: Names): readonly Slip[] {
  const { registry } = reference;
  const official = names.official.get(name);
  if (official !== undefined) {
    const isClaimed = CLAIMED_NAMESPACES.has(namespace) || (registry !== DEFAULT_REGISTRY && namespace === OFFICIAL) || CLAIMS.some((word) => lettersOf(namespace) === `${name}${word}` || lettersOf(namespace) === `${word}${name}`);
    if (isClaimed && PUBLIC_HOSTS.has(registry)) return [{ kinds: ['namespace-stolen'], part: 'namespace', meant: officialReference(reference, name), score: baseOf('namespace-stolen'), why: `"${name}" is an official image, and "${namespace}" of ${registry} is not its publisher`, distance: 0, weight: official.weight }];
  }
  const known = (names.repositories.get(name) ?? []).filter(({ host, weight }) => host === registry && weight >= 2);
  const found: Slip[] = [];
  for (const { namespace: right, weight } of known) {
    const meant = { ...reference, repository: `${right}/${name}` };
    const kinds = kindsOfEdit(namespace, right);
    if (kinds !== undefined) found.push({ kinds: [kinds[0] ?? 'replacement', ...kinds.slice(1)], part: 'namespace', meant, score: Math.max(0.7, likelihood({ meant: { name: right, weight }, kinds, distance: 1 })), why: describe(namespace, right, kinds[0] ?? 'replacement'), distance: 1, weight });
    else if (namespace === name && right !== name) found.push({ kinds: ['namespace-stolen'], part: 'namespace', meant, score: 0.75, why: `"${name}" is published by "${right}", not by "${namespace}"`, distance: 0, weight });
  }
  return found;
}

/** An image that is published elsewhere, asked of Docker Hub because no registry was typed: `dotnet/sdk`. */
function judgeHostDropped(reference: Reference, namespace: string, names: Names): readonly Slip[] {
  if (reference.registry !== DEFAULT_REGISTRY || names.publishers.get(DEFAULT_REGISTRY)?.has(namespace) === true) return [];
  const known = names.paths.get(reference.repository) ?? [];
  if (known.length === 0 || known.some(({ host }) => host === DEFAULT_REGISTRY)) return [];
  return known.map(({ host, weight }) => ({ kinds: ['host-confused'], part: 'host', meant: { ...reference, registry: host }, score: 0.8, why: `"${reference.repository}" is published at ${host}; "${namespace}" of ${DEFAULT_REGISTRY} is anyone's`, distance: 0, weight }));
}

function judgeNamespace(reference: Reference, namespace: string, rest: string, names: Names): readonly Slip[] {
  const publishers = names.publishers.get(reference.registry);
  if (publishers === undefined) return [];
  const found = likenesses(namespace, publishers).filter(({ meant }) => meant.name.length > 4).map((likeness) => slip(likeness, namespace, 'namespace', { ...reference, repository: `${likeness.meant.name}/${rest}` }));
  const joined = joinedWord(namespace, publishers);
  if (joined !== undefined && joined.known.name.length > 4) found.push({ kinds: ['combined-word'], part: 'namespace', meant: { ...reference, repository: `${joined.known.name}/${rest}` }, score: baseOf('combined-word') * 0.9, why: `"${namespace}" is "${joined.known.name}" with "${joined.word}" joined to it`, distance: 0, weight: joined.known.weight });
  return found;
}

/** The last part, in a namespace that may be anybody's. */
function judgeLast(reference: Reference, namespace: string, name: string, names: Names): readonly Slip[] {
  if (names.official.has(name) || names.words.has(name) || names.repositories.has(name)) return [];
  // A project that has its own namespace is called what it is called.
  if (namespace === name) return [];
  const publishers = names.publishers.get(reference.registry);
  if (publishers?.has(namespace) === true) return judgeOwn(reference, namespace, name, names);
  const withName = (last: string): Reference => ({ ...reference, repository: namespace === '' ? last : `${namespace}/${last}` });
  return likenesses(name, names.official).filter(({ meant: { name: known, weight }, kinds: [kind = 'replacement'] }) => weight >= 2 && known.length > 4 && kind !== 'plural' && kind !== 'combined-word' && (known.length > SHORT_LETTERS || TELLING_IF_SHORT.has(kind)))
    .map((likeness) => slip(likeness, name, 'repository', withName(likeness.meant.name), UNKNOWN_NAMESPACE));
}

/** A slip below a known publisher: of its own names that are known. */
function judgeOwn(reference: Reference, namespace: string, name: string, names: Names): readonly Slip[] {
  const found: Slip[] = [];
  for (const [known, places] of names.repositories) {
    const place = places.find(({ host, namespace: own }) => host === reference.registry && own === namespace);
    const kinds = place === undefined || known.length < 5 ? undefined : kindsOfEdit(name, known);
    if (place === undefined || kinds?.[0] === undefined || !TELLING_BELOW_PUBLISHER.has(kinds[0])) continue;
    found.push(slip({ meant: { name: known, weight: place.weight }, kinds, distance: 1 }, name, 'repository', { ...reference, repository: `${namespace}/${known}` }, OWN_NAMESPACE));
  }
  return found;
}

export function judgeName(reference: Reference, names: Names): readonly Slip[] {
  const { registry, repository } = reference;
  const parts = repository.split('/');
  const name = parts.at(-1) ?? '';
  if (registry === DEFAULT_REGISTRY && parts.length === 2 && parts[0] === OFFICIAL) return judgeOfficial(reference, name, names);
  const asNamespace = judgeHostAsNamespace(reference, parts, names);
  if (asNamespace.length > 0) return asNamespace;
  if (parts.length < 2) return judgeLast(reference, '', name, names);
  const namespace = parts.slice(0, -1).join('/');
  const known = names.paths.get(repository);
  if (known?.some(({ host }) => host === registry) === true) return [];
  const [first = ''] = parts;
  const isPublisher = names.publishers.get(registry)?.has(first) === true;
  const found = [...judgeHostDropped(reference, first, names), ...(isPublisher ? [] : [...judgeStolen(reference, namespace, name, names), ...judgeNamespace(reference, first, parts.slice(1).join('/'), names)])];
  return found.length > 0 ? found : judgeLast(reference, namespace, name, names);
}

/** Words of the tag against those of common tags. */
export function judgeTag(reference: Reference, names: Names): readonly Slip[] {
  const { tag } = reference;
  if (tag === undefined || tag === DEFAULT_TAG || reference.digest !== undefined) return [];
  const found: Slip[] = [];
  for (const { 0: word, index } of tag.toLowerCase().matchAll(/[a-z]+/g)) {
    if (word.length < 4 || names.tags.has(word) || names.tagWords.has(word) || names.words.has(word)) continue;
    for (const { meant: { name, weight }, kinds, distance } of likenesses(word, names.tags)) {
      if (name.length < 5 || kinds[0] === 'plural') continue;
      found.push({ kinds: ['tag-misspelled', ...kinds], part: 'tag', meant: { ...reference, tag: `${tag.slice(0, index)}${name}${tag.slice(index + word.length)}` }, score: baseOf('tag-misspelled'), why: describe(word, name, kinds[0] ?? 'replacement'), distance, weight });
    }
  }
  return found;
}

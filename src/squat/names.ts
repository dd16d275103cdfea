/**
 * What is well known: data with a source, in a form that can be written, read and replaced (`caisson squat --print-names`):
 *
 *     # comment
 *     official 3: nginx redis          repositories of docker.io/library
 *     publisher: bitnami quay.io/ceph  namespaces; without a host those of docker.io
 *     repository 2: docker.io/prom/prometheus
 *     host: ghcr.io                    suffix: azurecr.io (accounts have hosts below it)
 *     mistake: ghrc.io=ghcr.io         alias: mongodb=mongo (what an official image is called elsewhere)
 *     word: mono (no misspelling)      tag: latest     tagword: local (no misspelling of one)
 *
 * The number is how well known (3: best); it is 1 if none is given. A line that begins with a space goes on with the one above.
 */
import { DEFAULT_REGISTRY } from '../image/reference.ts';
import { skeletonOf } from './alphabet.ts';
import { IMAGE_NAMES } from './data-images.ts';
import { HOST_NAMES } from './data-hosts.ts';
import { PUBLISHER_NAMES } from './data-publishers.ts';
import { WORD_NAMES } from './data-words.ts';
import { SquatError } from './errors.ts';
import { MOST_KNOWN_NAMES, MOST_NAME_CHARACTERS } from './limits.ts';

export const BUILT_IN_NAMES = [IMAGE_NAMES, PUBLISHER_NAMES, HOST_NAMES, WORD_NAMES].map((text) => text.trim()).join('\n\n');

export interface KnownName {
  readonly name: string;
  /** 1 to 3. */
  readonly weight: number;
}

/** Where a misspelling is looked up. */
interface SetIndex {
  readonly byLength: ReadonlyMap<number, readonly KnownName[]>;
  readonly bySkeleton: ReadonlyMap<string, readonly KnownName[]>;
  readonly byLetters: ReadonlyMap<string, readonly KnownName[]>;
}

/** Names of one kind. What finds misspellings is made when it is first needed: most references are well known, or are of another kind. */
export class NameSet {
  readonly #weights = new Map<string, number>();
  #index: SetIndex | undefined;

  add(name: string, weight: number): void {
    if (this.#weights.has(name)) return;
    this.#weights.set(name, weight);
    this.#index = undefined;
  }

  get #found(): SetIndex {
    if (this.#index !== undefined) return this.#index;
    const [byLength, bySkeleton, byLetters] = [new Map<number, KnownName[]>(), new Map<string, KnownName[]>(), new Map<string, KnownName[]>()];
    for (const [name, weight] of this.#weights) {
      const known = { name, weight };
      pushTo(byLength, name.length, known);
      pushTo(bySkeleton, skeletonOf(name), known);
      pushTo(byLetters, lettersOf(name), known);
    }
    this.#index = { byLength, bySkeleton, byLetters };
    return this.#index;
  }

  has(name: string): boolean {
    return this.#weights.has(name);
  }
  get(name: string): KnownName | undefined {
    const weight = this.#weights.get(name);
    return weight === undefined ? undefined : { name, weight };
  }
  names(): Iterable<string> {
    return this.#weights.keys();
  }
  ofLength(length: number): readonly KnownName[] {
    return this.#found.byLength.get(length) ?? [];
  }
  /** Names that look the same. */
  withSkeleton(skeleton: string): readonly KnownName[] {
    return this.#found.bySkeleton.get(skeleton) ?? [];
  }
  /** Names that are the same without separators. */
  withLetters(letters: string): readonly KnownName[] {
    return this.#found.byLetters.get(letters) ?? [];
  }
}

/** Hosts by what is easily mistaken for them. */
interface HostIndex {
  /** Without the last label: `ghcr` of `ghcr.io`. */
  readonly byStem: ReadonlyMap<string, string>;
  /** With dashes for dots. */
  readonly byDashes: ReadonlyMap<string, string>;
}

function addPair(map: Map<string, string>, text: string, where: string): void {
  const [wrong = '', right = '', ...more] = text.split('=');
  if (wrong === '' || right === '' || more.length > 0) throw new SquatError(`${where}: "${text}" is not WRONG=RIGHT`, 'such as ghrc.io=ghcr.io');
  map.set(wrong, right);
}

function pushTo<Key>(map: Map<Key, KnownName[]>, key: Key, known: KnownName): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [known]);
  else list.push(known);
}

/** Without separators. */
export function lettersOf(name: string): string {
  return name.replace(/[-_.]/g, '');
}

/** A repository that is known, in its parts. */
export interface KnownRepository {
  readonly host: string;
  readonly namespace: string;
  readonly name: string;
  readonly weight: number;
}

const KINDS = ['official', 'publisher', 'repository', 'host', 'suffix', 'mistake', 'alias', 'word', 'tag', 'tagword'] as const;
type Kind = (typeof KINDS)[number];

export class Names {
  readonly official = new NameSet();
  readonly hosts = new NameSet();
  readonly suffixes = new NameSet();
  readonly tags = new NameSet();
  readonly words = new Set<string>();
  readonly tagWords = new Set<string>();
  /** A host that is mistaken, and the one that is meant. */
  readonly mistakes = new Map<string, string>();
  /** A name by which an official image is called elsewhere, and its own. */
  readonly aliases = new Map<string, string>();
  /** Namespaces by host. */
  readonly publishers = new Map<string, NameSet>();
  /** By the last part of the name. */
  readonly repositories = new Map<string, KnownRepository[]>();
  /** By `namespace/name`. */
  readonly paths = new Map<string, KnownRepository[]>();
  #hostIndex: HostIndex | undefined;

  get hostIndex(): HostIndex {
    if (this.#hostIndex !== undefined) return this.#hostIndex;
    const [byStem, byDashes] = [new Map<string, string>(), new Map<string, string>()];
    for (const host of this.hosts.names()) {
      const stem = host.slice(0, host.lastIndexOf('.'));
      if (!byStem.has(stem)) byStem.set(stem, host);
      byDashes.set(host.replaceAll('.', '-'), host);
    }
    this.#hostIndex = { byStem, byDashes };
    return this.#hostIndex;
  }

  /** @throws SquatError that names the line. */
  static parse(text: string, file = 'the names'): Names {
    const names = new Names();
    let kind: Kind | undefined;
    let weight = 1;
    let count = 0;
    for (const [index, raw] of text.split('\n').entries()) {
      const line = raw.trimEnd();
      if (line === '' || line.trimStart().startsWith('#')) continue;
      let rest = line;
      if (!/^\s/.test(line)) {
        const colon = line.indexOf(':');
        const [word = '', number = '1', ...more] = line.slice(0, Math.max(0, colon)).split(' ');
        kind = KINDS.find((known) => known === word);
        if (kind === undefined || !/^[123]$/.test(number) || more.length > 0) throw new SquatError(`${file}: line ${index + 1} begins with no kind of name`, `such as "official 3:"; there are ${KINDS.join(', ')}`);
        weight = Number(number);
        rest = line.slice(colon + 1);
      }
      if (kind === undefined) throw new SquatError(`${file}: line ${index + 1} goes on with nothing`, 'begin with a kind, such as "official 3:"');
      for (const name of rest.split(/\s+/)) {
        if (name === '') continue;
        if (++count > MOST_KNOWN_NAMES) throw new SquatError(`${file}: there are more than ${MOST_KNOWN_NAMES} names`, 'leave some out');
        names.#add(kind, name, weight, `${file}: line ${index + 1}`);
      }
    }
    return names;
  }

  #add(kind: Kind, name: string, weight: number, where: string): void {
    if (name.length > MOST_NAME_CHARACTERS || !/^[a-z0-9._:/=[\]-]+$/.test(name)) throw new SquatError(`${where}: "${name}" is no name`, 'small letters and digits, with . _ - / between');
    if (kind === 'official') this.official.add(name, weight);
    else if (kind === 'host') this.hosts.add(name, weight);
    else if (kind === 'suffix') this.suffixes.add(name, weight);
    else if (kind === 'word') this.words.add(name);
    else if (kind === 'tag') this.tags.add(name, weight);
    else if (kind === 'tagword') this.tagWords.add(name);
    else if (kind === 'mistake') addPair(this.mistakes, name, where);
    else if (kind === 'alias') addPair(this.aliases, name, where);
    else if (kind === 'publisher') this.#addPublisher(name, weight);
    else this.#addRepository(name, weight, where);
  }

  #addPublisher(name: string, weight: number): void {
    const slash = name.indexOf('/');
    this.#publishersOf(slash < 0 ? DEFAULT_REGISTRY : name.slice(0, slash)).add(name.slice(slash + 1), weight);
  }

  #publishersOf(host: string): NameSet {
    const known = this.publishers.get(host);
    if (known !== undefined) return known;
    const made = new NameSet();
    this.publishers.set(host, made);
    return made;
  }

  #addRepository(text: string, weight: number, where: string): void {
    const [host = '', ...path] = text.split('/');
    const name = path.pop();
    if (name === undefined || name === '' || !/[.:]/.test(host)) throw new SquatError(`${where}: "${text}" is no whole name of a repository`, 'such as docker.io/prom/prometheus');
    const namespace = path.join('/');
    const known = { host, namespace, name, weight };
    pushRepository(this.repositories, name, known);
    pushRepository(this.paths, namespace === '' ? name : `${namespace}/${name}`, known);
    if (namespace !== '') this.#publishersOf(host).add(namespace, weight);
  }
}

function pushRepository(map: Map<string, KnownRepository[]>, key: string, known: KnownRepository): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [known]);
  else list.push(known);
}

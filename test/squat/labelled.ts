/** The labelled set: slips made by rule from what is popular, known impostors, and names that are meant as they stand. */
import { readFileSync } from 'node:fs';
import type { Names } from '../../src/squat/names.ts';

export interface Labelled {
  readonly text: string;
  /** What is meant; undefined: itself. */
  readonly meant: string | undefined;
  readonly kind: string;
}

function lines(name: string): readonly string[] {
  return readFileSync(new URL(name, import.meta.url), 'utf8').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** A generator of our own (mulberry32), so that each run has the same set. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One edit of each kind, by the definition of each and by nothing of src/squat. */
const SLIPS: Readonly<Record<string, (word: string, random: (below: number) => number) => string>> = {
  omission: (word, random) => {
    const at = random(word.length);
    return word.slice(0, at) + word.slice(at + 1);
  },
  repetition: (word, random) => {
    const at = random(word.length);
    return word.slice(0, at + 1) + word.slice(at);
  },
  transposition: (word, random) => {
    const at = random(word.length - 1);
    return word.slice(0, at) + (word[at + 1] ?? '') + (word[at] ?? '') + word.slice(at + 2);
  },
  replacement: (word, random) => {
    const at = random(word.length);
    return word.slice(0, at) + (LETTERS[random(26)] ?? '') + word.slice(at + 1);
  },
  addition: (word, random) => {
    const at = random(word.length + 1);
    return word.slice(0, at) + (LETTERS[random(26)] ?? '') + word.slice(at);
  },
};

const LEAST_LETTERS = 5;

/** Slips of a popular name that are no other known name, and well formed. */
function slipsOf(word: string, each: number, random: (below: number) => number, isTaken: (text: string) => boolean): readonly (readonly [kind: string, text: string])[] {
  const found = new Map<string, string>();
  for (const [kind, slip] of Object.entries(SLIPS)) {
    for (let made = 0, tries = 0; made < each && tries < 50; tries++) {
      const text = slip(word, random);
      if (text === word || found.has(text) || isTaken(text) || !/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(text)) continue;
      found.set(text, kind);
      made++;
    }
  }
  return [...found].map(([text, kind]) => [kind, text]);
}

/** One-edit misspellings of official images, publishers and hosts that are popular (weight 2 and 3) and have five letters and more. */
export function misspellings(names: Names): readonly Labelled[] {
  const random = randomOf(7);
  const all: Labelled[] = [];
  for (const name of names.official.names()) {
    if (name.length < LEAST_LETTERS || (names.official.get(name)?.weight ?? 0) < 2) continue;
    for (const [kind, text] of slipsOf(name, 3, random, (taken) => names.official.has(taken))) all.push({ text, meant: name, kind: `image ${kind}` });
  }
  const publishers = names.publishers.get('docker.io');
  for (const name of publishers?.names() ?? []) {
    if (name.length < LEAST_LETTERS || name === 'library' || (publishers?.get(name)?.weight ?? 0) < 3) continue;
    for (const [kind, text] of slipsOf(name, 2, random, (taken) => publishers?.has(taken) === true)) all.push({ text: `${text}/anything`, meant: `${name}/anything`, kind: `publisher ${kind}` });
  }
  for (const name of names.hosts.names()) {
    if (name === 'docker.io' || (names.hosts.get(name)?.weight ?? 0) < 2) continue;
    const taken = (text: string): boolean => names.hosts.has(text) || !text.includes('.') || [...names.suffixes.names()].some((suffix) => text.endsWith(`.${suffix}`));
    for (const [kind, text] of slipsOf(name, 2, random, taken)) all.push({ text: `${text}/acme/app`, meant: `${name}/acme/app`, kind: `host ${kind}` });
  }
  // A text that is one slip away from two names is the first one's.
  return [...new Map(all.reverse().map((labelled) => [labelled.text, labelled])).values()].reverse();
}

export function impostors(): readonly Labelled[] {
  return lines('impostors.txt').map((line) => {
    const [text = '', meant = ''] = line.split(' ');
    return { text, meant, kind: 'known' };
  });
}

/** All official images, by themselves and as copies elsewhere, and the file's. */
export function legitimate(names: Names): readonly Labelled[] {
  const official = [...names.official.names()];
  const texts = [...official, ...official.flatMap((name) => [`docker.io/library/${name}`, `registry.example.com/mirror/${name}`, `acme/${name}`]), ...lines('legitimate.txt').flatMap((line) => line.trim().split(/\s+/))];
  return [...new Set(texts)].map((text) => ({ text, meant: undefined, kind: 'legitimate' }));
}

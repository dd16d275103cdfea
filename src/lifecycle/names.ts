/** Names and ids of containers. */
import { MOST_NAME_LENGTH } from './limits.ts';
import { LifecycleError } from './errors.ts';

/** Of containers and volumes. */
export const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** A whole id. */
export const ID = /^[0-9a-f]{64}$/;
const SHORT_ID = 12;

const QUALITIES = [
  'bold', 'brave', 'bright', 'calm', 'clever', 'cool', 'eager', 'earnest', 'fair', 'fond', 'frank', 'gentle', 'glad', 'happy', 'honest', 'jolly', 'keen', 'kind', 'lucid', 'merry',
  'modest', 'neat', 'nice', 'noble', 'patient', 'proud', 'quick', 'quiet', 'rapid', 'ready', 'serene', 'sharp', 'steady', 'sunny', 'swift', 'tidy', 'upbeat', 'vivid', 'warm', 'wise',
] as const;
/** People of engineering and of computing. */
const PEOPLE = [
  'archimedes', 'babbage', 'bardeen', 'bell', 'boole', 'brunel', 'cerf', 'clarke', 'curie', 'darwin', 'diesel', 'dijkstra', 'eiffel', 'euler', 'faraday', 'fermat', 'floyd', 'gauss', 'goedel', 'hamilton',
  'hopper', 'johnson', 'kepler', 'knuth', 'lamport', 'liskov', 'lovelace', 'mccarthy', 'meitner', 'napier', 'newton', 'noether', 'pascal', 'perlman', 'ritchie', 'shannon', 'stallman', 'thompson', 'turing', 'wozniak',
] as const;

/** As long names as Docker's, so that a glance tells containers apart: 1,600 of them; with `digits`, ten thousand times as many. */
export function randomName(random: (buffer: Uint8Array) => void, withDigits: boolean): string {
  const bytes = new Uint8Array(4);
  random(bytes);
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes;
  const digits = withDigits ? String((third * 256 + fourth) % 10_000) : '';
  return `${QUALITIES[first % QUALITIES.length]}_${PEOPLE[second % PEOPLE.length]}${digits}`;
}

export function randomId(random: (buffer: Uint8Array) => void): string {
  const bytes = new Uint8Array(32);
  random(bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The first digits, as they are shown. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_ID);
}

/** Without the slash that Docker puts before names. @throws LifecycleError for what is no name. Text as Docker's. */
export function checkName(text: string): string {
  const name = text.replace(/^\//, '');
  if (!NAME.test(name)) throw new LifecycleError(`Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`, 'names have two characters at least');
  if (name.length > MOST_NAME_LENGTH) throw new LifecycleError(`Invalid container name (${name.slice(0, 40)}...): it has more than ${MOST_NAME_LENGTH} characters`, 'take a shorter one');
  return name;
}

/** @throws LifecycleError in Docker's words for what is no name of a volume. */
export function checkVolumeName(name: string): string {
  if (name.length === 1) throw new LifecycleError(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`, 'take a longer one');
  if (!NAME.test(name)) throw new LifecycleError(`create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`, 'if you intended to pass a host directory, use an absolute path');
  if (name.length > MOST_NAME_LENGTH) throw new LifecycleError(`create ${name.slice(0, 40)}...: the name has more than ${MOST_NAME_LENGTH} characters`, 'take a shorter one');
  return name;
}

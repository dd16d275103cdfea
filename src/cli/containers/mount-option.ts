/** `--mount`, as Docker writes it: `type=bind,source=/a,target=/b,readonly`. */
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import { guestPath, hostPath, need } from '../option-values.ts';
import { parseSize } from '../quantities.ts';
import type { WantedMount } from '../volumes/volume-option.ts';

const KEYS: ReadonlyMap<string, string> = new Map([
  ['type', 'type'], ['source', 'source'], ['src', 'source'], ['target', 'target'], ['dst', 'target'], ['destination', 'target'], ['readonly', 'readonly'], ['ro', 'readonly'], ['tmpfs-size', 'tmpfs-size'], ['volume-nocopy', 'volume-nocopy'],
]);

function readKeys(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(',').map((field) => {
    const equals = field.indexOf('=');
    const word = equals < 0 ? field : field.slice(0, equals);
    const key = KEYS.get(word);
    if (key !== undefined) return [key, equals < 0 ? 'true' : field.slice(equals + 1)];
    const guess = nearest(word, [...KEYS.keys()]);
    throw new UserError(`cannot use --mount ${text}: there is no key "${word}"`, guess === undefined ? `there are ${[...KEYS.keys()].join(', ')}` : `did you mean ${guess}?`);
  }));
}

const TRUE = ['true', '1'];

/** @throws UserError */
export function parseMount(text: string): WantedMount {
  const keys = readKeys(text);
  const type = keys.get('type') ?? 'volume';
  const target = keys.get('target');
  if (target === undefined || !target.startsWith('/')) throw new UserError(`cannot use --mount ${text}: target= is missing, or not absolute`, 'such as type=bind,source=/data,target=/data');
  const size = keys.get('tmpfs-size');
  const inside = guestPath(target);
  const source = keys.get('source');
  const writable = !TRUE.includes(keys.get('readonly') ?? 'false');
  if (type === 'tmpfs') {
    const sizeBytes = size === undefined ? undefined : need(parseSize(size), 'mount', text, 'its size is not a number with k, m or g');
    return { kind: 'mount', mount: { kind: 'tmpfs', destination: inside, ...(sizeBytes === undefined ? {} : { sizeBytes }) } };
  }
  if (type === 'volume') return { kind: 'volume', volume: { name: source === '' ? undefined : source, destination: inside, writable, copies: !TRUE.includes(keys.get('volume-nocopy') ?? 'false') } };
  if (type !== 'bind') throw new UserError(`cannot use --mount ${text}: there are no mounts of type ${type}`, 'use type=bind, type=volume or type=tmpfs');
  if (source === undefined || source === '') throw new UserError(`cannot use --mount ${text}: source= is missing`, 'such as type=bind,source=/data,target=/data');
  return { kind: 'mount', mount: { kind: 'bind', source: hostPath('mount', source), destination: inside, writable } };
}

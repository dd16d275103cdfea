/** Checks values against their shapes and brings them into their long form. */
import { nearest } from '../image/nearest.ts';
import { ComposeError } from './errors.ts';
import { MOST_ITEMS } from './limits.ts';
import { resolvePath } from './paths.ts';
import { sizeOf, timeOf, timeText } from './quantities.ts';
import { isList, isObject } from './shape.ts';
import type { Json, JsonObject, ListShape, MappingShape, ObjectShape, Scalar, Shape } from './shape.ts';

/** What relative paths are relative to, and what `~` is. */
export interface Place {
  readonly directory: string;
  readonly home: string | undefined;
}

/** Of names that are shown, or compared. */
const MOST_NAME = 100;
/** As YAML 1.1, which people know from Compose. */
const TRUE = ['true', 'True', 'TRUE', '1', 't', 'y', 'yes', 'on'];
const FALSE = ['false', 'False', 'FALSE', '0', 'f', 'n', 'no', 'off'];
const KINDS: Readonly<Record<Exclude<Scalar['is'], 'any'>, string>> = {
  text: 'a text', loose: 'a text or a number', integer: 'a whole number', number: 'a number', flag: 'true or false', size: 'a size such as 512m', time: 'a time such as 1m30s',
};

function shown(value: Json): string {
  return isList(value) ? 'a list' : isObject(value) ? 'a mapping' : JSON.stringify(value).slice(0, 80);
}

function wrong(where: string, wanted: string, value: Json): ComposeError {
  return new ComposeError(`${where} must be ${wanted}, and is ${shown(value)}`, 'see the Compose specification');
}

function scalar(shape: Scalar, value: Json, where: string, place: Place): Json {
  if (shape.is === 'any') return value;
  const made = isList(value) || isObject(value) ? undefined : converted(shape.is, value);
  if (made === undefined) throw wrong(where, KINDS[shape.is], value);
  if (typeof made === 'string' && made.includes('\0')) throw wrong(where, 'a text without NUL', '\0');
  if (shape.oneOf !== undefined && !shape.oneOf.includes(String(made))) {
    const guess = String(made).length > MOST_NAME ? undefined : nearest(String(made), shape.oneOf);
    throw new ComposeError(`${where} cannot be "${String(made).slice(0, MOST_NAME)}"`, guess === undefined ? `it is one of ${shape.oneOf.join(', ')}` : `did you mean "${guess}"?`);
  }
  return shape.path === undefined || typeof made !== 'string' || shape.path.unless?.test(made) === true ? made : resolvePath(place.directory, made, place.home);
}

function converted(kind: Exclude<Scalar['is'], 'any'>, value: Json): string | number | boolean | undefined {
  const written = String(value);
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? value : undefined;
    case 'loose':
      return written;
    case 'flag':
      return typeof value === 'boolean' ? value : typeof value === 'string' && TRUE.includes(value) ? true : typeof value === 'string' && FALSE.includes(value) ? false : undefined;
    case 'integer':
      return typeof value !== 'boolean' && /^[+-]?\d{1,15}$/.test(written) ? Number(written) : undefined;
    case 'number':
      return typeof value !== 'boolean' && /^\d{1,15}(?:\.\d+)?$/.test(written) ? Number(written) : undefined;
    case 'size': {
      const bytes = typeof value === 'boolean' ? undefined : sizeOf(written);
      return bytes === undefined ? undefined : String(bytes);
    }
    case 'time': {
      const milliseconds = typeof value === 'string' ? timeOf(value) : undefined;
      return milliseconds === undefined ? undefined : timeText(milliseconds);
    }
  }
}

function list(shape: ListShape, value: Json, where: string, place: Place): Json {
  if (!isList(value)) throw wrong(where, 'a list', value);
  if (value.length > MOST_ITEMS) throw new ComposeError(`${where} has more than ${MOST_ITEMS} entries`, 'that is no setting of a container');
  const items = value.map((item, index) => canonical(shape.of, item, `${where}.${index}`, place));
  if (shape.key === undefined) return items;
  // The last one of a key counts, in the place of the first.
  const byKey = new Map<string, Json>();
  for (const item of items) byKey.set(shape.key(item), item);
  return [...byKey.values()];
}

function mapping(shape: MappingShape, value: Json, where: string, place: Place): Json {
  if (!isObject(value)) throw wrong(where, 'a mapping', value);
  const entries = Object.entries(value);
  if (entries.length > MOST_ITEMS) throw new ComposeError(`${where} has more than ${MOST_ITEMS} entries`, 'that is no setting of a container');
  return Object.fromEntries(entries.map(([name, item]) => {
    if (name === '' || shape.names?.test(name) === false) throw new ComposeError(`${where}: "${name}" is no name`, 'names are letters, digits, . _ and -');
    if (item === null) return [name, shape.of.is === 'object' ? canonical(shape.of, {}, `${where}.${name}`, place) : null];
    return [name, canonical(shape.of, item, `${where}.${name}`, place)];
  }));
}

/** Extensions: anybody's, and kept. */
export function isExtension(name: string): boolean {
  return name.startsWith('x-');
}

function object({ fields, required = [], pathIn }: ObjectShape, value: Json, where: string, place: Place): Json {
  if (!isObject(value)) throw wrong(where === '' ? 'a Compose file' : where, 'a mapping', value);
  const prefix = where === '' ? '' : `${where}.`;
  const known = new Map<string, Json>();
  for (const [name, item] of Object.entries(value)) {
    const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (shape === undefined && !isExtension(name)) {
      const guess = name.length > MOST_NAME ? undefined : nearest(name, Object.keys(fields));
      throw new ComposeError(`${where === '' ? '' : `${where}: `}there is no "${name.slice(0, MOST_NAME)}" in the Compose specification${where === '' ? ' at the top' : ''}`, guess === undefined ? 'take it out, or begin its name with x-' : `did you mean "${guess}"?`);
    }
    if (shape === undefined) known.set(name, item);
    else if (item !== null) known.set(name, canonical(shape, item, `${prefix}${name}`, place));
  }
  const missing = required.find((name) => !known.has(name));
  if (missing !== undefined) throw new ComposeError(`${where}: "${missing}" is missing`, 'see the Compose specification');
  const made = Object.fromEntries(known);
  const path = pathIn === undefined ? undefined : made[pathIn.field];
  return pathIn !== undefined && typeof path === 'string' && pathIn.when(made) ? { ...made, [pathIn.field]: resolvePath(place.directory, path, place.home) } : made;
}

/** The long form of a value. `where`: its place, for messages. @throws ComposeError */
export function canonical(shape: Shape, given: Json, where: string, place: Place): Json {
  const value = shape.short === undefined ? given : shape.short(given, where);
  switch (shape.is) {
    case 'list':
      return list(shape, value, where, place);
    case 'mapping':
      return mapping(shape, value, where, place);
    case 'object':
      return object(shape, value, where, place);
    default:
      return scalar(shape, value, where, place);
  }
}

/** The same of an object. */
export function canonicalObject(shape: ObjectShape | MappingShape, given: Json, where: string, place: Place): JsonObject {
  return canonical(shape, given, where, place) as JsonObject;
}

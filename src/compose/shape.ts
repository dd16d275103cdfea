/**
 * What may stand where in a Compose file, as data: a value is checked, brought into its long form, and merged with another one by the same description.
 * The tables are in `service-shape.ts` and `project-shape.ts`.
 */
import type { Json, JsonObject } from '../image/index.ts';

export type { Json, JsonObject };

interface Common {
  /** Makes the long form of a short one; what it does not know it answers as it is. @throws ComposeError */
  readonly short?: (value: Json, where: string) => Json;
  /** Taken, and without effect here: why. */
  readonly ignored?: string;
  /** It would mean something that is not to be had here: why. */
  readonly refused?: string;
  /** Values of which nothing is said. */
  readonly harmless?: (value: Json) => boolean;
}

export type Scalar = Common & {
  /** `loose`: numbers and truth values are texts, too. `size` and `time` become texts of one form. */
  readonly is: 'text' | 'loose' | 'integer' | 'number' | 'flag' | 'size' | 'time' | 'any';
  /** A path of this machine, relative to the project's directory; `unless` it is something else. */
  readonly path?: { readonly unless?: RegExp };
  readonly oneOf?: readonly string[];
};
export type ListShape = Common & {
  readonly is: 'list';
  readonly of: Shape;
  /** Of entries with the same key the later one counts. */
  readonly key?: (item: Json) => string;
  /** The later file's list is taken as it is. */
  readonly replaces?: boolean;
};
export type MappingShape = Common & { readonly is: 'mapping'; readonly of: Shape; readonly names?: RegExp };
export type ObjectShape = Common & {
  readonly is: 'object';
  readonly fields: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  /** Where this field differs, the later file's object is taken as it is. */
  readonly oneWith?: string;
  /** If this is so, this field is a path of this machine. */
  readonly pathIn?: { readonly field: string; when(value: JsonObject): boolean };
};
export type Shape = Scalar | ListShape | MappingShape | ObjectShape;

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export const text: Scalar = { is: 'text' };
export const loose: Scalar = { is: 'loose' };
export const integer: Scalar = { is: 'integer' };
export const number: Scalar = { is: 'number' };
export const flag: Scalar = { is: 'flag' };
export const size: Scalar = { is: 'size' };
export const time: Scalar = { is: 'time' };
export const anything: Scalar = { is: 'any' };

export function oneOf(...words: readonly string[]): Scalar {
  return { is: 'text', oneOf: words };
}

export function list(of: Shape, key?: (item: Json) => string): ListShape {
  return { is: 'list', of, ...(key === undefined ? {} : { key }) };
}

/** A list that may be one text. */
export function texts(): ListShape {
  return { is: 'list', of: loose, key: String, short: (value) => (typeof value === 'string' ? [value] : value) };
}

export function mapping(of: Shape, names?: RegExp): MappingShape {
  return { is: 'mapping', of, ...(names === undefined ? {} : { names }) };
}

export function object(fields: Readonly<Record<string, Shape>>, ...required: readonly string[]): ObjectShape {
  return { is: 'object', fields, required };
}

/** A mapping that may be written as a list of `KEY=VALUE`. `bare`: the value of `KEY` alone. */
export function pairs(bare: string | null): MappingShape {
  return {
    is: 'mapping', of: loose,
    short: (value) => {
      if (!isList(value)) return value;
      return Object.fromEntries(value.map((item) => {
        const entry = String(item);
        const equals = entry.indexOf('=');
        return equals < 0 ? [entry, bare] : [entry.slice(0, equals), entry.slice(equals + 1)];
      }));
    },
  };
}

/** A mapping that may be written as a list of its keys. */
export function named(of: Shape, empty: Json): MappingShape {
  return { is: 'mapping', of, short: (value) => (isList(value) ? Object.fromEntries(value.map((name) => [String(name), empty])) : value) };
}

export function ignored<Kind extends Shape>(shape: Kind, why: string, harmless?: (value: Json) => boolean): Kind {
  return { ...shape, ignored: why, ...(harmless === undefined ? {} : { harmless }) };
}

export function refused<Kind extends Shape>(shape: Kind, why: string, harmless?: (value: Json) => boolean): Kind {
  return { ...shape, refused: why, ...(harmless === undefined ? {} : { harmless }) };
}

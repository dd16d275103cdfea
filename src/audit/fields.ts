/** Fields of documents that are not trusted, by the type that they should have; another type is as if the field were absent. */
import { isObject } from '../image/index.ts';
import type { Json, JsonObject } from '../image/index.ts';

const NOTHING: JsonObject = {};

export function field(object: Json | undefined, name: string): Json | undefined {
  return isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The first of several names. */
export function fieldAt(object: Json | undefined, ...names: readonly string[]): Json | undefined {
  return names.reduce<Json | undefined>((value, name) => field(value, name), object);
}

export function objectAt(object: Json | undefined, ...names: readonly string[]): JsonObject {
  const value = fieldAt(object, ...names);
  return isObject(value) ? value : NOTHING;
}

export function listAt(object: Json | undefined, ...names: readonly string[]): readonly Json[] {
  const value = fieldAt(object, ...names);
  return Array.isArray(value) ? value : [];
}

/** Numbers and booleans as people write them in YAML are texts as well. */
export function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

export function textAt(object: Json | undefined, ...names: readonly string[]): string {
  return asText(fieldAt(object, ...names));
}

export function textsAt(object: Json | undefined, ...names: readonly string[]): readonly string[] {
  return listAt(object, ...names).map(asText).filter((text) => text !== '');
}

/** YAML 1.1, which Kubernetes reads, has `yes` and `on` as well. */
export function isYes(value: Json | undefined): boolean {
  return value === true || (typeof value === 'string' && /^(?:true|yes|on|y|1|t)$/i.test(value));
}

export function numberAt(object: Json | undefined, ...names: readonly string[]): number | undefined {
  const value = fieldAt(object, ...names);
  return typeof value === 'number' ? value : typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** A mapping of names to texts, or a list of `NAME=VALUE`. */
export function pairsAt(object: Json | undefined, ...names: readonly string[]): ReadonlyMap<string, string> {
  const value = fieldAt(object, ...names);
  if (isObject(value)) return new Map(Object.entries(value).map(([name, item]) => [name, asText(item)]));
  if (!Array.isArray(value)) return new Map();
  return new Map(value.map(asText).filter((text) => text !== '').map((text) => {
    const equals = text.indexOf('=');
    return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  }));
}

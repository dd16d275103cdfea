/** Two values in their long form become one (compose-spec 13-merge.md). */
import { isList, isObject } from './shape.ts';
import type { Json, JsonObject, ListShape, Shape } from './shape.ts';

/** An entry with the key of an earlier one takes its place, as in Docker Compose. */
function mergeLists(shape: ListShape, base: readonly Json[], over: readonly Json[]): readonly Json[] {
  if (shape.replaces === true) return over;
  const { key } = shape;
  if (key === undefined) return [...base, ...over];
  const byKey = new Map(base.map((item) => [key(item), item]));
  for (const item of over) byKey.set(key(item), item);
  return [...byKey.values()];
}

function mergeObjects(base: JsonObject, over: JsonObject, shapeOf: (name: string) => Shape | undefined): JsonObject {
  const merged = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(over)) {
    const before = merged.get(name);
    merged.set(name, before === undefined || before === null || value === null ? value : merge(shapeOf(name), before, value));
  }
  return Object.fromEntries(merged);
}

/** `over` comes from the later file. Undefined shape: an extension, of which nothing is known. */
export function merge(shape: Shape | undefined, base: Json, over: Json): Json {
  if (shape?.is === 'object' && shape.oneWith !== undefined && isObject(base) && isObject(over)) {
    const [before, after] = [base[shape.oneWith], over[shape.oneWith]];
    if (after !== undefined && before !== after) return over;
  }
  if (isObject(base) && isObject(over)) return mergeObjects(base, over, (name) => (shape?.is === 'mapping' ? shape.of : shape?.is === 'object' ? (Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined) : undefined));
  if (isList(base) && isList(over)) return shape?.is === 'list' ? mergeLists(shape, base, over) : [...base, ...over];
  return over;
}

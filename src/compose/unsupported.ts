/** What a file says and is not done here, by name: nothing is left out in silence. */
import type { Note } from './model.ts';
import { isList, isObject } from './shape.ts';
import type { Json, Shape } from './shape.ts';

/** Of a value in its long form. */
export function unsupported(shape: Shape, value: Json, where: string): readonly Note[] {
  const isSaid = shape.harmless?.(value) !== true;
  if (shape.refused !== undefined && isSaid) return [{ text: `${where} cannot be had: ${shape.refused}`, isRefused: true }];
  if (shape.ignored !== undefined && isSaid) return [{ text: `${where} has no effect: ${shape.ignored}`, isRefused: false }];
  if (shape.is === 'list' && isList(value)) return value.flatMap((item, index) => unsupported(shape.of, item, `${where}.${index}`));
  if (shape.is === 'mapping' && isObject(value)) return Object.entries(value).flatMap(([name, item]) => (item === null ? [] : unsupported(shape.of, item, `${where}.${name}`)));
  if (shape.is !== 'object' || !isObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) => {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    return field === undefined || item === null ? [] : unsupported(field, item, where === '' ? name : `${where}.${name}`);
  });
}

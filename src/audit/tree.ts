/** Documents of JSON and YAML that can be read as plain values and changed in place, so that what nobody asked to change keeps its order, its comments and its form. */
import type { Json } from '../image/index.ts';
import { AuditInputError } from './errors.ts';
import { MOST_NESTING } from './limits.ts';

/** The first key is the number of the document in its file. */
export type Path = readonly (string | number)[];

export interface Tree {
  /** A value for each document of the file. */
  readonly documents: readonly Json[];
  set(path: Path, value: Json): void;
  remove(path: Path): void;
  /** Line of the value, from 1 on. */
  lineOf(path: Path): number | undefined;
  text(): string;
}

type Mutable = { [key: string]: Json } | Json[];

export function valueAt(documents: readonly Json[], path: Path): Json | undefined {
  let value: Json | undefined = documents as Json;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
  }
  return value;
}

function define(parent: Mutable, key: string | number, value: Json): void {
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Sets a value in plain documents; containers that are missing are made. */
export function setPlain(documents: Json[], path: Path, value: Json): void {
  let parent: Mutable = documents;
  for (const [index, key] of path.slice(0, -1).entries()) {
    let next: Json | undefined = Object.hasOwn(parent, key) ? (parent as { [key: string]: Json })[key] : undefined;
    if (typeof next !== 'object' || next === null) {
      next = typeof path[index + 1] === 'number' ? [] : {};
      define(parent, key, next);
    }
    parent = next as Mutable;
  }
  define(parent, path.at(-1) ?? 0, value);
}

export function removePlain(documents: Json[], path: Path): void {
  const parent = valueAt(documents, path.slice(0, -1));
  const key = path.at(-1) ?? '';
  if (Array.isArray(parent)) (parent as Json[]).splice(Number(key), 1);
  else if (typeof parent === 'object' && parent !== null) delete (parent as { [key: string]: Json })[key];
}

/** Characters of a JSON text decide how deep it goes, before anything is built. */
function checkNesting(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
    } else if (character === 0x7b || character === 0x5b) {
      if (++depth > MOST_NESTING) throw new AuditInputError(`cannot read the JSON: it is nested deeper than ${MOST_NESTING} levels`, 'it is no configuration of a container');
    } else if (character === 0x7d || character === 0x5d) depth--;
  }
}

class JsonTree implements Tree {
  readonly documents: Json[];
  readonly #indentation: string | number;
  readonly #end: string;

  constructor(text: string) {
    this.documents = [JSON.parse(text) as Json];
    this.#indentation = /^[[{]\s*\n([ \t]+)/.exec(text.trimStart())?.[1] ?? 0;
    this.#end = text.endsWith('\n') ? '\n' : '';
  }
  set(path: Path, value: Json): void {
    setPlain(this.documents, path, value);
  }
  remove(path: Path): void {
    removePlain(this.documents, path);
  }
  lineOf(): number | undefined {
    return undefined;
  }
  text(): string {
    return `${JSON.stringify(this.documents[0], undefined, this.#indentation)}${this.#end}`;
  }
}

/** @throws AuditInputError */
export function readJson(text: string): Tree {
  checkNesting(text);
  try {
    return new JsonTree(text);
  } catch (error) {
    throw new AuditInputError(`cannot read the JSON: ${(error as Error).message.split('\n')[0]?.slice(0, 120) ?? ''}`, 'it is cut short, or something else', { cause: error });
  }
}

/** Takes the entries of a list away of which `isGone` is true. */
export function removeWhere(tree: Tree, path: Path, isGone: (value: Json) => boolean): void {
  const list = valueAt(tree.documents, path);
  if (!Array.isArray(list)) return;
  for (let index = list.length - 1; index >= 0; index--) if (isGone((list as readonly Json[])[index] ?? null)) tree.remove([...path, index]);
}

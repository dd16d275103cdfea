/** Compose files to one document in its long form: variables, `extends`, several files, `include`. */
import { Scalar } from 'yaml';
import { YamlError, ValueReader, parseDocuments } from '../yaml/index.ts';
import { canonical, canonicalObject } from './canonical.ts';
import type { Place } from './canonical.ts';
import { readEnvironmentFile } from './environment-file.ts';
import { ComposeError } from './errors.ts';
import { interpolate } from './interpolate.ts';
import { MOST_DEPTH, MOST_FILES, MOST_FILE_BYTES, MOST_TAGS } from './limits.ts';
import { merge } from './merge.ts';
import { directoryOf, resolvePath } from './paths.ts';
import { INCLUDES, PROJECT } from './project-shape.ts';
import { SERVICE } from './service-shape.ts';
import { isList, isObject } from './shape.ts';
import type { Json, JsonObject } from './shape.ts';

type Path = readonly (string | number)[];

export interface LoadEnvironment {
  /** The text of a file; undefined: there is none. @throws ComposeError where it cannot be read */
  read(path: string): string | undefined;
  readonly home: string | undefined;
  /** A line for people. */
  warn(text: string): void;
}

/** What `!reset` and `!override` are about: what is there before goes. */
interface Layer {
  readonly value: JsonObject;
  readonly cleared: readonly Path[];
}

interface Include {
  readonly path: readonly string[];
  readonly env_file?: readonly string[];
  readonly project_directory?: string;
}

/** Octal numbers of YAML 1.1, in which people write modes. */
function ownScalar(node: Scalar): Json | undefined {
  return node.type === Scalar.PLAIN && typeof node.value === 'number' && /^0[0-7]+$/.test(node.source ?? '') ? Number.parseInt(node.source ?? '', 8) : undefined;
}

/** Without what is at the path. Entries of lists stay: what they are called may differ. */
function without(value: Json, [key, ...rest]: Path): Json {
  if (typeof key !== 'string' || !isObject(value) || !Object.hasOwn(value, key)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, item]) => (name !== key ? [[name, item]] : rest.length === 0 ? [] : [[name, without(item, rest)]])));
}

export class Loader {
  readonly #environment: LoadEnvironment;
  readonly #unset = new Set<string>();
  readonly #files: string[] = [];

  constructor(environment: LoadEnvironment) {
    this.#environment = environment;
  }

  /** All that were read. */
  get files(): readonly string[] {
    return [...new Set(this.#files)];
  }

  /** Several files as one. `paths` are absolute; `lookUp`: a variable. @throws ComposeError */
  load(paths: readonly string[], place: Place, lookUp: (name: string) => string | undefined, depth = 0): JsonObject {
    if (depth > MOST_DEPTH) throw new ComposeError(`includes go deeper than ${MOST_DEPTH} levels`, 'does one include itself?');
    const includes: { readonly include: Include; readonly directory: string }[] = [];
    let model: JsonObject = {};
    for (const path of paths) {
      for (const layer of this.#layers(path, lookUp)) {
        const { include, ...rest } = layer.value;
        const directory = place.directory;
        if (include !== undefined && include !== null) {
          for (const one of canonical(INCLUDES, include, 'include', place) as unknown as readonly Include[]) includes.push({ include: one, directory });
        }
        const own = this.#extended(canonicalObject(PROJECT, rest, '', place), layer.cleared, path, lookUp);
        const base = layer.cleared.reduce((value: Json, cleared) => without(value, cleared), model);
        model = merge(PROJECT, base, own) as JsonObject;
      }
    }
    return includes.reduce((all, { include, directory }) => this.#with(all, include, directory, lookUp, depth), model);
  }

  #read(path: string): string {
    if (this.#files.push(path) > MOST_FILES) throw new ComposeError(`the project has more than ${MOST_FILES} files`, 'does one include itself?');
    const text = this.#environment.read(path);
    if (text === undefined) throw new ComposeError(`cannot read "${path}": no such file`, 'check -f, include and extends');
    if (text.length > MOST_FILE_BYTES) throw new ComposeError(`cannot read "${path}": it is longer than ${MOST_FILE_BYTES >> 20} MiB`, 'is it a Compose file?');
    return text;
  }

  /** Each document of a file, its variables put in. */
  #layers(path: string, lookUp: (name: string) => string | undefined): readonly Layer[] {
    const text = this.#read(path);
    try {
      const { documents } = parseDocuments(text);
      const cleared: { readonly tag: string; readonly path: Path }[] = [];
      const reader = new ValueReader({ scalar: ownScalar, tagged: (tag, at) => cleared.push({ tag, path: at }) });
      return documents.map((document) => {
        cleared.length = 0;
        const written = reader.read(document) ?? {};
        if (!isObject(written)) throw new ComposeError(`"${path}" is no Compose file: it is no mapping`, 'it begins with "services:"');
        const known = cleared.filter(({ tag }) => tag === '!reset' || tag === '!override');
        if (known.length > MOST_TAGS) throw new ComposeError(`cannot read "${path}": it has more than ${MOST_TAGS} uses of !reset and !override`, 'write the file anew');
        const value = known.filter(({ tag }) => tag === '!reset').reduce((all: Json, reset) => without(all, reset.path), written);
        return { value: this.#interpolated(value, '', lookUp) as JsonObject, cleared: known.map((one) => one.path) };
      });
    } catch (error) {
      if (error instanceof YamlError) throw new ComposeError(`cannot read "${path}": ${error.message.replace('cannot read the YAML: ', '')}`, error.advice, { cause: error });
      throw error;
    }
  }

  #interpolated(value: Json, where: string, lookUp: (name: string) => string | undefined): Json {
    if (typeof value === 'string') {
      return interpolate(value, {
        get: lookUp,
        unset: (name) => {
          if (!this.#unset.has(name)) this.#environment.warn(`The "${name}" variable is not set. Defaulting to a blank string.`);
          this.#unset.add(name);
        },
      }, where);
    }
    const below = (key: string | number): string => (where === '' ? String(key) : `${where}.${key}`);
    if (isList(value)) return value.map((item, index) => this.#interpolated(item, below(index), lookUp));
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#interpolated(item, below(key), lookUp)])) : value;
  }

  /** With what its services take from others. */
  #extended(model: JsonObject, cleared: readonly Path[], path: string, lookUp: (name: string) => string | undefined): JsonObject {
    const { services } = model;
    if (!isObject(services)) return model;
    const names = Object.keys(services).filter((name) => isObject(services[name]) && Object.hasOwn(services[name], 'extends'));
    if (names.length === 0) return model;
    return { ...model, services: { ...services, ...Object.fromEntries(names.map((name) => [name, this.#extendedService(services, name, { path, cleared, lookUp, seen: [] })])) } };
  }

  #extendedService(services: JsonObject, name: string, from: { readonly path: string; readonly cleared: readonly Path[]; readonly lookUp: (name: string) => string | undefined; readonly seen: readonly string[] }): JsonObject {
    const { path, cleared, lookUp, seen } = from;
    const here = `${path}:${name}`;
    if (seen.includes(here) || seen.length > MOST_DEPTH) throw new ComposeError(`circular reference: service "${name}" in "${path}" extends itself`, 'take one "extends" out');
    const service = Object.hasOwn(services, name) ? services[name] : undefined;
    if (!isObject(service)) throw new ComposeError(`cannot extend service "${name}" in "${path}": there is none`, 'check "extends"');
    const { extends: reference, ...own } = service;
    if (!isObject(reference)) return service;
    const [target, file] = [String(reference['service']), reference['file']];
    const base = typeof file === 'string' ? this.#serviceOf(resolvePath(directoryOf(path), file, this.#environment.home), target, lookUp, [...seen, here]) : this.#extendedService(services, target, { ...from, seen: [...seen, here] });
    const kept = cleared.filter((at) => at[0] === 'services' && at[1] === name).reduce((value: Json, at) => without(value, at.slice(2)), base);
    return merge(SERVICE, kept, own) as JsonObject;
  }

  /** A service of another file, whose paths are relative to that. */
  #serviceOf(path: string, name: string, lookUp: (name: string) => string | undefined, seen: readonly string[]): JsonObject {
    const place = { directory: directoryOf(path), home: this.#environment.home };
    const [layer] = this.#layers(path, lookUp);
    const { include: _, ...rest } = layer?.value ?? {};
    const { services } = canonicalObject(PROJECT, rest, '', place);
    return this.#extendedService(isObject(services) ? services : {}, name, { path, cleared: layer?.cleared ?? [], lookUp, seen });
  }

  /** What another project has, beside what is there. */
  #with(model: JsonObject, { path: paths, env_file: envFiles, project_directory: own }: Include, directory: string, lookUp: (name: string) => string | undefined, depth: number): JsonObject {
    const { home } = this.#environment;
    const remote = paths.find((path) => /^[a-z][a-z0-9+.-]*:/i.test(path));
    if (remote !== undefined) throw new ComposeError(`cannot include "${remote}": only files of this machine are included`, 'get it first');
    const files = paths.map((path) => resolvePath(directory, path, home));
    const projectDirectory = own === undefined ? directoryOf(files[0] ?? directory) : resolvePath(directory, own, home);
    const variables = new Map<string, string>();
    const find = (name: string): string | undefined => lookUp(name) ?? variables.get(name);
    for (const file of envFiles?.map((one) => resolvePath(directory, one, home)) ?? [`${projectDirectory}/.env`]) {
      const text = file === '/dev/null' ? '' : this.#environment.read(file);
      if (text === undefined && envFiles !== undefined) throw new ComposeError(`cannot read "${file}": no such file`, 'check env_file of "include"');
      for (const [name, value] of readEnvironmentFile({ path: file, text: text ?? '', lookUp: find })) variables.set(name, value);
    }
    const { name: _, ...included } = this.load(files, { directory: projectDirectory, home }, find, depth + 1);
    return joined(model, included, paths[0] ?? '');
  }
}

/** Nothing may be there twice, unless it is the same. */
function joined(model: JsonObject, included: JsonObject, path: string): JsonObject {
  const result: Record<string, Json> = { ...model };
  for (const [section, items] of Object.entries(included)) {
    const own = result[section];
    if (!isObject(items) || !isObject(own)) {
      result[section] ??= items;
      continue;
    }
    for (const [name, item] of Object.entries(items)) {
      if (Object.hasOwn(own, name) && JSON.stringify(own[name]) !== JSON.stringify(item)) throw new ComposeError(`${section}.${name} conflicts with what "${path}" has, which is included`, 'rename one of them');
    }
    result[section] = { ...items, ...own };
  }
  return result;
}

/** From a text to the parser's documents, and from those to plain values. */
import { LineCounter, Scalar, isAlias, isCollection, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { Alias, Document, Node, Pair, YAMLMap } from 'yaml';
import type { Json } from '../image/index.ts';
import { YamlError } from './errors.ts';
import { MOST_ALIASES, MOST_BYTES, MOST_COLUMN, MOST_ENTRIES, MOST_NESTING, MOST_OPEN_BRACKETS, MOST_VALUES } from './limits.ts';

const MERGE = '<<';
/** What it is about is most often a configuration of containers. */
const NO_CONFIGURATION = 'it is no configuration of a container';

type Path = readonly (string | number)[];

/** What a caller wants to know beside the values. */
export interface ValueHooks {
  /** The node at which a collection begins: that of its key, where it has one. */
  placed?(value: Json & object, node: Node): void;
  /** A tag that is not YAML's own, such as `!reset`. The path begins at the document. */
  tagged?(tag: string, path: Path): void;
  /** Instead of the parser's value. Undefined: that one. */
  scalar?(node: Scalar): Json | undefined;
}

function scalarValue({ value }: Scalar): Json {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : value === null || value === undefined ? null : String(value);
}

/** Plain values of the documents of one text: what they come to together is bounded. */
export class ValueReader {
  readonly #hooks: ValueHooks;
  #anchors = new Map<string, Node>();
  #aliases = 0;
  #count = 0;

  constructor(hooks: ValueHooks = {}) {
    this.#hooks = hooks;
  }

  /** @throws YamlError */
  read({ contents }: Document): Json {
    this.#anchors = new Map();
    this.#aliases = 0;
    return this.#value(contents, []);
  }

  #value(node: unknown, path: Path, depth = 0): Json {
    if (depth > MOST_NESTING) throw new YamlError(`it is nested deeper than ${MOST_NESTING} levels`, NO_CONFIGURATION);
    if (++this.#count > MOST_VALUES) throw new YamlError(`its aliases grow to more than ${MOST_VALUES} values`, NO_CONFIGURATION);
    if (isAlias(node)) return this.#value(this.#target(node), path, depth + 1);
    if (isScalar(node) || isCollection(node)) {
      this.#remember(node);
      if (node.tag?.startsWith('!') === true) this.#hooks.tagged?.(node.tag, path);
    }
    if (isScalar(node)) return this.#hooks.scalar?.(node) ?? scalarValue(node);
    if (isSeq(node)) return node.items.map((item, index) => this.#placed(this.#value(item, [...path, index], depth + 1), item));
    return isMap(node) ? this.#map(node, path, depth) : null;
  }

  #placed(value: Json, node: unknown): Json {
    if (typeof value === 'object' && value !== null && node !== null) this.#hooks.placed?.(value, node as Node);
    return value;
  }

  #remember(node: Node & { readonly anchor?: string | undefined }): void {
    if (node.anchor !== undefined && node.anchor !== '') this.#anchors.set(node.anchor, node);
  }

  #target(alias: Alias): Node {
    if (++this.#aliases > MOST_ALIASES) throw new YamlError(`it uses aliases more than ${MOST_ALIASES} times`, 'write the values out');
    const target = this.#anchors.get(alias.source);
    if (target === undefined) throw new YamlError(`there is no anchor "${alias.source}" before its alias`, 'check the names behind & and *');
    return target;
  }

  #map(node: YAMLMap, path: Path, depth: number): Json {
    const own = new Map<string, Json>();
    const merged = new Map<string, Json>();
    for (const { key, value } of node.items as readonly Pair[]) {
      const name = isScalar(key) ? String(key.value) : String(this.#value(key, path, depth + 1));
      if (name === MERGE && (!isScalar(key) || key.type === Scalar.PLAIN)) this.#merge(value, merged, path, depth);
      else if (own.has(name)) throw new YamlError(`the key "${name}" is there twice in one mapping`, 'leave one of them');
      else own.set(name, this.#placed(this.#value(value, [...path, name], depth + 1), key));
    }
    return Object.fromEntries([...merged, ...own]);
  }

  /** `<<: *base` or `<<: [*one, *two]`: the first that has a key wins. */
  #merge(value: unknown, merged: Map<string, Json>, path: Path, depth: number): void {
    const sources = isSeq(value) ? value.items : [value];
    for (const source of sources) {
      const values = this.#value(source, path, depth + 1);
      if (typeof values !== 'object' || values === null || Array.isArray(values)) throw new YamlError('what "<<" merges is no mapping', 'check the alias behind it');
      for (const [name, item] of Object.entries(values)) if (!merged.has(name)) merged.set(name, item);
    }
  }
}

/**
 * How deep a text may go is decided by its characters: the parser recurses, and V8 ends the process where the stack runs out inside of a regular expression.
 * Blocks go as deep as their columns, flow collections as deep as brackets are open (those in strings count as well, so the bound is wide).
 */
function checkNesting(text: string): void {
  let [open, column, isLeading, entries] = [0, 0, true, 0];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\n' || character === ',') entries++;
    if (character === '\n') [column, isLeading] = [0, true];
    else if (isLeading && (character === ' ' || character === '-' || character === '?' || character === ':')) column++;
    else {
      isLeading = false;
      if (character === '[' || character === '{') open++;
      else if ((character === ']' || character === '}') && open > 0) open--;
    }
    if (entries > MOST_ENTRIES) throw new YamlError(`it has more than ${MOST_ENTRIES} entries`, 'give it in parts, or as JSON');
    if (open > MOST_OPEN_BRACKETS || column > MOST_COLUMN) throw new YamlError('it is nested too deeply', NO_CONFIGURATION);
  }
}

export interface ParsedText {
  readonly documents: readonly Document[];
  readonly lines: LineCounter;
}

/** The parser's documents, whose comments, anchors and order are kept. @throws YamlError */
export function parseDocuments(text: string): ParsedText {
  if (text.length > MOST_BYTES) throw new YamlError(`it is longer than ${MOST_BYTES >> 20} MiB`, 'give it in parts, or as JSON');
  checkNesting(text);
  const lines = new LineCounter();
  let documents: readonly Document[];
  try {
    const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: true, logLevel: 'silent', keepSourceTokens: false });
    documents = Array.isArray(parsed) ? parsed as Document[] : [];
  } catch (error) {
    throw new YamlError(`it ${error instanceof RangeError ? 'is nested too deeply' : 'cannot be understood'}`, NO_CONFIGURATION, { cause: error });
  }
  const problem = documents.flatMap(({ errors }) => errors)[0];
  if (problem !== undefined) throw new YamlError(problem.message.split('\n')[0]?.replace(/:$/, '') ?? '', 'check it in the place that is named', { cause: problem });
  return { documents, lines };
}

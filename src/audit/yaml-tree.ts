/** YAML by the `yaml` package. Its own conversion to values is not used: it compares every key with every other and looks aliases up from the start, which a hostile file can make slow. */
import { LineCounter, Scalar, isAlias, isCollection, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { Document, Node, Pair, YAMLMap , Alias} from 'yaml';
import type { Json } from '../image/index.ts';
import { AuditInputError } from './errors.ts';
import { MOST_ALIASES, MOST_COLUMN, MOST_ENTRIES, MOST_OPEN_BRACKETS, MOST_YAML_BYTES } from './limits.ts';
import { ValueCounter, removePlain, setPlain, valueAt } from './tree.ts';
import type { Path, Tree } from './tree.ts';

const MERGE = '<<';

/** Plain values of one document. */
class Reader {
  readonly #counter: ValueCounter;
  readonly #anchors = new Map<string, Node>();
  readonly #offsets: WeakMap<object, number>;
  #aliases = 0;

  /** `offsets` gets the place of each collection: of its key, where it has one. */
  constructor(counter: ValueCounter, offsets: WeakMap<object, number>) {
    this.#counter = counter;
    this.#offsets = offsets;
  }

  read(node: unknown, depth: number): Json {
    this.#counter.count(depth);
    if (isAlias(node)) return this.read(this.#target(node), depth + 1);
    if (isScalar(node)) {
      this.#remember(node);
      return scalarValue(node);
    }
    if (!isCollection(node)) return null;
    this.#remember(node);
    if (isSeq(node)) return node.items.map((item) => this.#placed(this.read(item, depth + 1), item));
    return isMap(node) ? this.#map(node, depth) : null;
  }

  #placed(value: Json, node: unknown): Json {
    const offset = (node as Node | undefined)?.range?.[0];
    if (typeof value === 'object' && value !== null && offset !== undefined) this.#offsets.set(value, offset);
    return value;
  }

  #remember(node: Node & { readonly anchor?: string | undefined }): void {
    if (node.anchor !== undefined && node.anchor !== '') this.#anchors.set(node.anchor, node);
  }

  #target(alias: Alias): Node {
    if (++this.#aliases > MOST_ALIASES) throw new AuditInputError(`cannot read the YAML: it uses aliases more than ${MOST_ALIASES} times`, 'write the values out');
    const target = this.#anchors.get(alias.source);
    if (target === undefined) throw new AuditInputError(`cannot read the YAML: there is no anchor "${alias.source}" before its alias`, 'check the names behind & and *');
    return target;
  }

  #map(node: YAMLMap, depth: number): Json {
    const own = new Map<string, Json>();
    const merged = new Map<string, Json>();
    for (const { key, value } of node.items as readonly Pair[]) {
      const name = isScalar(key) ? String(key.value) : String(this.read(key, depth + 1));
      if (name === MERGE && (!isScalar(key) || key.type === Scalar.PLAIN)) this.#merge(value, merged, depth);
      else if (own.has(name)) throw new AuditInputError(`cannot read the YAML: the key "${name}" is there twice in one mapping`, 'leave one of them');
      else own.set(name, this.#placed(this.read(value, depth + 1), key));
    }
    return Object.fromEntries([...merged, ...own]);
  }

  /** `<<: *base` or `<<: [*one, *two]`: the first that has a key wins. */
  #merge(value: unknown, merged: Map<string, Json>, depth: number): void {
    const sources = isSeq(value) ? value.items : [value];
    for (const source of sources) {
      const values = this.read(source, depth + 1);
      if (typeof values !== 'object' || values === null || Array.isArray(values)) throw new AuditInputError('cannot read the YAML: what "<<" merges is no mapping', 'check the alias behind it');
      for (const [name, item] of Object.entries(values)) if (!merged.has(name)) merged.set(name, item);
    }
  }
}

function scalarValue({ value }: Scalar): Json {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : value === null || value === undefined ? null : String(value);
}

class YamlTree implements Tree {
  readonly documents: Json[];
  readonly #sources: readonly Document[];
  readonly #lines: LineCounter;
  readonly #offsets = new WeakMap<object, number>();

  constructor(sources: readonly Document[], lines: LineCounter) {
    this.#sources = sources;
    this.#lines = lines;
    const counter = new ValueCounter();
    this.documents = sources.map(({ contents }) => new Reader(counter, this.#offsets).read(contents, 0));
  }

  set(path: Path, value: Json): void {
    setPlain(this.documents, path, value);
    this.#follow(path, false);
  }

  remove(path: Path): void {
    removePlain(this.documents, path);
    this.#follow(path, true);
  }

  /** Makes the same change in the nodes. What is behind an alias or a merge is written out in this place, and stays as it is in others. */
  #follow([document = 0, ...keys]: Path, isRemoval: boolean): void {
    const source = this.#sources[Number(document)];
    if (source === undefined) return;
    let node: unknown = source.contents;
    for (const [index, key] of keys.entries()) {
      if (!isCollection(node)) return;
      const isLast = index === keys.length - 1;
      if (isLast && isRemoval && node.has(key)) {
        node.delete(key);
        return;
      }
      const next = node.get(key, true);
      if (isLast || !isCollection(next)) {
        const plain = valueAt(this.documents, [document, ...keys.slice(0, index + 1)]);
        node.set(key, source.createNode(plain ?? null));
        return;
      }
      node = next;
    }
  }

  lineOf(path: Path): number | undefined {
    const value = valueAt(this.documents, path);
    const offset = typeof value === 'object' && value !== null ? this.#offsets.get(value) : undefined;
    return offset === undefined ? undefined : this.#lines.linePos(offset).line;
  }

  text(): string {
    return this.#sources.map((source, index) => {
      const text = source.toString({ lineWidth: 0, flowCollectionPadding: false });
      return index > 0 && !text.startsWith('---') && !text.startsWith('%') ? `---\n${text}` : text;
    }).join('');
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
    if (entries > MOST_ENTRIES) throw new AuditInputError(`cannot read the YAML: it has more than ${MOST_ENTRIES} entries`, 'give it in parts, or as JSON');
    if (open > MOST_OPEN_BRACKETS || column > MOST_COLUMN) throw new AuditInputError('cannot read the YAML: it is nested too deeply', 'it is no configuration of a container');
  }
}

/** @throws AuditInputError */
export function readYaml(text: string): Tree {
  if (text.length > MOST_YAML_BYTES) throw new AuditInputError(`cannot read the YAML: it is longer than ${MOST_YAML_BYTES >> 20} MiB`, 'give it in parts, or as JSON');
  checkNesting(text);
  const lines = new LineCounter();
  let sources: readonly Document[];
  try {
    const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: true, logLevel: 'silent', keepSourceTokens: false });
    sources = Array.isArray(parsed) ? parsed as Document[] : [];
  } catch (error) {
    throw new AuditInputError(`cannot read the YAML: it ${error instanceof RangeError ? 'is nested too deeply' : 'cannot be understood'}`, 'it is no configuration of a container', { cause: error });
  }
  const problem = sources.flatMap(({ errors }) => errors)[0];
  if (problem !== undefined) throw new AuditInputError(`cannot read the YAML: ${problem.message.split('\n')[0]?.replace(/:$/, '') ?? ''}`, 'check it in the place that is named', { cause: problem });
  return new YamlTree(sources, lines);
}

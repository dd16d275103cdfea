/** YAML that can be changed in place (`yaml` room: how it becomes values). */
import { isCollection } from 'yaml';
import type { Document, LineCounter } from 'yaml';
import type { Json } from '../image/index.ts';
import { YamlError, ValueReader, parseDocuments } from '../yaml/index.ts';
import { AuditInputError } from './errors.ts';
import { removePlain, setPlain, valueAt } from './tree.ts';
import type { Path, Tree } from './tree.ts';

class YamlTree implements Tree {
  readonly documents: Json[];
  readonly #sources: readonly Document[];
  readonly #lines: LineCounter;
  readonly #offsets = new WeakMap<object, number>();

  constructor(sources: readonly Document[], lines: LineCounter) {
    this.#sources = sources;
    this.#lines = lines;
    const reader = new ValueReader({
      placed: (value, { range }) => {
        if (range !== undefined && range !== null) this.#offsets.set(value, range[0]);
      },
    });
    this.documents = sources.map((source) => reader.read(source));
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

/** @throws AuditInputError */
export function readYaml(text: string): Tree {
  try {
    const { documents, lines } = parseDocuments(text);
    return new YamlTree(documents, lines);
  } catch (error) {
    throw error instanceof YamlError ? new AuditInputError(error.message, error.advice, { cause: error }) : error;
  }
}

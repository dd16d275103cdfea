/**
 * What a layer has and hides, as one text, so that it is kept beside the layer's results and says later what the layer does to those below it:
 * for each name one letter and the path, with a zero byte behind it. `d`: a directory with attributes of its own; `o`: one that shows nothing of what is below; `f`: anything else; `w`: gone.
 */
export type ChangeKind = 'd' | 'o' | 'f' | 'w';
const KINDS = 'dofw';

export class LayerChanges {
  readonly #kinds = new Map<string, ChangeKind>();

  /** Whether a text is one that `text` gave: what is kept on a disk may be anything. */
  static isWhole(text: unknown): text is string {
    if (typeof text !== 'string') return false;
    let start = 0;
    while (start < text.length) {
      const end = text.indexOf('\0', start);
      if (end < 0 || !KINDS.includes(text.charAt(start))) return false;
      start = end + 1;
    }
    return true;
  }

  static parse(text: string): LayerChanges {
    const changes = new LayerChanges();
    for (let start = 0; start < text.length;) {
      const end = text.indexOf('\0', start);
      if (end < 0) break;
      changes.add(text.charAt(start) as ChangeKind, text.slice(start + 1, end));
      start = end + 1;
    }
    return changes;
  }

  add(kind: ChangeKind, path: string): void {
    this.#kinds.set(path, kind);
  }

  get text(): string {
    return Array.from(this.#kinds, ([path, kind]) => `${kind}${path}\0`).join('');
  }

  /** Whether a path of a lower layer no longer shows: it is replaced or gone, or a directory above it is. */
  hides(path: string): boolean {
    if (this.#kinds.has(path)) return true;
    for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1)) {
      const above = this.#kinds.get(path.slice(0, slash));
      if (above !== undefined && above !== 'd') return true;
      if (slash === 0) break;
    }
    return this.#kinds.get('') === 'o';
  }
}

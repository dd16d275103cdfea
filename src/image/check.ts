/** Is the store as it should be? Everything in it that has a digest is read and compared, and what is wrong can be mended. */
import { isDigest } from './digest.ts';
import type { DiffId, DigestAlgorithm } from './digest.ts';
import { ImageError } from './errors.ts';
import { unusedFiles } from './garbage.ts';
import { parseManifest } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { familiarReference } from './reference.ts';
import type { ImageRecord } from './records.ts';
import type { ImageStore } from './store.ts';

export interface CheckOptions {
  /** Mend what can be mended from what is there. */
  readonly repair: boolean;
  /** With `repair`: remove images that lack something, so that they can be got again. */
  readonly force: boolean;
  /** Compare sizes instead of digests. */
  readonly quick: boolean;
}

export interface Problem {
  /** What is wrong, with what. */
  readonly problem: string;
  readonly mended: boolean;
}

export interface CheckReport {
  readonly problems: readonly Problem[];
  readonly images: number;
  readonly blobs: number;
  readonly layers: number;
  /** Files of ended processes, and of no image: not wrong, only in the way. */
  readonly leftoverBytes: number;
  readonly unusedBytes: number;
}

class Checker {
  readonly #store: ImageStore;
  readonly #options: CheckOptions;
  readonly #problems: Problem[] = [];
  /** Blobs that are not what their name says, and gone after a repair. */
  readonly #spoiled = new Set<string>();
  #blobs = 0;
  #layers = 0;

  constructor(store: ImageStore, options: CheckOptions) {
    this.#store = store;
    this.#options = options;
  }

  async run(): Promise<CheckReport> {
    const store = this.#store;
    for (const algorithm of ['sha256', 'sha512'] as const) this.#checkBlobs(algorithm);
    this.#checkRecords();
    this.#checkLayers();
    for (const record of store.records.list()) await this.#checkImage(record);
    this.#checkLayout();
    if (this.#options.repair) {
      store.claims.removeLeftovers();
      store.lock.hold(() => store.lock.removeAbandoned());
    }
    const sum = (files: readonly { readonly bytes: number }[]): number => files.reduce((total, { bytes }) => total + bytes, 0);
    return {
      problems: this.#problems, images: new Set(store.records.list().map(({ manifest }) => manifest.digest)).size, blobs: this.#blobs, layers: this.#layers,
      leftoverBytes: sum(store.claims.leftovers()), unusedBytes: sum(unusedFiles(store)),
    };
  }

  /** `mend` runs where the user wants repairs. */
  #report(problem: string, mend?: () => void): void {
    const mended = this.#options.repair && mend !== undefined;
    if (mended) mend();
    this.#problems.push({ problem, mended });
  }

  #checkBlobs(algorithm: DigestAlgorithm): void {
    const { disk, blobs } = this.#store;
    for (const name of disk.list(disk.path('blobs', algorithm))) {
      const path = disk.path('blobs', algorithm, name);
      const digest = `${algorithm}:${name}`;
      this.#blobs++;
      if (!isDigest(digest)) {
        this.#report(`blobs/${algorithm}/${name} is no blob: its name is no digest`, () => disk.remove(path));
        continue;
      }
      if (this.#options.quick) continue;
      const actual = disk.digestOfFile(path, algorithm);
      if (actual === undefined || actual === name) continue;
      this.#spoiled.add(digest);
      // Gone, it can come again; spoiled, it would be taken for what it is not.
      this.#report(`the blob ${digest} is spoiled`, () => disk.remove(blobs.pathOf(digest)));
    }
  }

  #checkRecords(): void {
    const { records, lock } = this.#store;
    for (const name of records.damaged()) this.#report(`images/${name} cannot be read`, () => lock.hold(() => records.removeFile(name)));
  }

  #checkLayers(): void {
    const { disk, layers } = this.#store;
    const names = disk.list(disk.path('layers'));
    const known = new Set(names.filter((name) => name.endsWith('.index')).map((name) => name.slice(0, -'.index'.length)));
    for (const name of names) {
      const hex = name.replace(/\.(?:tar|index)$/, '');
      const diffId = `sha256:${hex}`;
      if (!isDigest(diffId) || hex === name) this.#report(`layers/${name} is no layer: its name is none`, () => disk.remove(disk.path('layers', name)));
    }
    for (const hex of known) {
      const diffId = `sha256:${hex}` as DiffId;
      if (!isDigest(diffId)) continue;
      this.#layers++;
      // What is gone is made again from its blob, by whoever needs it.
      if (!layers.isIntact(diffId, this.#options.quick) && disk.exists(layers.pathsOf(diffId).index)) this.#report(`the layer ${diffId} is spoiled`, () => layers.remove(diffId));
    }
  }

  async #checkImage(record: ImageRecord): Promise<void> {
    const store = this.#store;
    const name = record.reference === undefined ? record.manifest.digest : familiarReference(record.reference);
    const wrong = this.#lackOf(record);
    if (wrong !== undefined) {
      this.#report(`the image "${name}" is not whole: ${wrong}`, this.#options.force ? () => store.lock.hold(() => {
        store.records.remove(record);
        store.records.writeIndex();
      }) : undefined);
      return;
    }
    if (!this.#options.repair) return;
    try {
      // Layers that were taken away above.
      await store.mountable(store.load(record));
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      this.#report(`the image "${name}" cannot be made ready: ${error.message}`);
    }
  }

  /** What an image lacks. */
  #lackOf(record: ImageRecord): string | undefined {
    const { blobs } = this.#store;
    const lacks = ({ digest, size }: Pick<Descriptor, 'digest' | 'size'>, what: string): string | undefined => {
      const own = blobs.sizeOf(digest);
      if (own === undefined || this.#spoiled.has(digest)) return `${what} ${digest} is ${own === undefined ? 'missing' : 'spoiled'}`;
      return own === size ? undefined : `${what} ${digest} has ${own} bytes instead of ${size}`;
    };
    const first = lacks(record.target, 'the manifest') ?? lacks(record.manifest, 'the manifest');
    if (first !== undefined) return first;
    try {
      const { manifest } = this.#store.load(record);
      const own = [lacks(manifest.config, 'the configuration'), ...manifest.layers.map((layer) => lacks(layer, 'the layer'))];
      return [...own, ...record.referrers.flatMap((referrer) => [...this.#lackOfReferrer(referrer, lacks)])].find((text) => text !== undefined);
    } catch (error) {
      if (error instanceof ImageError) return error.message;
      throw error;
    }
  }

  /** Of something about it. */
  #lackOfReferrer(referrer: Descriptor, lacks: (descriptor: Descriptor, what: string) => string | undefined): readonly (string | undefined)[] {
    const missing = lacks(referrer, 'what is about it,');
    if (missing !== undefined) return [missing];
    const document = parseManifest(this.#store.blobs.read(referrer.digest, 'what is about it'), referrer.mediaType, 'what is about it');
    return document.kind === 'manifest' ? [document.config, ...document.layers].map((part) => lacks(part, 'what is about it,')) : [];
  }

  /** `index.json` says what the names say, and is written anew where it is behind (a command that was killed). */
  #checkLayout(): void {
    const { disk, lock, records } = this.#store;
    const layout = disk.readFile(disk.path('oci-layout'), 4096);
    if (layout === undefined || !new TextDecoder().decode(layout).includes('"imageLayoutVersion"')) this.#report('oci-layout is not what it should be', () => this.#store.writeLayout());
    lock.hold(() => records.writeIndex());
  }
}

/** @throws StoreError where a file cannot be read. */
export function checkStore(store: ImageStore, options: CheckOptions): Promise<CheckReport> {
  return new Checker(store, options).run();
}

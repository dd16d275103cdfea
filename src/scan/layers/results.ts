/** What is found in one layer, and where it is kept. */
import type { Disk } from '../../image/index.ts';
import { MOST_FACT_BYTES } from '../limits.ts';
import type { PackageRecord } from '../packages/types.ts';
import type { ContentFinding } from '../types.ts';
import type { LayerChanges } from './changes.ts';

export interface FileFinding {
  /** A byte string. */
  readonly path: string;
  readonly finding: ContentFinding;
}

/** Of one analyser in one layer. */
export interface AnalyserResult {
  readonly findings: readonly FileFinding[];
  readonly facts: readonly { readonly path: string; readonly value: unknown }[];
  /** It was stopped by a bound. */
  readonly isCut: boolean;
}

export interface LayerResult {
  readonly packages: readonly PackageRecord[];
  readonly analysers: ReadonlyMap<string, AnalyserResult>;
  /** Parsed when it is asked for: the lowest layer's never is. */
  readonly changes: () => LayerChanges;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Results by the digest of a layer and the part of the scan that they are of. Each is a file; what is spoiled is as good as missing. */
export class ResultCache {
  readonly #disk: Disk;
  #isUsable: boolean | undefined;

  /** `disk`: of a directory that is ours alone. */
  constructor(disk: Disk) {
    this.#disk = disk;
  }

  #path(hex: string, part: string): string {
    return this.#disk.path(`${hex}.${part}`);
  }

  read(hex: string, part: string): unknown {
    try {
      const bytes = this.#disk.readFile(this.#path(hex, part), 4 * MOST_FACT_BYTES);
      return bytes === undefined ? undefined : (JSON.parse(decoder.decode(bytes)) as unknown);
    } catch {
      return undefined;
    }
  }

  /** A cache that cannot be written costs the next scan its time and nothing else. */
  write(hex: string, part: string, value: unknown): void {
    if (this.#isUsable === false) return;
    try {
      if (this.#isUsable === undefined) this.#disk.makeDirectory(this.#disk.temporaryDirectory);
      this.#isUsable = true;
      this.#disk.writeFileQuickly(this.#path(hex, part), encoder.encode(JSON.stringify(value)));
    } catch {
      this.#isUsable = false;
    }
  }
}

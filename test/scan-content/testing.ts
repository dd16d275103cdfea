/** Files that are only in memory, and what the analysers say of them. */
import { CONTENT_ANALYSERS } from '../../src/scan/content/index.ts';
import type { Analyser, ContentFinding, LayerFact, ScanConfig, ScanFile } from '../../src/scan/types.ts';

export interface TestFile {
  readonly path: string;
  readonly content?: string | Uint8Array;
  /** With S_IFMT; default a file of mode 644. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly xattrs?: Readonly<Record<string, string>>;
}

export interface Judged {
  readonly analyser: string;
  readonly path: string | undefined;
  readonly finding: ContentFinding;
}

export function scanFile({ path, content = '', mode = 0o100644, uid = 0, gid = 0, xattrs = {} }: TestFile): ScanFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { path, size: bytes.length, mode, uid, gid, xattrs: new Map(Object.entries(xattrs)), read: (limit) => new Uint8Array(bytes.subarray(0, limit)), readAt: (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)) };
}

export const NO_CONFIG: ScanConfig = { user: 'app', env: [], entrypoint: [], cmd: [], workingDirectory: '', volumes: [], exposedPorts: [], labels: {}, history: [], document: {} };

/** One layer of such files, and an image of it. */
export function judge(files: readonly TestFile[], config?: Partial<ScanConfig>, analysers: readonly Analyser[] = CONTENT_ANALYSERS): readonly Judged[] {
  const found: Judged[] = [];
  for (const analyser of analysers) {
    const facts: LayerFact[] = [];
    for (const each of files) {
      const file = scanFile(each);
      if (!analyser.wants(file)) continue;
      analyser.analyse(file, {
        finding: (finding) => found.push({ analyser: analyser.name, path: file.path, finding }),
        fact: (value) => facts.push({ path: file.path, layer: 0, isDeleted: false, value: JSON.parse(JSON.stringify(value)) }),
      });
    }
    analyser.end?.({ target: 'team/app:1', config: config === undefined ? undefined : { ...NO_CONFIG, ...config }, layerCount: 1, facts, finding: ({ file, ...finding }) => found.push({ analyser: analyser.name, path: file, finding }) });
  }
  return found;
}

/** mulberry32. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const DIGITS = '0123456789';
export const ALPHABETS = { digits: DIGITS, hex: `${DIGITS}abcdef`, lower: `${DIGITS}abcdefghijklmnopqrstuvwxyz`, base62: `${DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz`, base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', letters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', bech32: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789' } as const;

const random = randomNumbers(20_261_130);

/** Tokens are made when the test runs: none stands in a file of the repository. */
export function made(alphabet: keyof typeof ALPHABETS, length: number): string {
  const letters = ALPHABETS[alphabet];
  return Array.from({ length }, () => letters[random(letters.length)]).join('');
}

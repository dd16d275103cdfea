/** What is told of blobs on their way. */
import type { Digest } from './digest.ts';

export interface Progress {
  /** A blob begins: that many bytes. */
  start(digest: Digest, size: number): void;
  advance(digest: Digest, bytes: number): void;
  end(digest: Digest, how: 'pulled' | 'pushed' | 'copied' | 'exists' | 'mounted' | 'prepared'): void;
}

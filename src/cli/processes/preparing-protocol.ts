/** What a pull tells the process that makes its layers ready: lines of JSON. */
import type { DiffId, Descriptor, Digest } from '../../image/index.ts';

export type PreparingLine =
  /** A layer comes into the file `path`, and is a blob afterwards. */
  | { readonly begin: Descriptor; readonly diffId: DiffId; readonly path: string }
  | { readonly grew: Digest; readonly size: number }
  | { readonly ended: Digest; readonly isWhole: boolean };

/** The descriptor that it closes when it has begun: who looks for the layers from then on finds that they are being made. */
export const BEGUN_FD = 3;

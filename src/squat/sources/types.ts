/** A reference in a file. */
export interface FoundReference {
  /** As it stands there, without quotes. */
  readonly text: string;
  /** From 1 on. */
  readonly line: number;
  /** What names it: `image:`, `docker run`, `FROM`. */
  readonly how: string;
}

/** What reading a mirror needs of the host. */

/** `text`: what was signed. `reason` completes "the signature on X is not good: ...". */
export type Verdict = { readonly text: Uint8Array } | { readonly reason: string };

export interface MirrorTools {
  /** The whole body; undefined where there is no such file (404). @throws ScanInputError where there is no answer, or one longer than `most` */
  fetch(url: string, most: number): Promise<Uint8Array | undefined>;
  /**
   * Looks whether one of the keys signed a text, now and by a key that is still good (RFC 9580).
   * `signature`: the one beside the text; undefined: the text is in the cleartext form, RFC 9580 7. `fingerprints`: of the keys that count, in upper case; none: all.
   */
  verify(text: Uint8Array, signature: Uint8Array | undefined, keys: readonly Uint8Array[], fingerprints: readonly string[]): Promise<Verdict>;
  /** Files of keys that this machine has of a distribution; none where it has none. */
  hostKeys(distribution: string): readonly Uint8Array[];
  /** Milliseconds since 1970. */
  now(): number;
  /** In hexadecimal. */
  sha256(bytes: Uint8Array): string;
  /** gzip, xz, zstd or none, told by the first bytes. @throws ScanInputError where it is spoiled or longer than `most` */
  uncompress(bytes: Uint8Array, most: number): Promise<Uint8Array>;
  /** What is kept from before, by name; undefined: nothing. */
  kept(name: string): Uint8Array | undefined;
  keep(name: string, bytes: Uint8Array): void;
  /** What is being done, for who waits. */
  note(text: string): void;
}

/** What reading a mirror needs of the host. */
export interface MirrorTools {
  /** The whole body; undefined where there is no such file (404). @throws ScanInputError where there is no answer, or one longer than `most` */
  fetch(url: string, most: number): Promise<Uint8Array | undefined>;
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

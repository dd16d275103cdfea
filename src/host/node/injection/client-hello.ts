/** The name in a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), which says whom a connection is for before anything is decided. */

/** A ClientHello with all that post-quantum keys add is a few kilobytes. */
const MOST_BYTES = 0x1_0000;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const RECORD_HEADER = 5;

/** `more`: it is not whole yet. `none`: it names nobody, or is no ClientHello. */
export type HelloName = { readonly name: string } | 'more' | 'none';

/** The handshake message, which may be spread over records. */
function handshakeIn(bytes: Uint8Array): Uint8Array | 'more' | 'none' {
  const parts: Uint8Array[] = [];
  let at = 0;
  let have = 0;
  while (at < bytes.length) {
    if (bytes[at] !== HANDSHAKE) return 'none';
    if (at + RECORD_HEADER > bytes.length) break;
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    const part = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    parts.push(part);
    have += part.length;
    at += RECORD_HEADER + length;
  }
  const message = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  if (have > 0 && message[0] !== CLIENT_HELLO) return 'none';
  if (have >= 4) {
    const length = (message[1]! << 16) | (message[2]! << 8) | message[3]!;
    if (length > MOST_BYTES) return 'none';
    if (have >= 4 + length) return message.subarray(4, 4 + length);
  }
  return bytes.length > MOST_BYTES ? 'none' : 'more';
}

/** Reads numbers and blocks; past the end it answers nothing. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  number(size: number): number {
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 256 + (this.#bytes[this.#at++] ?? 0);
    return value;
  }
  take(length: number): Uint8Array {
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }
  /** Behind its length of `size` bytes. */
  block(size: number): Uint8Array {
    return this.take(this.number(size));
  }
  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }
}

export function nameInHello(bytes: Uint8Array): HelloName {
  const hello = handshakeIn(bytes);
  if (typeof hello === 'string') return hello;
  const reader = new Reader(hello);
  // Version and random.
  reader.take(34);
  reader.block(1);
  reader.block(2);
  reader.block(1);
  const extensions = new Reader(reader.block(2));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const body = extensions.block(2);
    if (type !== SERVER_NAME) continue;
    const list = new Reader(new Reader(body).block(2));
    while (!list.isAtEnd) {
      const kind = list.number(1);
      const name = list.block(2);
      if (kind === 0) return { name: Buffer.from(name).toString('latin1').toLowerCase() };
    }
  }
  return 'none';
}

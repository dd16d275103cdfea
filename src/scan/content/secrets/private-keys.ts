/** Private keys: PEM (RFC 7468, PKCS #1 and #8), OpenSSH's own format, PuTTY's, and OpenPGP's armour (RFC 9580, 6.2). */
import { latin1 } from '../bytes.ts';
import { fromBase64 } from './checks.ts';

export interface PrivateKey {
  /** `RSA private key` */
  readonly title: string;
  readonly isEncrypted: boolean;
  /** Bytes up to its end. */
  readonly length: number;
}

export const KEY_KEYWORDS = ['PRIVATE KEY', 'PuTTY-User-Key-File-'];

/** Bytes that a key takes up at most: RSA of 16,384 bits has 13 KB. */
export const MOST_KEY_BYTES = 16_384;
const BEGIN = '-----BEGIN ';

/** The first words inside of OpenSSH's format: the cipher, `none` without a passphrase. PROTOCOL.key. */
function opensshCipher(body: Uint8Array): string | undefined {
  if (latin1(body, 0, 15) !== 'openssh-key-v1\0' || body.length < 23) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(15);
  return length > 64 ? undefined : latin1(body, 19, 19 + length);
}

/** A sequence of ASN.1 that is about as long as what is there. */
function isSequence(body: Uint8Array): boolean {
  if (body[0] !== 0x30 || body.length < 40) return false;
  const first = body[1]!;
  if (first < 0x80) return first + 2 <= body.length;
  let length = 0;
  for (let index = 0; index < (first & 0x7f); index++) length = length * 256 + (body[2 + index] ?? 0);
  return (first & 0x7f) <= 3 && 2 + (first & 0x7f) + length <= body.length + 2;
}

function pemAt(text: string): PrivateKey | undefined {
  const head = /^-----BEGIN ((?:[A-Z0-9]{2,10} ){0,2})PRIVATE KEY( BLOCK)?-----/.exec(text.slice(0, 80));
  if (head === null) return undefined;
  const kind = head[1]!.trim();
  const tail = text.indexOf('-----END ', head[0].length);
  if (tail === -1) return undefined;
  // Keys in JSON, environment variables and YAML have their line breaks written out, and those in programs are put together of strings.
  const inside = text.slice(head[0].length, tail).replace(/\\n|\\r/g, '\n').replace(/["'] ?\+? ?\n? *["']?/g, '\n');
  const isOldEncrypted = inside.includes('Proc-Type: 4,ENCRYPTED');
  const body = inside.split('\n').filter((line) => !/^[A-Za-z-]+: /.test(line.trim())).join('').replace(/[\s\\]/g, '');
  const length = tail + 9;
  if (head[2] !== undefined) return body.length < 200 ? undefined : { title: 'OpenPGP private key', isEncrypted: false, length };
  const bytes = fromBase64(body);
  if (bytes === undefined || bytes.length < 40) return undefined;
  const title = kind === '' || kind === 'ENCRYPTED' ? 'private key' : `${kind === 'OPENSSH' ? 'OpenSSH' : kind} private key`;
  if (kind === 'OPENSSH') {
    const cipher = opensshCipher(bytes);
    return cipher === undefined ? undefined : { title, isEncrypted: cipher !== 'none', length };
  }
  if (isOldEncrypted) return { title, isEncrypted: true, length };
  return isSequence(bytes) ? { title, isEncrypted: kind === 'ENCRYPTED', length } : undefined;
}

/** What begins with the keyword at `at`, if it is a private key and not only the first line of one. */
export function privateKeyAt(bytes: Uint8Array, at: number): (PrivateKey & { readonly start: number }) | undefined {
  const before = latin1(bytes, Math.max(0, at - 40), at);
  const begin = before.lastIndexOf(BEGIN);
  if (begin !== -1) {
    const start = Math.max(0, at - 40) + begin;
    const key = pemAt(latin1(bytes, start, Math.min(bytes.length, start + MOST_KEY_BYTES)));
    return key === undefined ? undefined : { ...key, start };
  }
  const text = latin1(bytes, at, Math.min(bytes.length, at + MOST_KEY_BYTES));
  if (!/^PuTTY-User-Key-File-[123]: /.test(text.slice(0, 40))) return undefined;
  const lines = text.slice(0, 4096).split('\n', 60).map((line) => line.trimEnd());
  const encryption = lines.find((line) => line.startsWith('Encryption: '))?.slice(12);
  return encryption === undefined || !text.includes('Private-Lines: ') ? undefined : { title: 'PuTTY private key', isEncrypted: encryption !== 'none', length: text.length, start: at };
}

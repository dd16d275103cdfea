/** IP addresses as text (canonical) and bytes (4 or 16): RFC 4291, RFC 5952. */

export const ANY4 = '0.0.0.0';
export const ANY6 = '::';
export const LOOPBACK4 = '127.0.0.1';
export const LOOPBACK6 = '::1';

/** Bytes of an address, or undefined where the text is none. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parse6(text) : parse4(text);
}

function parse4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

function parse6(text: string): Uint8Array | undefined {
  const halves = text.split('%')[0]!.split('::');
  if (halves.length > 2) return undefined;
  const head = words(halves[0]!);
  const tail = halves.length === 2 ? words(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  for (const [index, word] of all.entries()) {
    bytes[2 * index] = word >>> 8;
    bytes[2 * index + 1] = word & 255;
  }
  return bytes;
}

function words(text: string): number[] | undefined {
  if (text === '') return [];
  const result: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const four = index === parts.length - 1 ? parse4(part) : undefined;
      if (four === undefined) return undefined;
      result.push((four[0]! << 8) | four[1]!, (four[2]! << 8) | four[3]!);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      result.push(parseInt(part, 16));
    }
  }
  return result;
}

/** Canonical text of 4 or 16 bytes. IPv4-mapped IPv6 addresses become IPv4. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const embedded = mapped4(bytes);
  return embedded === undefined ? format6(bytes) : embedded.join('.');
}

function format6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2) groups.push((bytes[index]! << 8) | bytes[index + 1]!);
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}

/** The IPv4 address in ::ffff:a.b.c.d. */
export function mapped4(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length !== 16 || bytes[10] !== 255 || bytes[11] !== 255) return undefined;
  for (let index = 0; index < 10; index++) if (bytes[index] !== 0) return undefined;
  return bytes.subarray(12);
}

export function isVersion4(text: string): boolean {
  return !text.includes(':');
}
export function isAny(text: string): boolean {
  return text === ANY4 || text === ANY6;
}
export function isLoopback(text: string): boolean {
  return text === LOOPBACK6 || text.startsWith('127.');
}
export function isMulticast(text: string): boolean {
  if (!isVersion4(text)) return text.startsWith('ff') && text.indexOf(':') === 4;
  const first = Number(text.slice(0, text.indexOf('.')));
  return first >= 224 && first < 240;
}

/** A range of addresses, `10.0.0.0/8` or a single one. */
export interface AddressRange {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

export function parseRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const prefix = slash < 0 ? bytes.length * 8 : Number(text.slice(slash + 1));
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bytes.length * 8 || text.endsWith('/')) return undefined;
  return { bytes, prefix };
}

export function inRange(bytes: Uint8Array, range: AddressRange): boolean {
  if (bytes.length !== range.bytes.length) return false;
  for (let bit = 0; bit < range.prefix; bit += 8) {
    const left = Math.min(8, range.prefix - bit);
    const mask = (0xff << (8 - left)) & 0xff;
    if (((bytes[bit >> 3]! ^ range.bytes[bit >> 3]!) & mask) !== 0) return false;
  }
  return true;
}

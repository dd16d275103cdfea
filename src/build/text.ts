/** Between text (JSON, messages) and byte strings (one character per byte), in which this room keeps all that a Dockerfile says. */

const onlyAscii = /^[\x00-\x7f]*$/;

export function toBytes(text: string): string {
  if (onlyAscii.test(text)) return text;
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

export function bytesOf(byteString: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteString.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = byteString.charCodeAt(index);
  return bytes;
}

export function fromBytes(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += 4096) text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  return text;
}

/** What is not UTF-8 becomes U+FFFD. */
export function toText(byteString: string): string {
  return onlyAscii.test(byteString) ? byteString : new TextDecoder().decode(bytesOf(byteString));
}

/** Byte order of names and paths. */
export function byBytes(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

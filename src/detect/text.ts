/** Byte strings, which the kernel has, and text, which rules and reports are. Bytes that are no UTF-8 become single surrogates, U+DC80 and up, and come back from them. */

const ASCII = /^[\0-\x7f]*$/;
const FIRST_STRAY = 0xdc80;

/** Bytes from `at` that make up one character of UTF-8, or 0. */
function sequenceLength(bytes: string, at: number): number {
  const first = bytes.charCodeAt(at);
  const length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  for (let index = 1; index < length; index++) if ((bytes.charCodeAt(at + index) & 0xc0) !== 0x80) return 0;
  return length;
}

function decodeOne(bytes: string, at: number, length: number): string | undefined {
  const first = bytes.charCodeAt(at);
  let code = length === 2 ? first & 0x1f : length === 3 ? first & 0x0f : first & 0x07;
  for (let index = 1; index < length; index++) code = (code << 6) | (bytes.charCodeAt(at + index) & 0x3f);
  const least = length === 3 ? 0x800 : length === 4 ? 0x1_0000 : 0x80;
  if (code < least || code > 0x10_ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
  return String.fromCodePoint(code);
}

export function toText(bytes: string): string {
  if (ASCII.test(bytes)) return bytes;
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    const character = length > 1 ? decodeOne(bytes, at, length) : undefined;
    if (length === 1) text += bytes[at++]!;
    else if (character === undefined) text += String.fromCharCode(FIRST_STRAY + bytes.charCodeAt(at++) - 0x80);
    else {
      text += character;
      at += length;
    }
  }
  return text;
}

export function toBytes(text: string): string {
  if (ASCII.test(text)) return text;
  let bytes = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= FIRST_STRAY && code < FIRST_STRAY + 0x80) bytes += String.fromCharCode(code - FIRST_STRAY + 0x80);
    else for (const byte of new TextEncoder().encode(character)) bytes += String.fromCharCode(byte);
  }
  return bytes;
}

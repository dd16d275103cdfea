/** Between JavaScript's strings and the kernel's byte strings. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const onlyAscii = /^[\x00-\x7f]*$/;

export function toByteString(text: string): string {
  if (onlyAscii.test(text)) return text;
  let bytes = '';
  for (const byte of encoder.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

export function toText(bytes: string): string {
  if (onlyAscii.test(bytes)) return bytes;
  return decoder.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

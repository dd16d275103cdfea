/** Messages of netlink(7): headers and attributes (`struct nlmsghdr`, `struct rtattr`), aligned to 4. */

const HEADER = 16;

function aligned(length: number): number {
  return (length + 3) & ~3;
}

export interface NetlinkHeader {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly port: number;
  readonly payload: Uint8Array;
}

/** The requests in what a program sent; stops at the first that does not fit. */
export function parseMessages(bytes: Uint8Array): NetlinkHeader[] {
  const messages: NetlinkHeader[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + HEADER <= bytes.length) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.length) break;
    messages.push({
      length, type: view.getUint16(at + 4, true), flags: view.getUint16(at + 6, true), sequence: view.getUint32(at + 8, true),
      port: view.getUint32(at + 12, true), payload: bytes.subarray(at + HEADER, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

export interface MessageParts {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly port: number;
}

/** Header, fixed part, attributes. */
export function buildMessage({ type, flags, sequence, port }: MessageParts, fixed: Uint8Array, attributes: readonly Uint8Array[] = []): Uint8Array {
  const length = HEADER + aligned(fixed.length) + attributes.reduce((sum, attribute) => sum + aligned(attribute.length), 0);
  const message = new Uint8Array(length);
  const view = new DataView(message.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  view.setUint32(12, port, true);
  message.set(fixed, HEADER);
  let at = HEADER + aligned(fixed.length);
  for (const attribute of attributes) {
    message.set(attribute, at);
    at += aligned(attribute.length);
  }
  return message;
}

export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + value.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bytes.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}
export function attributeU32(type: number, value: number): Uint8Array {
  return attribute(type, new Uint8Array(Uint32Array.of(value).buffer));
}
export function attributeU8(type: number, value: number): Uint8Array {
  return attribute(type, Uint8Array.of(value));
}
export function attributeText(type: number, text: string): Uint8Array {
  return attribute(type, Uint8Array.from(`${text}\0`, (character) => character.charCodeAt(0)));
}

/** First attribute of a type behind the fixed part. */
export function findAttribute(payload: Uint8Array, fixedSize: number, type: number): Uint8Array | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let at = aligned(fixedSize);
  while (at + 4 <= payload.length) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > payload.length) return undefined;
    if ((view.getUint16(at + 2, true) & 0x3fff) === type) return payload.subarray(at + 4, at + length);
    at += aligned(length);
  }
  return undefined;
}

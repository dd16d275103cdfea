/** Bytes and text: names are byte strings, what is in files is UTF-8. */
const utf8 = new TextDecoder('utf-8');
const latin1 = new TextDecoder('latin1');

/** UTF-8, with replacement characters for what is none. */
export function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** Quick, for what is compared and cut by ASCII alone. */
export function asciiOf(bytes: Uint8Array): string {
  return latin1.decode(bytes);
}

/** Exactly one character a byte; for short pieces. */
export function byteStringOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

const BYTES_AT_ONCE = 8192;

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += BYTES_AT_ONCE) text += byteStringOf(bytes.subarray(at, at + BYTES_AT_ONCE));
  return btoa(text);
}

/** Nothing for what is no base64. */
export function bytesOfBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** A byte string as text. */
export function shownPath(path: string): string {
  let isAscii = true;
  for (let index = 0; index < path.length; index++) if (path.charCodeAt(index) >= 0x80) isAscii = false;
  return isAscii ? path : utf8.decode(Uint8Array.from(path, (character) => character.charCodeAt(0)));
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own field: never one of a prototype. */
export function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function stringOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : undefined;
}

export function arrayOf(value: unknown, name: string): readonly unknown[] {
  const field = fieldOf(value, name);
  return Array.isArray(field) ? (field as readonly unknown[]) : [];
}

export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isObject(value) ? Object.entries(value) : [];
}

/** Undefined for what is no JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes).replace(/^\ufeff/, '')) as unknown;
  } catch {
    return undefined;
  }
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** All before the last part: empty for what stands in the root. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

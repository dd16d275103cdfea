/** Addresses with a password in them: `scheme://user:password@host`. RFC 3986 3.2.1. */
import { isPlaceholder } from './measures.ts';

const LONGEST = 256;
const SCHEME = /[A-Za-z0-9+.-]/;
/** What ends an address in any text. */
const END = /[\s"'`<>{}|\\^]/;
const EXAMPLE_HOST = /(?:^|\.)(?:example(?:\.(?:com|org|net))?|invalid|test)$|^(?:host|hostname|server|domain|localhost\.example)$/i;
const EXAMPLE_PASSWORD = new Set(['pass', 'password', 'passwd', 'pwd', 'pw', 'secret', 'token', 'user', 'username', 'apikey', 'key', 'x-oauth-basic', 'p', 'x', 'foo', 'bar', 'baz', 'guest', 'oauth2', 'test']);

export interface UrlPassword {
  readonly scheme: string;
  readonly user: string;
  readonly password: string;
  readonly host: string;
  /** In the text. */
  readonly start: number;
  readonly end: number;
}

/** The address whose `://` is at `at`. */
export function urlPasswordAt(text: string, at: number): UrlPassword | undefined {
  let start = at;
  while (start > 0 && at - start < 20 && SCHEME.test(text[start - 1]!)) start--;
  const scheme = text.slice(start, at).replace(/^[^A-Za-z]+/, '');
  if (scheme.length < 2) return undefined;
  const from = at + 3;
  let end = from;
  let colon = -1;
  let sign = -1;
  for (; end < text.length && end - from < LONGEST && !END.test(text[end]!) && text[end] !== '/' && text[end] !== '?' && text[end] !== '#'; end++) {
    if (text[end] === ':' && colon === -1 && sign === -1) colon = end;
    if (text[end] === '@') sign = end;
  }
  if (colon === -1 || sign <= colon + 1) return undefined;
  const password = text.slice(colon + 1, sign);
  const host = text.slice(sign + 1, end).replace(/:\d*$/, '').replace(/[.,;:)]+$/, '');
  if (host === '' || EXAMPLE_HOST.test(host) || !/^[A-Za-z0-9.[\]:_-]+$/.test(host)) return undefined;
  if (password.length < 3 || EXAMPLE_PASSWORD.has(password.toLowerCase()) || isPlaceholder(password) || /[$()%*]/.test(password.replace(/%[0-9A-Fa-f]{2}/g, ''))) return undefined;
  return { scheme: scheme.toLowerCase(), user: text.slice(from, colon), password, host, start, end: sign };
}

/** Who we are to a registry: nobody, a user, or the holder of a token (distribution "Token Authentication Specification", RFC 7617, RFC 6750). */
import type { HostHttp, HttpTls } from '../host/types.ts';
import { RegistryError } from './registry-errors.ts';

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  readonly identityToken?: string | undefined;
}

export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** A modem of 1990 is ten times as fast. */
const SLOWEST_BYTES = 10_000;
const SLOW_AFTER_MS = 120_000;
const LONGEST_WAIT_MS = 60_000;
const MOST_TOKEN_BYTES = 2 ** 20;

/** `WWW-Authenticate` (RFC 9110 11.6.1): the first of the schemes that we know. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const match = /(?:^|,\s*)(basic|bearer)\s+([^]*)$/i.exec(header ?? '');
  if (match === null) return /^basic$/i.test((header ?? '').trim()) ? { scheme: 'basic', parameters: new Map() } : undefined;
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, token] of (match[2] ?? '').matchAll(/([a-zA-Z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  return { scheme: (match[1] ?? '').toLowerCase(), parameters };
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || /^127(?:\.\d{1,3}){3}$/.test(name) || name === '[::1]';
}

export function basicAuthorization({ username, password }: RegistryCredentials): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)))}`;
}

/**
 * Gives a body up that comes so slowly that it never ends, a byte now and then. Only the time that is spent waiting for it counts, and of each wait
 * not more than a minute: this process may have been stopped. `now`: milliseconds.
 */
export async function* paced(body: AsyncIterable<Uint8Array>, now: () => number, registry: string): AsyncIterable<Uint8Array> {
  let waitedMs = 0;
  let bytes = 0;
  let askedMs = now();
  for await (const chunk of body) {
    waitedMs += Math.min(LONGEST_WAIT_MS, now() - askedMs);
    bytes += chunk.length;
    if (waitedMs >= SLOW_AFTER_MS && bytes < SLOWEST_BYTES) throw new RegistryError(`${registry} sends fewer than ${SLOWEST_BYTES} bytes in ${SLOW_AFTER_MS / 1000} s`, 0, 'TOO_SLOW', 'try again later, or another registry');
    if (waitedMs >= SLOW_AFTER_MS) waitedMs = bytes = 0;
    yield chunk;
    askedMs = now();
  }
}

export async function readLimited(body: AsyncIterable<Uint8Array>, most: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > most) throw new RegistryError(`${what} is longer than ${most} bytes`, 0, 'TOO_LARGE', 'is that a registry?');
    chunks.push(chunk);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** A token for what the challenge asks. Credentials go to the realm over TLS or on this machine only. */
async function fetchToken(http: HostHttp, challenge: Challenge, scope: string, credentials: RegistryCredentials | undefined, tls: HttpTls | undefined, idleTimeoutMs: number): Promise<string> {
  const realm = challenge.parameters.get('realm') ?? '';
  if (!URL.canParse(realm)) throw new RegistryError('the registry asks for a token and does not say where to get it', 401, 'UNAUTHORIZED');
  const url = new URL(realm);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.host))) throw new RegistryError(`the registry asks for a token from ${url.origin}, which is not encrypted`, 401, 'UNAUTHORIZED', 'do not trust this registry');
  const service = challenge.parameters.get('service');
  const fields = new URLSearchParams({ ...(service === undefined ? {} : { service }), ...(scope === '' ? {} : { scope }) });
  const identity = credentials?.identityToken;
  let response;
  if (identity !== undefined && identity !== '') {
    fields.set('grant_type', 'refresh_token');
    fields.set('refresh_token', identity);
    fields.set('client_id', 'caisson');
    response = await http.request({ method: 'POST', url: realm, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new TextEncoder().encode(fields.toString()), idleTimeoutMs, ...(tls === undefined ? {} : { tls }) });
  } else {
    for (const [name, value] of fields) url.searchParams.append(name, value);
    response = await http.request({ method: 'GET', url: url.href, headers: credentials === undefined ? {} : { authorization: basicAuthorization(credentials) }, idleTimeoutMs, ...(tls === undefined ? {} : { tls }) });
  }
  const text = new TextDecoder().decode(await readLimited(response.body, MOST_TOKEN_BYTES, 'the token'));
  if (response.status !== 200) throw new RegistryError(`the token server ${url.host} refuses (${response.status})`, response.status, 'UNAUTHORIZED', 'log in with "caisson login"');
  const token = tokenIn(text);
  if (token === undefined) throw new RegistryError(`the token server ${url.host} answers without a token`, response.status, 'UNAUTHORIZED');
  return token;
}

function tokenIn(text: string): string | undefined {
  try {
    const { token, access_token: access } = JSON.parse(text) as { token?: unknown; access_token?: unknown };
    const found = typeof token === 'string' && token !== '' ? token : access;
    return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Answers challenges, and keeps the answers by scope. */
export class Authenticator {
  readonly #http: HostHttp;
  readonly #credentials: RegistryCredentials | undefined;
  readonly #tls: HttpTls | undefined;
  readonly #idleTimeoutMs: number;
  readonly #known = new Map<string, string>();

  constructor(http: HostHttp, credentials: RegistryCredentials | undefined, tls: HttpTls | undefined, idleTimeoutMs: number) {
    this.#http = http;
    this.#credentials = credentials;
    this.#tls = tls;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  headerFor(scope: string): string | undefined {
    return this.#known.get(scope);
  }

  /** A new header after a 401; undefined where we have nothing to say. */
  async answer(challengeHeader: string | undefined, scope: string): Promise<string | undefined> {
    const challenge = parseChallenge(challengeHeader);
    if (challenge === undefined) return undefined;
    let header: string | undefined;
    if (challenge.scheme === 'bearer') header = `Bearer ${await fetchToken(this.#http, challenge, challenge.parameters.get('scope') ?? scope, this.#credentials, this.#tls, this.#idleTimeoutMs)}`;
    else if (this.#credentials !== undefined) header = basicAuthorization(this.#credentials);
    if (header !== undefined) this.#known.set(scope, header);
    return header;
  }
}

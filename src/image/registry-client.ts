/** A client of one repository (OCI distribution-spec 1.1, Docker Registry HTTP API V2). */
import type { HostHttp, HttpResponse, HttpTls, ImageHost } from '../host/types.ts';
import { digestOf, algorithmOf, isDigest } from './digest.ts';
import type { Digest } from './digest.ts';
import { DigestMismatchError, ImageFormatError } from './errors.ts';
import { MOST_DOCUMENT_BYTES } from './limits.ts';
import { parseJson } from './manifest.ts';
import type { JsonObject } from './manifest.ts';
import { INDEX_TYPES, MANIFEST_TYPES } from './media-types.ts';
import { DEFAULT_REGISTRY } from './reference.ts';
import { Authenticator, isLoopback, paced, readLimited } from './registry-auth.ts';
import type { RegistryCredentials } from './registry-auth.ts';
import { RegistryError } from './registry-errors.ts';

export interface RegistryOptions {
  readonly registry: string;
  readonly repository: string;
  readonly credentials?: RegistryCredentials | undefined;
  readonly tls?: HttpTls | undefined;
  /** True: unencrypted also to other machines. */
  readonly plainHttp?: boolean;
  readonly onRetry?: ((reason: string, waitMs: number) => void) | undefined;
  /** What the registry wants users to know; each text once. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Blobs are sent in pieces of so many bytes; undefined: in one. */
  readonly chunkBytes?: number | undefined;
}

const DOCKER_HUB = 'registry-1.docker.io';
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 60_000;
const IDLE_TIMEOUT_MS = 60_000;
const MOST_REDIRECTS = 5;
const MOST_ERROR_BYTES = 65_536;
const RETRIED = new Set([429, 500, 502, 503, 504]);
/** Pages of one list: a registry could go on for ever. */
const MOST_PAGES = 10_000;
/** distribution-spec "Warnings": all of one answer together. */
const MOST_WARNING_CHARACTERS = 4096;

interface Ask {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each attempt. */
  readonly body?: () => Uint8Array | AsyncIterable<Uint8Array>;
  readonly actions: 'pull' | 'pull,push';
  /** What a token must allow, if it is not the actions. */
  readonly scope?: string;
  readonly accept: readonly number[];
  /** True: not tried again here, because what was sent may be there in part. */
  readonly once?: boolean;
}

/** A page of a list. */
export interface ListPage {
  readonly document: JsonObject;
  readonly headers: ReadonlyMap<string, string>;
}

export class RegistryClient {
  readonly #host: ImageHost;
  readonly #options: RegistryOptions;
  readonly #base: string;
  readonly #authenticator: Authenticator;
  readonly #http: HostHttp;
  readonly #warned = new Set<string>();

  /** @throws RegistryError where there is no network. */
  constructor(host: ImageHost, options: RegistryOptions) {
    if (host.http === undefined) throw new RegistryError('there is no network here', 0, 'ENETUNREACH');
    const { registry, plainHttp } = options;
    this.#host = host;
    this.#options = options;
    const isPlain = plainHttp === true || (isLoopback(registry) && options.tls === undefined);
    this.#base = `${isPlain ? 'http' : 'https'}://${registry === DEFAULT_REGISTRY ? DOCKER_HUB : registry}`;
    const { http, now } = host;
    this.#http = { request: async (request) => {
      const response = await http.request(request);
      return { ...response, body: paced(response.body, now, registry) };
    } };
    this.#authenticator = new Authenticator(this.#http, options.credentials, options.tls, IDLE_TIMEOUT_MS);
  }

  get #repository(): string {
    return `${this.#base}/v2/${this.#options.repository}`;
  }

  // ---- pull ----

  /** Whether we may speak with it: for `login`. @throws RegistryError */
  async ping(): Promise<void> {
    await this.#drain(await this.#ask({ method: 'GET', url: `${this.#base}/v2/`, actions: 'pull', accept: [200] }));
  }

  /** The bytes of a manifest or index, checked. `reference`: a tag or a digest. */
  async getManifest(reference: string): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string | undefined; readonly digest: Digest }> {
    const response = await this.#ask({ method: 'GET', url: `${this.#repository}/manifests/${reference}`, headers: { accept: [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ') }, actions: 'pull', accept: [200] });
    const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim();
    if (mediaType === 'text/html') {
      response.cancel();
      throw new RegistryError(`${this.#options.registry} answers with a web page`, 200, 'NO_REGISTRY', 'is that a registry?');
    }
    const bytes = await readLimited(response.body, MOST_DOCUMENT_BYTES, 'the manifest');
    const promised = isDigest(reference) ? reference : response.headers.get('docker-content-digest');
    const digest = digestOf(this.#host.codecs, bytes, isDigest(promised) ? algorithmOf(promised) : 'sha256');
    if (isDigest(promised) && promised !== digest) throw new DigestMismatchError('the manifest', promised, digest);
    return { bytes, mediaType: mediaType === 'application/json' || mediaType === 'text/plain' ? undefined : mediaType, digest };
  }

  /** A blob's bytes, resumed where the connection breaks. The caller checks its digest. */
  async *getBlob(digest: Digest, size: number): AsyncIterable<Uint8Array> {
    let done = 0;
    for (let failures = 0; ;) {
      const response = await this.#ask({ method: 'GET', url: `${this.#repository}/blobs/${digest}`, ...(done === 0 ? {} : { headers: { range: `bytes=${done}-` } }), actions: 'pull', accept: [200, 206] });
      let skip = response.status === 200 ? done : 0;
      const before = done;
      try {
        for await (const chunk of response.body) {
          const piece = skip > 0 ? chunk.subarray(Math.min(skip, chunk.length)) : chunk;
          skip -= chunk.length - piece.length;
          if (piece.length === 0) continue;
          done += piece.length;
          yield piece;
        }
        if (done >= size) return;
        throw new ImageFormatError(`the blob ${digest} ends after ${done} of ${size} bytes`, 'the registry has it spoiled, or lies');
      } catch (error) {
        if (!isNetworkError(error)) throw error;
        failures = done > before ? 1 : failures + 1;
        if (failures >= ATTEMPTS) throw this.#noAnswer(error);
        await this.#wait(failures, undefined, (error as Error).message);
      }
    }
  }

  /** Bytes of a blob, as the registry says. Undefined: it has none. */
  async blobSize(digest: Digest): Promise<number | undefined> {
    const response = await this.#ask({ method: 'HEAD', url: `${this.#repository}/blobs/${digest}`, actions: 'pull', accept: [200, 404] });
    await this.#drain(response);
    const length = Number(response.headers.get('content-length') ?? NaN);
    if (response.status === 404) return undefined;
    if (!Number.isSafeInteger(length) || length < 0) throw new RegistryError(`${this.#options.registry} does not say how long the blob ${digest} is`, response.status, 'NO_LENGTH', 'is that a registry?');
    return length;
  }

  // ---- push ----

  async hasBlob(digest: Digest): Promise<boolean> {
    const response = await this.#ask({ method: 'HEAD', url: `${this.#repository}/blobs/${digest}`, actions: 'pull,push', accept: [200, 404] });
    await this.#drain(response);
    return response.status === 200;
  }

  /**
   * Sends a blob, in one piece or in chunks. What a broken connection has left at the registry is not sent again. `from`: another
   * repository of the registry that has it; then nothing needs to be sent. `body`: its bytes from one position to another.
   */
  async putBlob(digest: Digest, size: number, body: (start: number, end: number) => AsyncIterable<Uint8Array>, from?: string): Promise<'sent' | 'mounted'> {
    const mount = from === undefined ? '' : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    let started = await this.#startUpload(mount);
    if (started === 'mounted') return 'mounted';
    let done = 0;
    for (let failures = 0; ;) {
      try {
        const { location, least } = started;
        await this.#send(location, done, { digest, size, body, chunk: this.#options.chunkBytes === undefined ? undefined : Math.max(this.#options.chunkBytes, least) });
        return 'sent';
      } catch (error) {
        failures++;
        if (failures >= ATTEMPTS || !isBroken(error)) throw isNetworkError(error) ? this.#noAnswer(error) : error;
        await this.#wait(failures, undefined, (error as Error).message);
        const status = await this.#uploadStatus(started.location);
        // The upload may have ended, and only the answer was lost.
        if (status === undefined && await this.hasBlob(digest)) return 'sent';
        const next = status ?? { ...await this.#startUpload(''), done: 0 };
        if (next.done > done) failures = 0;
        started = { location: next.location, least: started.least };
        done = next.done;
      }
    }
  }

  async #startUpload(mount: ''): Promise<{ readonly location: string; readonly least: number }>;
  async #startUpload(mount: string): Promise<'mounted' | { readonly location: string; readonly least: number }>;
  async #startUpload(mount: string): Promise<'mounted' | { readonly location: string; readonly least: number }> {
    const started = await this.#ask({ method: 'POST', url: `${this.#repository}/blobs/uploads/${mount}`, headers: { 'content-length': '0' }, actions: 'pull,push', accept: mount === '' ? [202] : [201, 202] });
    await this.#drain(started);
    if (started.status === 201) return 'mounted';
    const least = Number(started.headers.get('oci-chunk-min-length') ?? 0);
    return { location: this.#locationOf(started, this.#base), least: Number.isSafeInteger(least) ? least : 0 };
  }

  /** Where the registry wants the next bytes. */
  #locationOf(response: HttpResponse, base: string): string {
    const location = response.headers.get('location');
    if (location === undefined) throw new RegistryError(`${this.#options.registry} does not say where to send a blob`, response.status, 'NO_LOCATION', 'is that a registry?');
    const url = this.#address(location, new URL(base), response.status);
    if (url.origin !== new URL(this.#base).origin && url.protocol !== 'https:') throw new RegistryError(`${this.#options.registry} wants a blob sent to ${url.origin}, which is not encrypted`, response.status, 'NO_LOCATION', 'do not trust this registry');
    return url.href;
  }

  /** distribution-spec "Pushing a blob monolithically", "Pushing a blob in chunks". */
  async #send(location: string, done: number, { digest, size, body, chunk }: { readonly digest: Digest; readonly size: number; readonly body: (start: number, end: number) => AsyncIterable<Uint8Array>; readonly chunk: number | undefined }): Promise<void> {
    const type = { 'content-type': 'application/octet-stream' };
    let at = location;
    for (let start = done; start < size && (chunk !== undefined || done > 0);) {
      const end = Math.min(size, start + (chunk ?? size));
      const sent = await this.#ask({ method: 'PATCH', url: at, headers: { ...type, 'content-length': String(end - start), 'content-range': `${start}-${end - 1}` }, body: () => body(start, end), actions: 'pull,push', accept: [202], once: true });
      await this.#drain(sent);
      at = this.#locationOf(sent, at);
      start = end;
    }
    const url = new URL(at);
    url.searchParams.set('digest', digest);
    const isWhole = chunk === undefined && done === 0;
    await this.#drain(await this.#ask({ method: 'PUT', url: url.href, headers: isWhole ? { ...type, 'content-length': String(size) } : { 'content-length': '0' }, ...(isWhole ? { body: () => body(0, size) } : {}), actions: 'pull,push', accept: [201], once: true }));
  }

  /** How much of an upload is there, and where to go on. Undefined: it is no more. */
  async #uploadStatus(location: string): Promise<{ readonly location: string; readonly done: number } | undefined> {
    const response = await this.#ask({ method: 'GET', url: location, actions: 'pull,push', accept: [200, 204, 404] });
    await this.#drain(response);
    const end = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get('range') ?? '')?.[1];
    if (response.status === 404 || end === undefined) return undefined;
    // 0-0 is said of no byte and of one: then all is sent again, to another upload.
    return end === '0' ? undefined : { location: this.#locationOf(response, location), done: Number(end) + 1 };
  }

  /** `subject`: the registry has put the manifest into the list of those about its subject, if it has one. */
  async putManifest(reference: string, bytes: Uint8Array, mediaType: string): Promise<{ readonly subject: boolean }> {
    const response = await this.#ask({ method: 'PUT', url: `${this.#repository}/manifests/${reference}`, headers: { 'content-type': mediaType, 'content-length': String(bytes.length) }, body: () => bytes, actions: 'pull,push', accept: [201] });
    await this.#drain(response);
    return { subject: response.headers.has('oci-subject') };
  }

  // ---- lists ----

  /** Pages of a list of the repository (`tags/list`) or, with a path that begins with a slash, of the registry. Nothing: 404. */
  async *pages(path: string): AsyncIterable<ListPage> {
    let url: string | undefined = path.startsWith('/') ? `${this.#base}/v2${path}` : `${this.#repository}/${path}`;
    for (let page = 0; url !== undefined; page++) {
      if (page >= MOST_PAGES) throw new RegistryError(`${this.#options.registry} has a list of more than ${MOST_PAGES} pages`, 200, 'TOO_LARGE', 'do not trust this registry');
      const response = await this.#ask({ method: 'GET', url, actions: 'pull', accept: [200, 404], ...(path.startsWith('/') ? { scope: 'registry:catalog:*' } : {}) });
      const bytes = await readLimited(response.body, MOST_DOCUMENT_BYTES, 'the list');
      if (response.status === 404) return;
      yield { document: parseJson(bytes, 'the list'), headers: response.headers };
      url = this.#nextPage(response, url);
    }
  }

  /** RFC 8288: the same registry goes on with a list. */
  #nextPage({ headers, status }: HttpResponse, url: string): string | undefined {
    const link = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(headers.get('link') ?? '')?.[1];
    if (link === undefined) return undefined;
    const next = new URL(link, url);
    if (next.origin !== new URL(url).origin) throw new RegistryError(`${this.#options.registry} goes on with its list at ${next.origin}`, status, 'REDIRECTS', 'do not trust this registry');
    return next.href;
  }

  // ---- one request ----

  async #drain(response: HttpResponse): Promise<void> {
    await readLimited(response.body, MOST_DOCUMENT_BYTES, 'the answer');
  }

  async #ask(ask: Ask): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      let response: HttpResponse;
      try {
        response = await this.#authenticated(ask);
      } catch (error) {
        if (ask.once === true) throw error;
        if (!isNetworkError(error) || attempt >= ATTEMPTS || isHopeless(error)) throw isNetworkError(error) ? this.#noAnswer(error) : error;
        await this.#wait(attempt, undefined, (error as Error).message);
        continue;
      }
      this.#warn(response);
      if (ask.accept.includes(response.status)) return response;
      const failure = await this.#failure(response, ask);
      if (ask.once === true || !RETRIED.has(response.status) || attempt >= ATTEMPTS) throw failure;
      await this.#wait(attempt, response.headers.get('retry-after'), failure.message);
    }
  }

  async #authenticated(ask: Ask): Promise<HttpResponse> {
    const scope = ask.scope ?? `repository:${this.#options.repository}:${ask.actions}`;
    const first = await this.#redirected(ask, this.#authenticator.headerFor(scope));
    if (first.status !== 401) return first;
    const header = await this.#authenticator.answer(first.headers.get('www-authenticate'), scope);
    if (header === undefined) return first;
    await this.#drain(first);
    return this.#redirected(ask, header);
  }

  /** `299 - "text"` (distribution-spec "Warnings"): to be shown, and nothing else. */
  #warn({ headers }: HttpResponse): void {
    for (const [, quoted = ''] of (headers.get('warning') ?? '').slice(0, MOST_WARNING_CHARACTERS).matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)) {
      const text = quoted.replace(/\\(.)/g, '$1').replace(/[\p{Cc}]/gu, ' ');
      if (!this.#warned.has(text)) this.#options.onWarning?.(text);
      this.#warned.add(text);
    }
  }

  /** Follows redirects of a GET; what says who we are goes to the registry itself only. */
  async #redirected({ method, url, headers, body }: Ask, authorization: string | undefined): Promise<HttpResponse> {
    const origin = new URL(this.#base).origin;
    let at = new URL(url);
    for (let redirects = 0; ; redirects++) {
      const response = await this.#http.request({
        method, url: at.href, idleTimeoutMs: IDLE_TIMEOUT_MS,
        headers: { 'user-agent': 'caisson', ...headers, ...(authorization === undefined || at.origin !== origin ? {} : { authorization }) },
        ...(body === undefined ? {} : { body: body() }), ...(this.#options.tls === undefined ? {} : { tls: this.#options.tls }),
      });
      const location = response.headers.get('location');
      if ((method !== 'GET' && method !== 'HEAD') || location === undefined || ![301, 302, 303, 307, 308].includes(response.status)) return response;
      response.cancel();
      const next = this.#address(location, at, response.status);
      if (redirects >= MOST_REDIRECTS) throw new RegistryError(`${this.#options.registry} redirects more than ${MOST_REDIRECTS} times`, response.status, 'REDIRECTS');
      const isSafe = next.protocol === 'https:' || (next.protocol === 'http:' && at.protocol === 'http:');
      if (!isSafe) throw new RegistryError(`${this.#options.registry} redirects to ${next.origin}, which is not encrypted`, response.status, 'REDIRECTS', 'do not trust this registry');
      at = next;
    }
  }

  #address(location: string, base: URL, status: number): URL {
    if (!URL.canParse(location, base)) throw new RegistryError(`${this.#options.registry} redirects to "${location.slice(0, 100)}", which is no address`, status, 'REDIRECTS', 'is that a registry?');
    return new URL(location, base);
  }

  async #wait(attempt: number, retryAfter: string | undefined, reason: string): Promise<void> {
    const random = new Uint8Array(1);
    this.#host.random(random);
    const asked = retryAfter === undefined ? NaN : /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - this.#host.now();
    const own = FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.75 + random[0]! / 512);
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(Number.isNaN(asked) ? 0 : asked, own));
    this.#options.onRetry?.(reason, waitMs);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  #noAnswer(error: unknown): RegistryError {
    const { code = 'ENETWORK', message } = error as { code?: string; message: string };
    const advice = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code) ? 'its certificate is not trusted: name its authority with --cacert' : code === 'ENOTFOUND' ? 'check the name of the registry' : 'check the name, the port and the network';
    return new RegistryError(`${this.#options.registry} does not answer: ${message}`, 0, code, advice, { cause: error });
  }

  async #failure(response: HttpResponse, { method, url }: Ask): Promise<RegistryError> {
    const { registry, repository } = this.#options;
    let code = '';
    let message = '';
    try {
      const text = new TextDecoder().decode(await readLimited(response.body, MOST_ERROR_BYTES, 'the answer'));
      const [first] = (JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] }).errors ?? [];
      if (typeof first?.code === 'string' && /^\w{1,64}$/.test(first.code)) code = first.code;
      if (typeof first?.message === 'string') message = first.message.replace(/[\p{Cc}]/gu, ' ').slice(0, 200);
    } catch {
      response.cancel();
    }
    const { status } = response;
    if (status === 401) return new RegistryError(`${registry} wants to know who you are`, status, code, `log in with "caisson login ${registry}"`);
    if (status === 403) return new RegistryError(`${registry} does not let you ${method === 'GET' || method === 'HEAD' ? 'read' : 'write'} ${repository}${message === '' ? '' : `: ${message}`}`, status, code, 'ask who runs it, or log in as someone else');
    if (status === 404) return new RegistryError(`${url.includes('/manifests/') ? `${repository}:${url.slice(url.lastIndexOf('/') + 1)}` : repository} is not in ${registry}`, status, code, 'check the name and the tag');
    return new RegistryError(`${registry} answers ${status}${code === '' ? '' : ` ${code}`}${message === '' ? '' : `: ${message}`}`, status, code, status === 429 ? 'too many requests: wait, or log in' : undefined);
  }
}

/** What `node:http` and browsers throw where there is no answer, or half of one. */
function isNetworkError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && !(error instanceof RegistryError);
}

/** An upload that failed so may be gone on with: the connection broke, the registry is busy, or it has other bytes than we think. */
function isBroken(error: unknown): boolean {
  if (error instanceof RegistryError) return RETRIED.has(error.status) || error.status === 416;
  return isNetworkError(error) && !isHopeless(error);
}

/** Trying again does not help. */
function isHopeless(error: unknown): boolean {
  const { code } = error as { code: string };
  return ['ENOTFOUND', 'ECONNREFUSED', 'ERR_INVALID_URL', 'EPROTO'].includes(code) || /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code);
}

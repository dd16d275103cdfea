/** A client of one repository (OCI distribution-spec 1.1, Docker Registry HTTP API V2). */
import type { HostHttp, HttpResponse, HttpTls, ImageHost } from '../host/types.ts';
import { digestOf, algorithmOf, isDigest } from './digest.ts';
import type { Digest } from './digest.ts';
import { DigestMismatchError, ImageFormatError } from './errors.ts';
import { MOST_DOCUMENT_BYTES } from './limits.ts';
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
}

const DOCKER_HUB = 'registry-1.docker.io';
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 60_000;
const IDLE_TIMEOUT_MS = 60_000;
const MOST_REDIRECTS = 5;
const MOST_ERROR_BYTES = 65_536;
const RETRIED = new Set([429, 500, 502, 503, 504]);

interface Ask {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each attempt. */
  readonly body?: () => Uint8Array | AsyncIterable<Uint8Array>;
  readonly actions: 'pull' | 'pull,push';
  readonly accept: readonly number[];
}

export class RegistryClient {
  readonly #host: ImageHost;
  readonly #options: RegistryOptions;
  readonly #base: string;
  readonly #authenticator: Authenticator;
  readonly #http: HostHttp;

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

  // ---- push ----

  async hasBlob(digest: Digest): Promise<boolean> {
    const response = await this.#ask({ method: 'HEAD', url: `${this.#repository}/blobs/${digest}`, actions: 'pull,push', accept: [200, 404] });
    await this.#drain(response);
    return response.status === 200;
  }

  /** In one piece. `from`: another repository of the registry that has it; then nothing needs to be sent. */
  async putBlob(digest: Digest, size: number, body: () => AsyncIterable<Uint8Array>, from?: string): Promise<'sent' | 'mounted'> {
    const mount = from === undefined ? '' : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    const started = await this.#ask({ method: 'POST', url: `${this.#repository}/blobs/uploads/${mount}`, headers: { 'content-length': '0' }, actions: 'pull,push', accept: [201, 202] });
    await this.#drain(started);
    if (started.status === 201) return 'mounted';
    const location = started.headers.get('location');
    if (location === undefined) throw new RegistryError(`${this.#options.registry} does not say where to send a blob`, started.status, 'NO_LOCATION', 'is that a registry?');
    const url = this.#address(location, new URL(this.#base), started.status);
    if (url.origin !== new URL(this.#base).origin && url.protocol !== 'https:') throw new RegistryError(`${this.#options.registry} wants a blob sent to ${url.origin}, which is not encrypted`, started.status, 'NO_LOCATION', 'do not trust this registry');
    url.searchParams.set('digest', digest);
    await this.#drain(await this.#ask({ method: 'PUT', url: url.href, headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) }, body, actions: 'pull,push', accept: [201] }));
    return 'sent';
  }

  async putManifest(reference: string, bytes: Uint8Array, mediaType: string): Promise<void> {
    await this.#drain(await this.#ask({ method: 'PUT', url: `${this.#repository}/manifests/${reference}`, headers: { 'content-type': mediaType, 'content-length': String(bytes.length) }, body: () => bytes, actions: 'pull,push', accept: [201] }));
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
        if (!isNetworkError(error) || attempt >= ATTEMPTS || isHopeless(error)) throw isNetworkError(error) ? this.#noAnswer(error) : error;
        await this.#wait(attempt, undefined, (error as Error).message);
        continue;
      }
      if (ask.accept.includes(response.status)) return response;
      const failure = await this.#failure(response, ask);
      if (!RETRIED.has(response.status) || attempt >= ATTEMPTS) throw failure;
      await this.#wait(attempt, response.headers.get('retry-after'), failure.message);
    }
  }

  async #authenticated(ask: Ask): Promise<HttpResponse> {
    const scope = `repository:${this.#options.repository}:${ask.actions}`;
    const first = await this.#redirected(ask, this.#authenticator.headerFor(scope));
    if (first.status !== 401) return first;
    const header = await this.#authenticator.answer(first.headers.get('www-authenticate'), scope);
    if (header === undefined) return first;
    await this.#drain(first);
    return this.#redirected(ask, header);
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
      if (method !== 'GET' || location === undefined || ![301, 302, 303, 307, 308].includes(response.status)) return response;
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
    if (status === 403) return new RegistryError(`${registry} does not let you ${method === 'GET' || method === 'HEAD' ? 'read' : 'write'} ${repository}`, status, code, 'ask who runs it, or log in as someone else');
    if (status === 404) return new RegistryError(`${url.includes('/manifests/') ? `${repository}:${url.slice(url.lastIndexOf('/') + 1)}` : repository} is not in ${registry}`, status, code, 'check the name and the tag');
    return new RegistryError(`${registry} answers ${status}${code === '' ? '' : ` ${code}`}${message === '' ? '' : `: ${message}`}`, status, code, status === 429 ? 'too many requests: wait, or log in' : undefined);
  }
}

/** What `node:http` and browsers throw where there is no answer, or half of one. */
function isNetworkError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && !(error instanceof RegistryError);
}

/** Trying again does not help. */
function isHopeless(error: unknown): boolean {
  const { code } = error as { code: string };
  return ['ENOTFOUND', 'ECONNREFUSED', 'ERR_INVALID_URL', 'EPROTO'].includes(code) || /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code);
}

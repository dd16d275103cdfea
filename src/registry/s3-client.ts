/** Requests to an S3-compatible bucket (Amazon S3 API Reference): signed (Signature Version 4, by aws4fetch), made again where that can help. */
import { AwsV4Signer } from 'aws4fetch';
import type { HttpResponse, HttpTls, ImageHost } from '../host/types.ts';
import { FIRST_BUCKET_WAIT_MS, LONGEST_BUCKET_WAIT_MS, MOST_BUCKET_ANSWER_BYTES, MOST_BUCKET_MS, MOST_BUCKET_TRIES } from './limits.ts';
import { BucketError, adviceFor } from './s3-errors.ts';
import { partsDocument, readError, readList, readUploadId, readUploads } from './s3-xml.ts';
import type { ListedObject, ListedUpload } from './s3-xml.ts';

export interface BucketOptions {
  readonly bucket: string;
  /** Before all keys: empty, or ends with `/`. */
  readonly prefix: string;
  readonly region: string;
  /** `https://s3.example:9000` */
  readonly endpoint: string;
  /** The bucket is the first part of the path; otherwise of the host's name. */
  readonly pathStyle: boolean;
  readonly credentials: BucketCredentials;
  readonly tls: HttpTls | undefined;
  /** Bytes of each part of a large object but the last: 5 MiB at least. */
  readonly partBytes: number;
  /** Of what is put: `x-amz-server-side-encryption`, `x-amz-storage-class`. */
  readonly putHeaders: Readonly<Record<string, string>>;
  /** Without a byte for this long a request fails, and is made again. */
  readonly timeoutMs: number;
}

export interface BucketCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Without the prefix; undefined: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** One after the other; they are not copied. */
  readonly body?: readonly Uint8Array[];
  /** Answers beside 2xx that whoever asks understands. */
  readonly accept?: readonly number[];
  /** Completes "cannot ...". */
  readonly what: string;
  /** 1: an answer at once, whatever it is. */
  readonly tries?: number;
}

export interface ObjectPart {
  readonly key: string;
  readonly start: number;
  /** Of the last byte. */
  readonly end: number;
  /** Of the whole object. */
  readonly size: number;
  /** That of the object, where it may have changed. */
  readonly etag?: string;
}

export interface StoredObject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly modifiedMs: number;
}

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** Between two clocks: a date has whole seconds, and takes a while to come here. */
const CLOCK_DOUBT_MS = 3000;
/** Room for an answer that does not say how long it is. */
const FIRST_ANSWER_BYTES = 2 ** 14;
/** The network's codes that another try does not change. */
const FINAL_CODES = /^(?:CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ENOTFOUND|ERR_INVALID)/;

/** RFC 3986: all but unreserved characters; the signature is of just that. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Twice as many, or what is needed. */
function grown(bytes: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, 2 * bytes.length));
  larger.set(bytes);
  return larger;
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

async function* inTurn(pieces: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  for (const piece of pieces) if (piece.length > 0) yield piece;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A failure on the way, or one that the server calls passing. */
class Passing extends Error {
  readonly error: BucketError;
  readonly waitMs: number;

  constructor(error: BucketError, waitMs = 0) {
    super(error.message);
    this.error = error;
    this.waitMs = waitMs;
  }
}

export class S3Client {
  readonly options: BucketOptions;
  readonly #host: ImageHost;
  /** Keys for signatures, which are those of a day. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();
  /** What the server's clock is ahead of ours. */
  #skewMs = 0;

  constructor(host: ImageHost, options: BucketOptions) {
    this.#host = host;
    this.options = options;
  }

  /** By the server's clock, which dates what is stored; it is known to some seconds. */
  now(): number {
    return this.#host.now() + this.#skewMs;
  }

  #urlOf({ key, query = {} }: S3Request): string {
    const { endpoint, bucket, pathStyle, prefix } = this.options;
    const url = new URL(endpoint);
    const base = `${url.protocol}//${pathStyle ? '' : `${bucket}.`}${url.host}${url.pathname.replace(/\/$/, '')}${pathStyle ? `/${encode(bucket)}` : ''}`;
    const path = key === undefined ? (pathStyle ? '' : '/') : `/${(prefix + key).split('/').map(encode).join('/')}`;
    const parameters = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
    return `${base}${path}${parameters === '' ? '' : `?${parameters}`}`;
  }

  #sha256(body: readonly Uint8Array[] | undefined): string {
    if (body === undefined) return EMPTY_SHA256;
    const digest = this.#host.codecs.createDigest('sha256');
    for (const piece of body) digest.update(piece);
    return digest.hex();
  }

  async #signed(request: S3Request, hash: string): Promise<{ readonly url: string; readonly headers: Record<string, string> }> {
    const { credentials: { accessKeyId, secretAccessKey, sessionToken }, region } = this.options;
    const url = this.#urlOf(request);
    const datetime = new Date(this.now()).toISOString().replace(/[:-]|\.\d{3}/g, '');
    if (this.#signingKeys.size > 2) this.#signingKeys.clear();
    const signer = new AwsV4Signer({ method: request.method, url, headers: { ...request.headers, 'x-amz-content-sha256': hash }, accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }), service: 's3', region, datetime, cache: this.#signingKeys });
    const signed: Record<string, string> = {};
    (await signer.sign()).headers.forEach((value, name) => void (signed[name] = value));
    const length = request.method === 'PUT' || request.method === 'POST' ? { 'content-length': String(lengthOf(request.body ?? [])) } : {};
    return { url, headers: { ...signed, ...length } };
  }

  #fail(what: string, reason: string, code: string, status?: number, cause?: unknown): BucketError {
    return new BucketError(`cannot ${what} in the bucket "${this.options.bucket}": ${reason}`, code, status, adviceFor(code), { cause });
  }

  /** @throws BucketError; Passing where another try may help */
  async #once(request: S3Request, hash: string): Promise<HttpResponse> {
    const { http } = this.#host;
    const { url, headers } = await this.#signed(request, hash);
    let response: HttpResponse;
    try {
      if (http === undefined) throw Object.assign(new Error('there is no network here'), { code: 'ENETDOWN' });
      response = await http.request({ method: request.method, url, headers, ...(request.body === undefined ? {} : { body: request.body.length === 1 ? request.body[0]! : inTurn(request.body) }), ...(this.options.tls === undefined ? {} : { tls: this.options.tls }), idleTimeoutMs: this.options.timeoutMs });
    } catch (error) {
      const { code = 'ENETWORK', message } = error as { code?: string; message: string };
      const failure = this.#fail(request.what, message, code, undefined, error);
      throw FINAL_CODES.test(code) ? failure : new Passing(failure);
    }
    const date = Date.parse(response.headers.get('date') ?? '');
    if (response.status >= 200 && response.status < 300) {
      this.#setClock(date);
      return response;
    }
    if (request.accept?.includes(response.status) === true) return response;
    throw await this.#refusal(request, response, date);
  }

  /** `date`: of an answer, in whole seconds. A difference that this could explain is none, so that times follow each other as their events do. */
  #setClock(date: number): void {
    const skewMs = date + 500 - this.#host.now();
    if (Math.abs(skewMs - this.#skewMs) > CLOCK_DOUBT_MS) this.#skewMs = Math.abs(skewMs) <= CLOCK_DOUBT_MS ? 0 : skewMs;
  }

  async #refusal({ what, method }: S3Request, response: HttpResponse, date: number): Promise<Error> {
    const { status, headers } = response;
    const text = method === 'HEAD' ? '' : new TextDecoder().decode(await this.#read(response, MOST_BUCKET_ANSWER_BYTES, what).catch(() => new Uint8Array()));
    const error = readError(text);
    const code = error?.code ?? `HTTP${status}`;
    const region = headers.get('x-amz-bucket-region') ?? error?.region;
    const reason = `it answers ${status}${error === undefined ? '' : ` ${code}: ${error.message}`}${region !== undefined && region !== this.options.region ? ` (it is in the region ${region})` : ''}`;
    const failure = this.#fail(what, reason, status === 403 && error === undefined ? 'AccessDenied' : code, status);
    if (code === 'RequestTimeTooSkewed' && !Number.isNaN(date)) {
      this.#setClock(date);
      return new Passing(failure);
    }
    const isPassing = status === 429 || status === 408 || (status >= 500 && status !== 501) || code === 'RequestTimeout' || code === 'SlowDown' || code === 'OperationAborted';
    return isPassing ? new Passing(failure, Math.max(0, Number(headers.get('retry-after') ?? 0) * 1000 || 0)) : failure;
  }

  /** @throws BucketError when it has failed for the last time */
  async #send<Result>(request: S3Request, read: (response: HttpResponse, attempt: number) => Promise<Result>): Promise<Result> {
    const hash = this.#sha256(request.body);
    const started = this.#host.now();
    for (let attempt = 1; ; attempt++) {
      try {
        return await read(await this.#once(request, hash), attempt);
      } catch (error) {
        if (!(error instanceof Passing)) throw error;
        // Not all instances of a registry at the same moment.
        const wait = Math.min(LONGEST_BUCKET_WAIT_MS, Math.max(error.waitMs, FIRST_BUCKET_WAIT_MS * 2 ** (attempt - 1) * (0.75 + Math.random() / 2)));
        if (attempt >= (request.tries ?? MOST_BUCKET_TRIES) || this.#host.now() + wait - started > MOST_BUCKET_MS) throw error.error;
        await sleep(wait);
      }
    }
  }

  /** All of a body. @throws BucketError where there is more than `most`; Passing where it is cut short */
  async #read(response: HttpResponse, most: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
    const promised = Number(response.headers.get('content-length') ?? NaN);
    let bytes = new Uint8Array(promised <= most ? promised : FIRST_ANSWER_BYTES);
    let size = 0;
    try {
      for await (const chunk of response.body) {
        if (size + chunk.length > most) throw this.#fail(what, `the answer has more than ${most} bytes`, 'EntityTooLarge');
        if (size + chunk.length > bytes.length) bytes = grown(bytes, size + chunk.length);
        bytes.set(chunk, size);
        size += chunk.length;
      }
    } catch (error) {
      if (error instanceof BucketError) {
        response.cancel();
        throw error;
      }
      throw new Passing(this.#fail(what, `the answer was cut: ${(error as Error).message}`, 'ECONNRESET', undefined, error));
    }
    if (!Number.isNaN(promised) && promised !== size) throw new Passing(this.#fail(what, `the answer has ${size} bytes where ${promised} were promised`, 'ECONNRESET'));
    return bytes.subarray(0, size);
  }

  async #readText(response: HttpResponse, what: string): Promise<string> {
    return new TextDecoder().decode(await this.#read(response, MOST_BUCKET_ANSWER_BYTES, what));
  }

  async #drain(response: HttpResponse, what: string): Promise<void> {
    await this.#read(response, MOST_BUCKET_ANSWER_BYTES, what);
  }

  /** A small object, whole. Undefined: there is none. */
  async get(key: string, most: number): Promise<StoredObject | undefined> {
    const what = `read ${key}`;
    return this.#send({ method: 'GET', key, accept: [404], what }, async (response) => {
      if (response.status === 404) return this.#absent(response, what);
      const bytes = await this.#read(response, most, what);
      return { bytes, etag: response.headers.get('etag') ?? '', modifiedMs: Date.parse(response.headers.get('last-modified') ?? '') };
    });
  }

  /** The first bytes of an object, and how many it has in all. Undefined: there is none. */
  async getStart(key: string, most: number): Promise<(StoredObject & { readonly size: number }) | undefined> {
    const what = `read ${key}`;
    return this.#send({ method: 'GET', key, headers: { range: `bytes=0-${most - 1}` }, accept: [404], what }, async (response) => {
      if (response.status === 404) return this.#absent(response, what);
      const bytes = await this.#read(response, most, what);
      const size = response.status === 200 ? bytes.length : Number(/^bytes 0-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? NaN);
      if (!(size >= bytes.length)) throw this.#fail(what, 'the answer does not say how many bytes it has', 'InvalidRange', response.status);
      return { bytes, size, etag: response.headers.get('etag') ?? '', modifiedMs: Date.parse(response.headers.get('last-modified') ?? '') };
    });
  }

  /** 404 is of an object, or of a bucket that is gone: that is no "there is none". */
  async #absent(response: HttpResponse, what: string): Promise<undefined> {
    const error = readError(await this.#readText(response, what));
    if (error?.code === 'NoSuchBucket') throw this.#fail(what, `it answers 404 ${error.code}: ${error.message}`, error.code, 404);
    return undefined;
  }

  /** Bytes of an object. Undefined: there is none. */
  async head(key: string): Promise<number | undefined> {
    const what = `look up ${key}`;
    return this.#send({ method: 'HEAD', key, accept: [404], what }, async (response) => {
      await this.#drainHead(response);
      if (response.status === 404) return undefined;
      const length = response.headers.get('content-length') ?? '';
      if (!/^\d+$/.test(length)) throw this.#fail(what, 'the answer does not say how many bytes it has', 'MissingContentLength', response.status);
      return Number(length);
    });
  }

  async #drainHead({ body }: HttpResponse): Promise<void> {
    for await (const chunk of body) if (chunk.length > 0) return;
  }

  /** A part of an object from `start` on, as it comes. Undefined: there is none. @throws BucketError where it is not the object that it should be */
  async open({ key, end, size, etag }: ObjectPart, start: number): Promise<HttpResponse | undefined> {
    const what = `read ${key}`;
    return this.#send({ method: 'GET', key, headers: { range: `bytes=${start}-${end}` }, accept: [404, 416], what }, async (response) => {
      if (response.status === 404) return this.#absent(response, what);
      const length = Number(response.headers.get('content-length') ?? NaN);
      const isWhole = response.status === 200 && start === 0 && end === size - 1;
      if (etag !== undefined && response.headers.get('etag') !== etag) {
        response.cancel();
        throw this.#fail(what, 'it has changed meanwhile', 'PreconditionFailed', response.status);
      }
      const isPart = response.status === 206 && response.headers.get('content-range') === `bytes ${start}-${end}/${size}`;
      if (!(isWhole || isPart) || length !== end - start + 1) {
        response.cancel();
        throw this.#fail(what, `it should have ${size} bytes, and the answer to "bytes=${start}-${end}" is ${response.status} with ${response.headers.get('content-length') ?? 'an unknown number of'} bytes`, 'InvalidRange', response.status);
      }
      return response;
    });
  }

  async put(key: string, ...body: readonly Uint8Array[]): Promise<{ readonly etag: string }> {
    const what = `write ${key}`;
    return this.#send({ method: 'PUT', key, body: body.filter(({ length }) => length > 0), headers: { 'content-type': 'application/octet-stream', ...this.options.putHeaders }, what }, async (response) => {
      await this.#drain(response, what);
      return { etag: response.headers.get('etag') ?? '' };
    });
  }

  /** It is gone afterwards, if it was there. */
  async delete(key: string): Promise<void> {
    const what = `delete ${key}`;
    await this.#send({ method: 'DELETE', key, accept: [404], what }, (response) => this.#drain(response, what));
  }

  /** Server-side; 5 GiB at most. */
  async copy(from: string, to: string): Promise<void> {
    const { bucket, prefix, putHeaders } = this.options;
    const what = `copy ${from}`;
    await this.#send({ method: 'PUT', key: to, headers: { 'x-amz-copy-source': `/${encode(bucket)}/${(prefix + from).split('/').map(encode).join('/')}`, ...putHeaders }, what }, async (response) => {
      const error = readError(await this.#readText(response, what));
      if (error !== undefined) throw new Passing(this.#fail(what, `it answers ${error.code}: ${error.message}`, error.code));
    });
  }

  /** Objects whose keys begin so, in the order of the server, a thousand at a time. Keys are without the prefix of all. */
  async *list(start: string, most = Infinity, tries = MOST_BUCKET_TRIES): AsyncGenerator<ListedObject, void> {
    const { prefix } = this.options;
    const what = `list ${start}`;
    let token: string | undefined;
    let left = most;
    do {
      const query = { 'list-type': '2', 'encoding-type': 'url', 'max-keys': String(Math.min(left, 1000)), prefix: prefix + start, ...(token === undefined ? {} : { 'continuation-token': token }) };
      const page = await this.#send({ method: 'GET', query, what, tries }, async (response) => readList(await this.#readText(response, what)));
      if (page === undefined) throw this.#fail(what, 'the answer is no list of objects', 'MalformedXML');
      if (page.next !== undefined && page.next === token) throw this.#fail(what, 'the same page comes again and again', 'MalformedXML');
      token = page.next;
      for (const object of page.objects) if (object.key.startsWith(prefix + start) && left-- > 0) yield { ...object, key: object.key.slice(prefix.length) };
    } while (token !== undefined && left > 0);
  }

  /** Begins an object of several parts. */
  async beginParts(key: string): Promise<string> {
    const what = `begin ${key}`;
    const id = await this.#send({ method: 'POST', key, query: { uploads: '' }, headers: { 'content-type': 'application/octet-stream', ...this.options.putHeaders }, what }, async (response) => readUploadId(await this.#readText(response, what)));
    if (id === undefined || id === '') throw this.#fail(what, 'the answer names no upload', 'MalformedXML');
    return id;
  }

  /** `number`: from 1. Answers its entity tag. */
  async putPart(key: string, uploadId: string, number: number, bytes: Uint8Array): Promise<string> {
    const what = `write part ${number} of ${key}`;
    const etag = await this.#send({ method: 'PUT', key, query: { partNumber: String(number), uploadId }, body: [bytes], what }, async (response) => {
      await this.#drain(response, what);
      return response.headers.get('etag');
    });
    if (etag === undefined) throw this.#fail(what, 'the answer has no entity tag', 'MalformedXML');
    return etag;
  }

  /** Makes parts one object of `size` bytes. False: there is no such upload, and no such object. */
  async completeParts(key: string, uploadId: string, etags: readonly string[], size: number): Promise<boolean> {
    const what = `complete ${key}`;
    const isComplete = await this.#send({ method: 'POST', key, query: { uploadId }, headers: { 'content-type': 'application/xml' }, body: [new TextEncoder().encode(partsDocument(etags))], accept: [404], what }, async (response) => {
      if (response.status === 404) {
        await this.#absent(response, what);
        return false;
      }
      // The head may have been sent before it was known how it ends.
      const error = readError(await this.#readText(response, what));
      if (error !== undefined) throw new Passing(this.#fail(what, `it answers ${error.code}: ${error.message}`, error.code));
      return true;
    });
    // Completed before, by a request whose answer was lost.
    const found = await this.head(key);
    if (isComplete && found !== size) throw this.#fail(what, `it should have ${size} bytes, and has ${found ?? 'none'}`, 'InvalidPart');
    return found === size;
  }

  async abortParts(key: string, uploadId: string): Promise<void> {
    const what = `give up ${key}`;
    await this.#send({ method: 'DELETE', key, query: { uploadId }, accept: [404, 501], what }, (response) => this.#drain(response, what));
  }

  /** Objects of several parts that were begun. Ends at once where the server does not tell (501). */
  async *listParts(start: string): AsyncGenerator<ListedUpload, void> {
    const { prefix } = this.options;
    const what = `list the uploads of ${start}`;
    for (let markers: readonly [string, string] | undefined, isFirst = true; isFirst || markers !== undefined; isFirst = false) {
      const query = { uploads: '', prefix: prefix + start, ...(markers === undefined ? {} : { 'key-marker': markers[0], 'upload-id-marker': markers[1] }) };
      const text = await this.#send({ method: 'GET', query, accept: [501], what }, (response) => this.#readText(response, what).then((body) => (response.status === 501 ? undefined : body)));
      if (text === undefined) return;
      const page = readUploads(text);
      if (page === undefined) throw this.#fail(what, 'the answer is no list of uploads', 'MalformedXML');
      if (markers !== undefined && page.next?.join('\n') === markers.join('\n')) throw this.#fail(what, 'the same page comes again and again', 'MalformedXML');
      markers = page.next;
      for (const upload of page.uploads) if (upload.key.startsWith(prefix + start)) yield { ...upload, key: upload.key.slice(prefix.length) };
    }
  }
}

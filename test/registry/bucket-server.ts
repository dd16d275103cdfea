/**
 * An S3 server in memory for tests, as strict as Amazon's about what matters here: signatures, digests of bodies, sizes and entity tags of parts,
 * pages of lists. Beside that it does what a test wants: it fails, lies, cuts connections, and lets time pass.
 */
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const ACCESS_KEY = 'test-key';
export const SECRET_KEY = 'test/secret+key';
export const BUCKET = 'images';
const LEAST_PART_BYTES = 5 * 2 ** 20;

interface StoredObject {
  readonly chunks: readonly Buffer[];
  readonly size: number;
  readonly etag: string;
  modifiedMs: number;
}

interface Multipart {
  readonly key: string;
  readonly parts: Map<number, StoredObject>;
  initiatedMs: number;
}

/** One request as a test sees it. */
export interface Asked {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

export interface Fault {
  /** Answers this, whatever was asked. */
  readonly status?: number;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Breaks the connection: before the answer, or after so many bytes of its body. */
  readonly cutAfter?: number;
  /** Does what was asked, and breaks the connection instead of saying so. */
  readonly loseAnswer?: boolean;
  readonly waitMs?: number;
  /** Says this, with 200. */
  readonly text?: string;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: Uint8Array | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const encode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
const byBytes = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));

class S3Failure extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export class BucketServer {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Multipart>();
  readonly asked: Asked[] = [];
  /** What becomes of a request; undefined: what should. */
  fault: (asked: Asked) => Fault | undefined = () => undefined;
  pageKeys = 1000;
  /** The server's clock is ahead by so much. */
  clockMs = 0;
  port = 0;
  /** Bodies by their digests: the same bytes are held once. */
  readonly #bodies = new Map<string, Buffer>();
  readonly #server: Server = createServer((request, response) => void this.#handle(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  keys(prefix: string): readonly string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes);
  }

  text(key: string): string {
    return Buffer.concat(this.objects.get(key)?.chunks ?? []).toString();
  }

  /** As if all had been there for so much longer. */
  age(milliseconds: number): void {
    for (const object of this.objects.values()) object.modifiedMs -= milliseconds;
    for (const upload of this.uploads.values()) upload.initiatedMs -= milliseconds;
  }

  /** Bytes change where they lie. */
  spoil(key: string, bytes: Buffer): void {
    const object = this.objects.get(key);
    if (object !== undefined) this.objects.set(key, { ...object, chunks: [bytes], size: bytes.length });
  }

  #now(): number {
    return Date.now() + this.clockMs;
  }

  /** AWS Signature Version 4, "Create a signed request", written down once more. */
  #checkSignature(request: IncomingMessage, url: URL, hash: string): void {
    const [, key, date = '', region, signed = '', signature] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(request.headers.authorization ?? '') ?? [];
    const time = String(request.headers['x-amz-date']);
    if (key !== ACCESS_KEY) throw new S3Failure(403, 'InvalidAccessKeyId');
    const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    if (!(Math.abs(at - this.#now()) < 15 * 60_000)) throw new S3Failure(403, 'RequestTimeTooSkewed');
    for (const name of ['host', 'x-amz-content-sha256', 'x-amz-date']) if (!signed.split(';').includes(name)) throw new S3Failure(403, 'AccessDenied');
    const path = url.pathname.split('/').map((part) => encode(decodeURIComponent(part))).join('/');
    const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort().join('&');
    const headers = signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`).join('');
    const canonical = [request.method, path, query, headers, signed, hash].join('\n');
    const secret = [region ?? '', 's3', 'aws4_request'].reduce((derived: Buffer, text) => hmac(derived, text), hmac(`AWS4${SECRET_KEY}`, date));
    const wanted = hmac(secret, ['AWS4-HMAC-SHA256', time, `${date}/${region}/s3/aws4_request`, sha256(canonical)].join('\n')).toString('hex');
    if (wanted !== signature) throw new S3Failure(403, 'SignatureDoesNotMatch');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    const isVirtual = (request.headers.host ?? '').startsWith(`${BUCKET}.`);
    const path = decodeURIComponent(url.pathname);
    const [, bucket = '', key = ''] = isVirtual ? [undefined, BUCKET, path.slice(1)] : /^\/([^/]*)\/?([^]*)$/.exec(path) ?? [];
    const asked: Asked = { method: request.method ?? '', key, query: url.searchParams };
    this.asked.push(asked);
    response.setHeader('date', new Date(this.#now()).toUTCString());
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const fault = this.fault(asked);
      if (fault?.waitMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.waitMs));
      if (fault?.cutAfter === 0 && fault.status === undefined) return void response.destroy();
      if (fault?.text !== undefined) return void response.writeHead(200).end(fault.text);
      if (fault?.status !== undefined) return this.#refuse(response, fault.status, fault.code ?? '', fault.headers);
      const whole = Buffer.concat(chunks);
      const hash = String(request.headers['x-amz-content-sha256']);
      this.#checkSignature(request, url, hash);
      if (hash !== sha256(whole)) throw new S3Failure(400, 'XAmzContentSHA256Mismatch');
      if (bucket !== BUCKET) throw new S3Failure(404, 'NoSuchBucket');
      const body = this.#bodies.get(hash) ?? whole;
      if (body.length > 1000) this.#bodies.set(hash, body);
      this.#answer(asked, request, body, response, fault);
    } catch (error) {
      if (error instanceof S3Failure) this.#refuse(response, error.status, error.code);
      else response.destroy();
    }
  }

  #refuse(response: ServerResponse, status: number, code: string, headers: Readonly<Record<string, string>> = {}): void {
    const hasBody = status !== 304 && status !== 204;
    response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(hasBody && code !== '' ? `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>said &lt;${code}&gt;</Message><RequestId>1</RequestId></Error>` : undefined);
  }

  #answer(asked: Asked, request: IncomingMessage, body: Buffer, response: ServerResponse, fault: Fault | undefined): void {
    const { method, key, query } = asked;
    const send = (status: number, headers: Readonly<Record<string, string | number>> = {}, content = ''): void => {
      if (fault?.loseAnswer === true) response.destroy();
      else response.writeHead(status, { 'content-length': Buffer.byteLength(content), ...headers }).end(content);
    };
    const what = `${method}${key === '' ? ' bucket' : ''}${query.has('uploads') ? ' uploads' : query.has('uploadId') ? ' uploadId' : ''}`;
    if (what === 'GET bucket') return send(200, {}, this.#list(query));
    if (what === 'GET bucket uploads') return send(200, {}, this.#listUploads(query));
    if (what === 'POST uploads') {
      const id = randomUUID();
      this.uploads.set(id, { key, parts: new Map(), initiatedMs: this.#now() });
      return send(200, {}, `<InitiateMultipartUploadResult><Bucket>${BUCKET}</Bucket><Key>${escaped(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (what.endsWith('uploadId')) return this.#ofUpload(asked, body, send);
    if (method === 'PUT') return this.#put(key, request, body, send);
    if (method === 'DELETE') {
      this.objects.delete(key);
      return send(204);
    }
    this.#get(asked, request, response, fault);
  }

  #put(key: string, request: IncomingMessage, body: Buffer, send: (status: number, headers?: Readonly<Record<string, string>>, content?: string) => void): void {
    const source = request.headers['x-amz-copy-source'];
    const copied = typeof source === 'string' ? this.objects.get(decodeURIComponent(source).replace(`/${BUCKET}/`, '')) : undefined;
    if (source !== undefined && copied === undefined) throw new S3Failure(404, 'NoSuchKey');
    const object = copied ?? { chunks: [body], size: body.length, etag: createHash('md5').update(body).digest('hex') };
    this.objects.set(key, { ...object, modifiedMs: this.#now() });
    send(200, { etag: `"${object.etag}"` }, copied === undefined ? '' : `<CopyObjectResult><ETag>"${object.etag}"</ETag></CopyObjectResult>`);
  }

  #get({ method, key }: Asked, request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
    const object = this.objects.get(key);
    if (object === undefined) return void this.#refuse(response, 404, method === 'HEAD' ? '' : 'NoSuchKey');
    const whole = Buffer.concat(object.chunks);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (first !== undefined && Number(first) >= whole.length) return void this.#refuse(response, 416, 'InvalidRange');
    const content = first === undefined ? whole : whole.subarray(Number(first), Number(last) + 1);
    const range = first === undefined ? {} : { 'content-range': `bytes ${first}-${Number(first) + content.length - 1}/${whole.length}` };
    response.writeHead(first === undefined ? 200 : 206, { 'content-length': content.length, etag: `"${object.etag}"`, 'last-modified': new Date(object.modifiedMs).toUTCString(), ...range });
    if (method === 'HEAD') response.end();
    else if (fault?.cutAfter === undefined) response.end(content);
    else response.write(content.subarray(0, fault.cutAfter), () => setTimeout(() => response.destroy(), 20));
  }

  #ofUpload({ method, key, query }: Asked, body: Buffer, send: (status: number, headers?: Readonly<Record<string, string>>, content?: string) => void): void {
    const id = query.get('uploadId') ?? '';
    const upload = this.uploads.get(id);
    if (upload === undefined || upload.key !== key) throw new S3Failure(404, 'NoSuchUpload');
    if (method === 'DELETE') {
      this.uploads.delete(id);
      return send(204);
    }
    if (method === 'PUT') {
      const etag = createHash('md5').update(body).digest('hex');
      upload.parts.set(Number(query.get('partNumber')), { chunks: [body], size: body.length, etag, modifiedMs: this.#now() });
      return send(200, { etag: `"${etag}"` });
    }
    const wanted = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
    const parts = wanted.map(([, number, etag = '']) => {
      const part = upload.parts.get(Number(number));
      if (part === undefined || etag.replaceAll('&quot;', '') !== part.etag) throw new S3Failure(400, 'InvalidPart');
      return part;
    });
    if (parts.slice(0, -1).some(({ size }) => size < LEAST_PART_BYTES)) throw new S3Failure(400, 'EntityTooSmall');
    this.uploads.delete(id);
    // The time of an object of several parts is when it was begun.
    this.objects.set(key, { chunks: parts.flatMap(({ chunks }) => chunks), size: parts.reduce((sum, { size }) => sum + size, 0), etag: `${sha256(parts.map(({ etag }) => etag).join())}-${parts.length}`, modifiedMs: upload.initiatedMs });
    send(200, {}, `<CompleteMultipartUploadResult><Key>${escaped(key)}</Key></CompleteMultipartUploadResult>`);
  }

  #list(query: URLSearchParams): string {
    if (query.get('list-type') !== '2') throw new S3Failure(400, 'InvalidArgument');
    const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
    const rest = this.keys(query.get('prefix') ?? '').filter((key) => byBytes(key, after) > 0);
    const page = rest.slice(0, Math.min(this.pageKeys, Number(query.get('max-keys') ?? 1000)));
    const isUrl = query.get('encoding-type') === 'url';
    const entries = page.map((key) => {
      const { size, etag, modifiedMs } = this.objects.get(key)!;
      return `<Contents><Key>${isUrl ? encodeURIComponent(key) : escaped(key)}</Key><LastModified>${new Date(Math.floor(modifiedMs / 1000) * 1000).toISOString()}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${size}</Size></Contents>`;
    });
    const next = page.length < rest.length ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64')}</NextContinuationToken>` : '<IsTruncated>false</IsTruncated>';
    return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${BUCKET}</Name>${isUrl ? '<EncodingType>url</EncodingType>' : ''}${next}${entries.join('')}</ListBucketResult>`;
  }

  #listUploads(query: URLSearchParams): string {
    const [after, prefix] = [query.get('upload-id-marker') ?? '', query.get('prefix') ?? ''];
    const rest = [...this.uploads].filter(([id, { key }]) => key.startsWith(prefix) && id > after).sort(([left], [right]) => (left < right ? -1 : 1));
    const page = rest.slice(0, this.pageKeys);
    const last = page.at(-1);
    const next = page.length < rest.length ? `<IsTruncated>true</IsTruncated><NextKeyMarker>${escaped(last?.[1].key ?? '')}</NextKeyMarker><NextUploadIdMarker>${last?.[0]}</NextUploadIdMarker>` : '<IsTruncated>false</IsTruncated>';
    const entries = page.map(([id, { key, initiatedMs }]) => `<Upload><Key>${escaped(key)}</Key><UploadId>${id}</UploadId><Initiated>${new Date(initiatedMs).toISOString()}</Initiated></Upload>`);
    return `<ListMultipartUploadsResult>${next}${entries.join('')}</ListMultipartUploadsResult>`;
  }
}

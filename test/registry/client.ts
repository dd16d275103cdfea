/** A client of the API for tests: no more than the specification's own words, so that it may ask any registry. */
import assert from 'node:assert/strict';
import { sha256 } from './servers.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export class TestClient {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.url = url;
    this.#headers = headers;
  }

  /** A body without a type is bytes. */
  async ask(method: string, path: string, { headers: given = {}, body }: Ask = {}): Promise<Answer> {
    const headers = body === undefined || 'content-type' in given ? given : { ...given, 'content-type': 'application/octet-stream' };
    const response = await fetch(new URL(path, this.url), { method, redirect: 'manual', headers: { ...this.#headers, ...headers }, ...(body === undefined ? {} : { body: Buffer.from(body) }) });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  }

  /** Of an answer whose body is not waited for: docker-registry's 416 promises more bytes than it sends. */
  async statusOf(method: string, path: string, headers: Readonly<Record<string, string>>): Promise<number> {
    const response = await fetch(new URL(path, this.url), { method, headers: { ...this.#headers, ...headers } });
    await response.body?.cancel();
    return response.status;
  }

  /** Begins an upload; where to send it. */
  async begin(repository: string): Promise<string> {
    const { status, headers } = await this.ask('POST', `/v2/${repository}/blobs/uploads/`, { headers: { 'content-length': '0' } });
    assert.equal(status, 202);
    return headers.get('location') ?? '';
  }

  /** The address of an upload with the digest that ends it. */
  ending(location: string, digest: string): string {
    const url = new URL(location, this.url);
    url.searchParams.set('digest', digest);
    return url.href;
  }

  async pushBlob(repository: string, bytes: Uint8Array | string, mediaType = 'application/octet-stream'): Promise<Descriptor> {
    const digest = sha256(bytes);
    const { status, body } = await this.ask('PUT', this.ending(await this.begin(repository), digest), { headers: { 'content-type': 'application/octet-stream' }, body: Buffer.from(bytes) });
    assert.equal(status, 201, body.toString());
    return { mediaType, digest, size: Buffer.from(bytes).length };
  }

  async pushManifest(repository: string, reference: string | undefined, text: string, mediaType = OCI_MANIFEST): Promise<Answer & { readonly digest: string }> {
    const digest = sha256(text);
    const answer = await this.ask('PUT', `/v2/${repository}/manifests/${reference ?? digest}`, { headers: { 'content-type': mediaType }, body: text });
    return { ...answer, digest };
  }

  /** A manifest with a configuration and a layer of this text; more fields. It is pushed with all that it names. */
  async pushImage(repository: string, reference: string | undefined, content: string, more: object = {}): Promise<{ readonly text: string; readonly digest: string; readonly layer: Descriptor; readonly answer: Answer }> {
    const config = await this.pushBlob(repository, '{}', EMPTY_TYPE);
    const layer = await this.pushBlob(repository, content, 'application/vnd.oci.image.layer.v1.tar');
    const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer], ...more });
    const answer = await this.pushManifest(repository, reference, text);
    assert.equal(answer.status, 201, answer.body.toString());
    return { text, digest: answer.digest, layer, answer };
  }
}

export function json<Value>({ body }: Answer): Value {
  return JSON.parse(body.toString()) as Value;
}

/** Codes of an answer that is a failure. */
export function codesOf(answer: Answer): readonly string[] {
  return json<{ errors: { code: string }[] }>(answer).errors.map(({ code }) => code);
}

/** The address that a `Link` header gives for the rest. */
export function nextOf({ headers }: Answer): string | undefined {
  return /<([^>]+)>\s*;\s*rel="?next"?/.exec(headers.get('link') ?? '')?.[1];
}

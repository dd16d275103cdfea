/**
 * A pull-through cache: repositories below a prefix are those of another registry. What is asked for and not here is fetched from there,
 * verified, kept, and given on while it comes; what was fetched is given also while the other registry is away.
 */
import { RegistryClient, RegistryError, digestOf } from '../image/index.ts';
import type { Digest, RegistryCredentials } from '../image/index.ts';
import { readManifest } from './documents.ts';
import { RegistryFailure } from './errors.ts';
import { MOST_UPSTREAM_CLIENTS, UPSTREAM_PATIENCE_MS } from './limits.ts';
import { checkManifestReference } from './names.ts';
import type { Registry } from './service.ts';
import type { Repository } from './storage.ts';

export interface UpstreamRule {
  /** `hub`: then `hub/library/debian` is `library/debian` of the other registry. */
  readonly prefix: string;
  /** `docker.io`, `registry.example:5000` */
  readonly registry: string;
  readonly credentials: RegistryCredentials | undefined;
  readonly plainHttp: boolean;
  /** A tag that was looked up is believed for so long. */
  readonly freshMs: number;
}

/** A blob on its way: its size, its bytes as they come, and when it is here. */
export interface Fetching {
  readonly size: number;
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Gives what comes to a reader as well, who may go away; a slow one holds the source back. The last piece is given when `end` says that
 * all is well: nobody gets a whole answer of bytes that are not what they should be.
 */
function split(source: AsyncIterable<Uint8Array>): { readonly copied: AsyncIterable<Uint8Array>; readonly body: ReadableStream<Uint8Array>; readonly end: (error?: unknown) => void } {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let wake = (): void => {};
  let last: Uint8Array | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (own) => void (controller = own),
    pull: () => wake(),
    cancel: () => {
      controller = undefined;
      wake();
    },
  });
  const copied = async function* (): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      if (last !== undefined) controller?.enqueue(last);
      last = chunk;
      while (controller !== undefined && (controller.desiredSize ?? 1) <= 0) await new Promise<void>((resolve) => (wake = resolve));
      yield chunk;
    }
  };
  const end = (error?: unknown): void => {
    if (error === undefined && last !== undefined) controller?.enqueue(last);
    if (error === undefined) controller?.close();
    else controller?.error(error);
    controller = undefined;
  };
  return { copied: copied(), body, end };
}

function failure(registry: string, error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  if (error.status === 404) return new RegistryFailure('MANIFEST_UNKNOWN', `it is not in ${registry} either`, { cause: error });
  return new RegistryFailure('UNKNOWN', `cannot fetch it: ${error.message}`, { status: error.status === 429 ? 429 : 502, cause: error });
}

export class Upstreams {
  readonly #registry: Registry;
  readonly #rules: readonly UpstreamRule[];
  readonly #clients = new Map<string, RegistryClient>();
  /** Blobs that are being fetched, by repository and digest. */
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(registry: Registry, rules: readonly UpstreamRule[]) {
    this.#registry = registry;
    this.#rules = rules;
  }

  #ruleOf({ name }: Repository): UpstreamRule | undefined {
    return this.#rules.find(({ prefix }) => name.startsWith(`${prefix}/`));
  }

  /** Nobody pushes to what is another registry's. */
  has(repository: Repository): boolean {
    return this.#ruleOf(repository) !== undefined;
  }

  #clientOf({ name }: Repository, { prefix, registry, credentials, plainHttp }: UpstreamRule): RegistryClient {
    let client = this.#clients.get(name);
    if (client === undefined) {
      const [oldest] = this.#clients.keys();
      if (this.#clients.size >= MOST_UPSTREAM_CLIENTS && oldest !== undefined) this.#clients.delete(oldest);
      client = new RegistryClient(this.#registry.storage.host, { registry, repository: name.slice(prefix.length + 1), credentials, plainHttp });
      this.#clients.set(name, client);
    }
    return client;
  }

  /** Fetches a manifest that is not here, or a tag that was not looked up for a while. @throws RegistryFailure where there is nothing to give. */
  async refresh(repository: Repository, text: string): Promise<void> {
    const rule = this.#ruleOf(repository);
    if (rule === undefined) return;
    const reference = checkManifestReference(text);
    const tag = reference.kind === 'tag' ? await repository.tag(reference.tag) : undefined;
    const isHere = reference.kind === 'digest' ? await repository.manifest(reference.digest) !== undefined : tag !== undefined;
    if (isHere && (tag === undefined || this.#registry.storage.host.now() - tag.pushedMs < rule.freshMs)) return;
    const fetched = this.#fetchManifest(repository, rule, text);
    if (!isHere) return fetched;
    // What is here is given if the other registry is slow or away; what it says is not there any more, is not.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, UPSTREAM_PATIENCE_MS)));
    const answered = fetched.catch((error: unknown) => {
      if (error instanceof RegistryFailure && error.status < 500 && error.status !== 429) throw error;
      this.#registry.log(`${rule.registry} does not answer for ${repository.name}: what is here is given`);
    });
    await Promise.race([answered, patience]).finally(() => clearTimeout(timer));
  }

  async #fetchManifest(repository: Repository, rule: UpstreamRule, text: string): Promise<void> {
    const reference = checkManifestReference(text);
    const client = this.#clientOf(repository, rule);
    const { bytes, mediaType, digest } = await client.getManifest(text).catch((error: unknown) => {
      throw failure(rule.registry, error);
    });
    const own = reference.kind === 'tag' ? digestOf(this.#registry.storage.host.codecs, bytes) : digest;
    await this.#registry.putManifest(repository, { digest: own, bytes, document: readManifest(bytes, mediaType), tags: reference.kind === 'tag' ? [reference.tag] : [], confirm: () => {} });
  }

  /** Of a blob that is not here. Undefined: not there either. */
  async blobSize(repository: Repository, digest: Digest): Promise<number | undefined> {
    const rule = this.#ruleOf(repository);
    if (rule === undefined) return undefined;
    return this.#clientOf(repository, rule).blobSize(digest).catch((error: unknown) => {
      throw failure(rule.registry, error);
    });
  }

  /** Begins to fetch a blob. Undefined: it is there now, because another request was fetching it, or is nowhere. */
  async fetchBlob(repository: Repository, digest: Digest): Promise<Fetching | undefined> {
    const rule = this.#ruleOf(repository);
    const key = `${repository.name}@${digest}`;
    const other = this.#fetching.get(key);
    if (rule === undefined || other !== undefined) return void await other;
    let done = (): void => {};
    this.#fetching.set(key, new Promise((resolve) => (done = resolve)));
    const settle = (): void => {
      this.#fetching.delete(key);
      done();
    };
    try {
      const size = await this.blobSize(repository, digest);
      if (size === undefined) {
        settle();
        return undefined;
      }
      const { copied, body, end } = split(this.#clientOf(repository, rule).getBlob(digest, size));
      void this.#keep(repository, digest, copied).then(() => end(), (error: unknown) => {
        this.#registry.log(`cannot fetch ${digest} from ${rule.registry}: ${error instanceof Error ? error.message : String(error)}`);
        end(error);
      }).finally(settle);
      return { size, body };
    } catch (error) {
      settle();
      throw error;
    }
  }

  async #keep(repository: Repository, digest: Digest, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const upload = await this.#registry.uploads.begin(repository, true);
    try {
      await this.#registry.uploads.receive(upload, bytes, await this.#registry.allowance(upload), digest);
    } catch (error) {
      await this.#registry.uploads.forget(upload);
      throw error;
    }
    await this.#registry.finish(upload, digest);
  }
}

/** What all routes share: the registry as one object, and what a handler is given. */
import type { HttpConnection } from '../host/types.ts';
import type { Digest } from '../image/index.ts';
import type { Authentication, Caller } from './authentication.ts';
import { Buckets } from './buckets.ts';
import { RegistryFailure } from './errors.ts';
import type { RegistryLimits } from './limits.ts';
import { Metrics } from './metrics.ts';
import { NewNames } from './new-names.ts';
import type { NewNameRule } from './new-names.ts';
import { Quotas, quotaFailure } from './quotas.ts';
import type { QuotaRule } from './quotas.ts';
import { BucketError } from './s3-errors.ts';
import type { Allowance, Awaitable, Pushed, RegistryStorage, Repository, Upload, Uploads } from './storage.ts';
import { Upstreams } from './upstreams.ts';
import type { UpstreamRule } from './upstreams.ts';
import { Webhooks } from './webhooks.ts';
import type { WebhookRule } from './webhooks.ts';

export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  readonly connection: HttpConnection;
  readonly caller: Caller;
  /** The parts of the address that the route names. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

/** One line of the audit log. */
export interface AuditEntry {
  readonly time: string;
  readonly address: string;
  readonly user: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** What can be read again while the registry runs. */
export interface RegistryRules {
  readonly quotas: readonly QuotaRule[];
  readonly upstreams: readonly UpstreamRule[];
  readonly webhooks: readonly WebhookRule[];
  /** Undefined: any name is taken. */
  readonly newNames?: NewNameRule | undefined;
}

export interface RegistryOptions {
  readonly storage: RegistryStorage;
  readonly limits: RegistryLimits;
  readonly authentication: Authentication;
  readonly rules: RegistryRules;
  /** What went wrong on our side, one line each. */
  readonly log: (line: string) => void;
  /** Each change, and each refusal. */
  readonly audit: ((entry: AuditEntry) => void) | undefined;
}

const SAME_FAILURE_MS = 5000;

export class Registry {
  readonly storage: RegistryStorage;
  readonly uploads: Uploads;
  readonly limits: RegistryLimits;
  readonly metrics = new Metrics();
  readonly log: (line: string) => void;
  readonly audit: ((entry: AuditEntry) => void) | undefined;
  /** Replaced when its files are read again. */
  authentication: Authentication;
  upstreams: Upstreams;
  readonly webhooks: Webhooks;
  #quotas: Quotas;
  #newNames: NewNames | undefined;
  readonly #requests: Buckets | undefined;
  #lastFailure: { readonly kind: string; readonly atMs: number } | undefined;

  constructor({ storage, limits, authentication, rules, log, audit }: RegistryOptions) {
    this.storage = storage;
    this.uploads = storage.openUploads();
    this.limits = limits;
    this.authentication = authentication;
    this.log = log;
    this.audit = audit;
    this.#quotas = new Quotas(rules.quotas, storage, this.uploads);
    this.#newNames = rules.newNames === undefined ? undefined : new NewNames(rules.newNames, storage);
    this.upstreams = new Upstreams(this, rules.upstreams);
    this.webhooks = new Webhooks(this);
    this.webhooks.setRules(rules.webhooks);
    const { requestsPerSecond } = limits;
    this.#requests = requestsPerSecond === undefined ? undefined : new Buckets(requestsPerSecond, requestsPerSecond * 2, () => storage.host.now());
    this.metrics.gauge('uploads', 'Uploads that have begun and not ended.', () => this.uploads.count);
    this.metrics.gauge('webhook_events_waiting', 'Events that no receiver has taken yet.', () => this.webhooks.waiting);
    this.metrics.gauge('repositories', 'Repositories.', async () => (await storage.repositories()).length);
  }

  /** One line; the same one is not said again for a while, however many requests fail for the same reason. */
  logFailure(error: unknown): void {
    const line = error instanceof Error ? error.message : String(error);
    const kind = error instanceof BucketError ? error.code : line;
    const now = performance.now();
    if (kind === this.#lastFailure?.kind && now - this.#lastFailure.atMs < SAME_FAILURE_MS) return;
    this.#lastFailure = { kind, atMs: now };
    this.log(line);
  }

  /** Rules that were read again. */
  setRules({ quotas, upstreams, webhooks, newNames }: RegistryRules): void {
    this.#newNames = newNames === undefined ? undefined : new NewNames(newNames, this.storage);
    this.#quotas = new Quotas(quotas, this.storage, this.uploads);
    this.upstreams = new Upstreams(this, upstreams);
    this.webhooks.setRules(webhooks);
  }

  /** Before anything comes to a repository that may be new. @throws RegistryFailure DENIED */
  async admitName(repository: Repository): Promise<void> {
    await this.#newNames?.check(repository);
  }

  /** Bytes of the blobs and manifests of a repository. */
  bytesOf(repository: Repository): Promise<number> {
    return this.#quotas.bytesOf(repository);
  }

  /** @throws RegistryFailure TOOMANYREQUESTS */
  admit(caller: Caller, { address }: HttpConnection): void {
    const wait = this.#requests?.take(caller.name === undefined ? `address ${address}` : `user ${caller.name}`) ?? 0;
    if (wait > 0) throw new RegistryFailure('TOOMANYREQUESTS', 'too many requests', { headers: { 'retry-after': String(wait) } });
  }

  /** Bounds what may still come to an upload. */
  async allowance({ repository, size }: Upload): Promise<Allowance> {
    const { blobBytes } = this.limits;
    let total = size;
    let room = await this.#quotas.roomForUploads(repository);
    return (bytes) => {
      this.metrics.count('received_bytes_total', 'Bytes of blobs that came.', {}, bytes);
      total += bytes;
      room -= bytes;
      if (total > blobBytes) throw new RegistryFailure('SIZE_INVALID', `a blob may have ${blobBytes} bytes at most`, { status: 413 });
      if (room < 0) throw quotaFailure(repository);
    };
  }

  /** An upload that is whole becomes a blob of its repository. @throws RegistryFailure DIGEST_INVALID, DENIED */
  async finish(upload: Upload, digest: Digest): Promise<void> {
    const { repository, size } = upload;
    await this.#claiming(repository, (claim) => this.uploads.finish(upload, digest, async () => {
      if (!await repository.hasLink(digest)) await claim(size);
    }));
  }

  /** Another repository's blob. False: it has gone meanwhile. */
  async mount(repository: Repository, digest: Digest, source: Repository): Promise<boolean> {
    const size = await source.blobSize(digest);
    if (size === undefined) return false;
    await source.renew(digest);
    await this.#claiming(repository, async (claim) => {
      if (!await repository.hasLink(digest)) await claim(size);
      return repository.mount(digest, source);
    });
    return (await repository.blobSize(digest)) !== undefined;
  }

  async putManifest(repository: Repository, pushed: Pushed): Promise<void> {
    await this.#claiming(repository, async (claim) => {
      const isNew = await repository.manifest(pushed.digest) === undefined;
      if (isNew) await claim(pushed.bytes.length);
      await repository.putManifest(pushed);
      return isNew;
    });
  }

  /** What is claimed of a quota is given back where nothing came of it: `work` answers false, or throws. */
  async #claiming(repository: Repository, work: (claim: (bytes: number) => Promise<void>) => Awaitable<boolean>): Promise<void> {
    let claimed = 0;
    let isUsed = false;
    try {
      isUsed = await work(async (bytes) => {
        await this.#quotas.claim(repository, bytes);
        claimed = bytes;
      });
    } finally {
      if (!isUsed) this.#quotas.giveBack(repository, claimed);
    }
  }

  async removeManifest(repository: Repository, digest: Digest): Promise<boolean> {
    this.#quotas.forget(repository);
    return repository.removeManifest(digest);
  }

  async unlink(repository: Repository, digest: Digest): Promise<boolean> {
    this.#quotas.forget(repository);
    return repository.unlink(digest);
  }
}

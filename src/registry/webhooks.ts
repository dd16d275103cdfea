/**
 * Webhooks: who wants to know is told of each manifest that is pushed and each manifest or tag that is deleted, in the envelope of Docker's
 * registry ("Work with notifications", `application/vnd.docker.distribution.events.v1+json`), one event in each POST, in order, at least once.
 * An event is on the disk before the push or deletion is answered, and goes when the receiver has answered 2xx.
 */
import type { Digest } from '../image/index.ts';
import { EventQueue } from './event-queue.ts';
import type { QueuedEvent } from './event-queue.ts';
import { EVENT_LIFETIME_MS, FIRST_EVENT_WAIT_MS, LONGEST_EVENT_WAIT_MS, MOST_ANSWER_BYTES, WEBHOOK_TIMEOUT_MS } from './limits.ts';
import { Patterns } from './patterns.ts';
import type { Exchange, Registry } from './service.ts';
import type { Repository } from './storage.ts';

export const EVENT_ACTIONS = ['push', 'delete'] as const;
export type EventAction = (typeof EVENT_ACTIONS)[number];

export interface WebhookRule {
  /** Of the directory in which its events wait. */
  readonly name: string;
  readonly url: string;
  /** Patterns of the rules. */
  readonly repositories: readonly string[];
  readonly actions: readonly EventAction[];
  /** Signs the body. */
  readonly secret: string | undefined;
}

/** What happened to a manifest, or to a tag. */
export interface Happening {
  readonly action: EventAction;
  readonly repository: Repository;
  readonly digest: Digest | undefined;
  readonly tag: string | undefined;
  readonly mediaType: string | undefined;
  readonly size: number | undefined;
}

const MEDIA_TYPE = 'application/vnd.docker.distribution.events.v1+json';
/** The receiver will not take this one, however often it comes. */
const REFUSALS = new Set([400, 410, 413, 415, 422]);

/** Docker's fields; those that are undefined are left out. */
function eventOf({ action, repository, digest, tag, mediaType, size }: Happening, { request, url, caller, connection }: Exchange, nowMs: number): Uint8Array {
  const id = crypto.randomUUID();
  const target = { mediaType, size, digest, length: size, repository: repository.name, url: digest === undefined ? undefined : `${url.origin}/v2/${repository.name}/manifests/${digest}`, tag };
  const about = { id: crypto.randomUUID(), addr: connection.address, host: request.headers.get('host') ?? undefined, method: request.method, useragent: request.headers.get('user-agent')?.slice(0, 1000) };
  return new TextEncoder().encode(JSON.stringify({ events: [{ id, timestamp: new Date(nowMs).toISOString(), action, target, request: about, actor: caller.name === undefined ? {} : { name: caller.name }, source: { addr: url.host } }] }));
}

/** As GitHub and those who follow it: HMAC-SHA256 of the body (RFC 2104) in hexadecimal. */
async function signatureOf(secret: string, body: Uint8Array): Promise<string> {
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, body.slice()));
  return `sha256=${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** One receiver: its events, and the loop that delivers them. */
class Receiver {
  #rule: WebhookRule;
  #repositories: Patterns;
  readonly #registry: Registry;
  readonly #queue: EventQueue;
  #hasEnded = false;
  #wake = (): void => {};

  constructor(registry: Registry, rule: WebhookRule) {
    this.#registry = registry;
    this.#rule = rule;
    this.#repositories = new Patterns(rule.repositories);
    this.#queue = new EventQueue(registry.storage.local, rule.name);
    void this.#deliver().catch((error: unknown) => registry.log(`the webhook "${rule.name}" has ended: ${error instanceof Error ? error.message : String(error)}`));
  }

  /** Rules that were read again. */
  set rule(rule: WebhookRule) {
    this.#rule = rule;
    this.#repositories = new Patterns(rule.repositories);
  }

  get waiting(): number {
    return this.#queue.length;
  }

  wants({ action, repository }: Happening): boolean {
    return this.#rule.actions.includes(action) && this.#repositories.match(repository.name);
  }

  async add(event: Uint8Array): Promise<void> {
    const dropped = await this.#queue.add(event);
    if (dropped > 0) this.#count('dropped', dropped);
    if (this.#queue.length === 1) this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  #count(outcome: 'delivered' | 'failed' | 'dropped', by = 1): void {
    this.#registry.metrics.count('webhook_events_total', 'Events for webhooks: delivered, tries that failed, and those that nobody got.', { outcome }, by);
  }

  /** For so long, or until an event comes where there was none; not longer than until the end. */
  async #sleep(milliseconds: number | undefined): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (milliseconds !== undefined) timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
  }

  async #deliver(): Promise<void> {
    const { log, storage } = this.#registry;
    for (let failures = 0; !this.#hasEnded;) {
      const event = this.#queue.first();
      if (event === undefined) {
        await this.#sleep(undefined);
        continue;
      }
      const problem = await this.#send(event);
      const isOver = problem !== undefined && (problem.isFinal || storage.host.now() - event.atMs > EVENT_LIFETIME_MS);
      if (problem !== undefined && (failures === 0 || isOver)) log(`the webhook "${this.#rule.name}" ${problem.text}${isOver ? ': an event is dropped' : '; trying again'}`);
      if (problem === undefined || isOver) {
        this.#count(isOver ? 'dropped' : 'delivered');
        this.#queue.remove(event.name);
        failures = 0;
        continue;
      }
      this.#count('failed');
      // Not all receivers of a registry at the same moment.
      await this.#sleep(Math.min(LONGEST_EVENT_WAIT_MS, FIRST_EVENT_WAIT_MS * 2 ** Math.min(failures++, 20)) * (0.75 + Math.random() / 2));
    }
  }

  /** What went wrong, if something did. */
  async #send({ bytes }: QueuedEvent): Promise<{ readonly text: string; readonly isFinal: boolean } | undefined> {
    const { http } = this.#registry.storage.host;
    const { url, secret } = this.#rule;
    if (http === undefined) return { text: 'cannot be reached: there is no network here', isFinal: false };
    try {
      const headers = { 'content-type': MEDIA_TYPE, 'content-length': String(bytes.length), 'user-agent': 'caisson-registry', ...(secret === undefined ? {} : { 'x-hub-signature-256': await signatureOf(secret, bytes) }) };
      const response = await http.request({ method: 'POST', url, headers, body: bytes, idleTimeoutMs: WEBHOOK_TIMEOUT_MS });
      let left = MOST_ANSWER_BYTES;
      for await (const chunk of response.body) if ((left -= chunk.length) < 0) break;
      return response.status >= 200 && response.status < 300 ? undefined : { text: `answers ${response.status}`, isFinal: REFUSALS.has(response.status) };
    } catch (error) {
      return { text: `cannot be reached: ${error instanceof Error ? error.message : String(error)}`, isFinal: false };
    }
  }
}

export class Webhooks {
  readonly #registry: Registry;
  /** By name. */
  readonly #receivers = new Map<string, Receiver>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Begins to deliver what has waited. Events of a receiver that is not named any more stay where they are. @throws StoreError */
  setRules(rules: readonly WebhookRule[]): void {
    for (const [name, receiver] of this.#receivers) {
      if (rules.some((rule) => rule.name === name)) continue;
      receiver.end();
      this.#receivers.delete(name);
    }
    for (const rule of rules) {
      const receiver = this.#receivers.get(rule.name);
      if (receiver === undefined) this.#receivers.set(rule.name, new Receiver(this.#registry, rule));
      else receiver.rule = rule;
    }
  }

  get waiting(): number {
    return [...this.#receivers.values()].reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Ends when all who want to know will hear of it. @throws StoreError */
  async announce(happening: Happening, exchange: Exchange): Promise<void> {
    const wanting = [...this.#receivers.values()].filter((receiver) => receiver.wants(happening));
    if (wanting.length === 0) return;
    const event = eventOf(happening, exchange, this.#registry.storage.host.now());
    await Promise.all(wanting.map((receiver) => receiver.add(event)));
  }

  end(): void {
    this.setRules([]);
  }
}

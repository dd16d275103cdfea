/** What registries say of names: whether something is there, since when, and whether it is signed. */
import { ImageError, RegistryError, hexOf, isObject, listReferrers, parseJson } from '../../image/index.ts';
import type { RegistryClient } from '../../image/index.ts';
import type { Reference } from '../../image/reference.ts';
import { DEFAULT_TAG } from '../../image/reference.ts';
import type { FlagValues } from '../flags.ts';
import { BlobProgress } from '../progress.ts';
import { clientFor } from '../registry/registry-commands.ts';

/** What is known of a name at its registry. */
export type Presence =
  /** `digest`: of `latest`, or else of its first tag; empty where it has none. */
  | { readonly state: 'there'; readonly digest: string; readonly tags: number }
  | { readonly state: 'absent' }
  /** It does not say: it wants to know who asks, or refuses. */
  | { readonly state: 'hidden' }
  | { readonly state: 'unreachable'; readonly reason: string };

export interface Details {
  readonly presence: Presence;
  /** When the image was made, as it says itself; ISO 8601. */
  readonly created: string | undefined;
  readonly isSigned: boolean | undefined;
}

const CONFIG_BYTES = 2 ** 20;
/** Artifact types of signatures: cosign's, notation's, sigstore's bundles. */
const SIGNATURE = /cosign|notary|sigstore|signature/i;

/** Requests at most so many a second. */
export class Pace {
  readonly #gapMs: number;
  #next = 0;

  constructor(perSecond: number) {
    this.#gapMs = 1000 / perSecond;
  }

  async turn(): Promise<void> {
    const now = performance.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#gapMs;
    if (at > now) await new Promise((resolve) => setTimeout(resolve, at - now));
  }
}

function refused(error: unknown): Presence {
  if (!(error instanceof ImageError)) throw error;
  if (error instanceof RegistryError && error.status === 404) return { state: 'absent' };
  if (error instanceof RegistryError && (error.status === 401 || error.status === 403)) return { state: 'hidden' };
  return { state: 'unreachable', reason: error.message };
}

async function firstTags(client: RegistryClient): Promise<readonly string[]> {
  for await (const { document } of client.pages('tags/list?n=100')) {
    const tags = document['tags'];
    return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
  }
  throw new RegistryError('there is no such repository', 404, 'NAME_UNKNOWN');
}

/** Whether a repository is there: its `latest`, or else its first tag. */
export async function lookFor(reference: Reference, values: FlagValues, pace: Pace): Promise<Presence> {
  const client = clientFor(reference, values, new BlobProgress(true));
  try {
    await pace.turn();
    const tags = await firstTags(client);
    const tag = reference.tag !== undefined && tags.includes(reference.tag) ? reference.tag : tags.includes(DEFAULT_TAG) ? DEFAULT_TAG : tags[0];
    if (tag === undefined) return { state: 'there', digest: '', tags: 0 };
    await pace.turn();
    return { state: 'there', digest: (await client.getManifest(tag)).digest, tags: tags.length };
  } catch (error) {
    return refused(error);
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function createdOf(client: RegistryClient, bytes: Uint8Array, pace: Pace): Promise<string | undefined> {
  const { config } = parseJson(bytes, 'the manifest');
  if (!isObject(config) || typeof config['digest'] !== 'string' || typeof config['size'] !== 'number' || config['size'] > CONFIG_BYTES) return undefined;
  await pace.turn();
  const document = parseJson(await readAll(client.getBlob(config['digest'] as Parameters<RegistryClient['getBlob']>[0], config['size'])), 'the configuration');
  const created = document['created'];
  return typeof created === 'string' && !Number.isNaN(Date.parse(created)) ? new Date(created).toISOString() : undefined;
}

async function isSigned(client: RegistryClient, digest: Parameters<typeof hexOf>[0], pace: Pace): Promise<boolean> {
  await pace.turn();
  if ((await listReferrers(client, digest)).some(({ artifactType }) => artifactType !== undefined && SIGNATURE.test(artifactType))) return true;
  await pace.turn();
  try {
    await client.getManifest(`sha256-${hexOf(digest)}.sig`);
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return false;
    throw error;
  }
}

/** The same, with what its manifest says. */
export async function lookClosely(reference: Reference, values: FlagValues, pace: Pace): Promise<Details> {
  const client = clientFor(reference, values, new BlobProgress(true));
  try {
    await pace.turn();
    const { bytes, digest } = await client.getManifest(reference.digest ?? reference.tag ?? DEFAULT_TAG);
    const created = await createdOf(client, bytes, pace).catch(() => undefined);
    const signed = await isSigned(client, digest, pace).catch(() => undefined);
    return { presence: { state: 'there', digest, tags: 1 }, created, isSigned: signed };
  } catch (error) {
    return { presence: refused(error), created: undefined, isSigned: undefined };
  }
}

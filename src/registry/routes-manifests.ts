/** Manifests: reading, pushing, deleting them and tags (distribution-spec "Pulling manifests", "Pushing Manifests", "Deleting tags"). */
import { algorithmOf, digestOf } from '../image/index.ts';
import type { Descriptor, Digest } from '../image/index.ts';
import { readManifest } from './documents.ts';
import type { ManifestDocument, ManifestRecord } from './documents.ts';
import { RegistryFailure } from './errors.ts';
import { MOST_MANIFEST_BYTES } from './limits.ts';
import { checkManifestReference } from './names.ts';
import { repositoryOf } from './routes-blobs.ts';
import type { Exchange, Registry } from './service.ts';
import { mapParallel } from './storage.ts';
import type { Repository } from './storage.ts';

async function unknown(repository: Repository, reference: string): Promise<RegistryFailure> {
  return await repository.exists() ? new RegistryFailure('MANIFEST_UNKNOWN', `${repository.name} has no manifest ${reference}`) : new RegistryFailure('NAME_UNKNOWN', `there is no repository ${repository.name}`);
}

/** @throws RegistryFailure MANIFEST_UNKNOWN, NAME_UNKNOWN */
export async function findManifest(repository: Repository, text: string): Promise<{ readonly digest: Digest; readonly record: ManifestRecord }> {
  const reference = checkManifestReference(text);
  const digest = reference.kind === 'digest' ? reference.digest : (await repository.tag(reference.tag))?.digest;
  const record = digest === undefined ? undefined : await repository.manifest(digest);
  if (digest === undefined || record === undefined) throw await unknown(repository, text);
  return { digest, record };
}

/** The bytes of a manifest, which are what its digest says. @throws RegistryFailure UNKNOWN where the disk has them spoiled. */
export async function readStored(registry: Registry, repository: Repository, digest: Digest): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await repository.manifestBytes(digest);
  if (bytes === undefined || digestOf(registry.storage.host.codecs, bytes, algorithmOf(digest)) !== digest) {
    throw new RegistryFailure('UNKNOWN', `the manifest ${digest} is ${bytes === undefined ? 'lost' : 'spoiled'}: push it again`);
  }
  return bytes;
}

export async function getManifest(registry: Registry, exchange: Exchange): Promise<Response> {
  const repository = repositoryOf(registry, exchange);
  await registry.upstreams.refresh(repository, exchange.parameters['reference'] ?? '');
  const { digest, record } = await findManifest(repository, exchange.parameters['reference'] ?? '');
  const headers = { 'content-type': record.mediaType, 'docker-content-digest': digest, etag: `"${digest}"` };
  if (exchange.request.method === 'HEAD') return new Response(null, { headers: { ...headers, 'content-length': String(record.size) } });
  if (exchange.request.headers.get('if-none-match') === headers.etag) return new Response(null, { status: 304, headers: { etag: headers.etag } });
  const bytes = await readStored(registry, repository, digest);
  return new Response(bytes, { headers: { ...headers, 'content-length': String(bytes.length) } });
}

async function readDocument({ request, connection }: Exchange): Promise<Uint8Array> {
  const tooLong = (): RegistryFailure => new RegistryFailure('SIZE_INVALID', `a manifest may have ${MOST_MANIFEST_BYTES} bytes at most`, { status: 413 });
  if (Number(request.headers.get('content-length') ?? 0) > MOST_MANIFEST_BYTES) throw tooLong();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of connection.body) {
    size += chunk.length;
    if (size > MOST_MANIFEST_BYTES) throw tooLong();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function missing(repository: Repository, { kind, needs }: ManifestDocument): Promise<readonly Descriptor[]> {
  const isHere = await mapParallel(needs, async ({ digest }) => (kind === 'index' ? await repository.manifest(digest) : await repository.blobSize(digest)) !== undefined);
  return needs.filter((_, index) => isHere[index] === false);
}

async function checkComplete(repository: Repository, document: ManifestDocument): Promise<void> {
  const lacking = await missing(repository, document);
  if (lacking.length === 0) return;
  throw new RegistryFailure('MANIFEST_BLOB_UNKNOWN', `${repository.name} has not what the manifest names: ${lacking[0]?.digest}${lacking.length > 1 ? ` and ${lacking.length - 1} more` : ''}`, { detail: lacking.slice(0, 100).map(({ digest }) => ({ digest })) });
}

export async function putManifest(registry: Registry, exchange: Exchange): Promise<Response> {
  const repository = repositoryOf(registry, exchange);
  const reference = checkManifestReference(exchange.parameters['reference'] ?? '');
  const bytes = await readDocument(exchange);
  await registry.admitName(repository);
  const document = readManifest(bytes, exchange.request.headers.get('content-type')?.split(';')[0]?.trim());
  const digest = digestOf(registry.storage.host.codecs, bytes, reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256');
  if (reference.kind === 'digest' && digest !== reference.digest) throw new RegistryFailure('DIGEST_INVALID', `what came has the digest ${digest}, not ${reference.digest}`);
  await checkComplete(repository, document);
  if (document.kind === 'manifest') await mapParallel(document.needs, (need) => repository.renew(need.digest));
  // What was collected while this was written (another process may) is missed before anybody is told that all is here.
  const confirm = (): Promise<void> => checkComplete(repository, document);
  await registry.putManifest(repository, { digest, bytes, document, tags: reference.kind === 'tag' ? [reference.tag] : [], confirm });
  await registry.webhooks.announce({ action: 'push', repository, digest, tag: reference.kind === 'tag' ? reference.tag : undefined, mediaType: document.mediaType, size: bytes.length }, exchange);
  const headers = { location: `/v2/${repository.name}/manifests/${digest}`, 'docker-content-digest': digest };
  return new Response(null, { status: 201, headers: document.subject === undefined ? headers : { ...headers, 'oci-subject': document.subject.digest } });
}

/** By tag the tag only, by digest the manifest and all its tags. */
export async function deleteManifest(registry: Registry, exchange: Exchange): Promise<Response> {
  const repository = repositoryOf(registry, exchange);
  const text = exchange.parameters['reference'] ?? '';
  const reference = checkManifestReference(text);
  if (!await (reference.kind === 'tag' ? repository.removeTag(reference.tag) : registry.removeManifest(repository, reference.digest))) throw await unknown(repository, text);
  await registry.webhooks.announce({ action: 'delete', repository, digest: reference.kind === 'digest' ? reference.digest : undefined, tag: reference.kind === 'tag' ? reference.tag : undefined, mediaType: undefined, size: undefined }, exchange);
  return new Response(null, { status: 202 });
}

/** Blobs: reading, asking for, deleting (distribution-spec "Pulling blobs", "Deleting Blobs"). */
import type { Digest } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';
import { checkDigest, checkRepositoryName } from './names.ts';
import { parseRange } from './ranges.ts';
import type { Exchange, Registry } from './service.ts';
import type { Repository } from './storage.ts';

export function repositoryOf(registry: Registry, { parameters }: Exchange): Repository {
  return registry.storage.repository(checkRepositoryName(parameters['name'] ?? ''));
}

function unknownBlob(repository: Repository, digest: Digest): RegistryFailure {
  return new RegistryFailure('BLOB_UNKNOWN', `${repository.name} has no blob ${digest}`);
}

function headersOf(digest: Digest): Readonly<Record<'content-type' | 'docker-content-digest' | 'etag' | 'accept-ranges' | 'cache-control', string>> {
  return { 'content-type': 'application/octet-stream', 'docker-content-digest': digest, etag: `"${digest}"`, 'accept-ranges': 'bytes', 'cache-control': 'private, max-age=31536000, immutable' };
}

/** A blob of another registry that is not here yet: it is given while it comes. */
async function fetchBlob(registry: Registry, exchange: Exchange, repository: Repository, digest: Digest): Promise<Response> {
  const { upstreams } = registry;
  if (exchange.request.method === 'HEAD') {
    const size = await upstreams.blobSize(repository, digest);
    if (size === undefined) throw unknownBlob(repository, digest);
    return new Response(null, { headers: { ...headersOf(digest), 'content-length': String(size) } });
  }
  const fetching = await upstreams.fetchBlob(repository, digest);
  if (fetching !== undefined) return new Response(fetching.body, { headers: { ...headersOf(digest), 'content-length': String(fetching.size) } });
  if (await repository.findBlob(digest) === undefined) throw unknownBlob(repository, digest);
  return getBlob(registry, exchange);
}

export async function getBlob(registry: Registry, exchange: Exchange): Promise<Response> {
  const { request, parameters } = exchange;
  const repository = repositoryOf(registry, exchange);
  const digest = checkDigest(parameters['digest'] ?? '');
  const headers = headersOf(digest);
  if (request.method === 'HEAD') {
    const size = await repository.blobSize(digest);
    if (size === undefined) return fetchBlob(registry, exchange, repository, digest);
    await repository.renew(digest);
    return new Response(null, { headers: { ...headers, 'content-length': String(size) } });
  }
  const found = await repository.findBlob(digest);
  if (found === undefined) return fetchBlob(registry, exchange, repository, digest);
  const { size } = found;
  if (request.headers.get('if-none-match') === headers.etag) return new Response(null, { status: 304, headers: { etag: headers.etag } });
  const range = parseRange(request.headers.get('range'), size);
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const length = end - start + 1;
  const head = { status: range === undefined ? 200 : 206, headers: { ...headers, 'content-length': String(length), ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }) } };
  if (length === 0) return new Response('', head);
  const bytes = await found.open(start, length);
  if (bytes === undefined) throw unknownBlob(repository, digest);
  const count = (sent: number): void => registry.metrics.count('sent_bytes_total', 'Bytes of blobs that were sent.', {}, sent);
  if ('handle' in bytes) return exchange.connection.sendFile(head, bytes.handle, start, length, count);
  return exchange.connection.sendStream(head, bytes.stream, count, (error) => registry.logFailure(error));
}

/** Takes the repository's link away; the bytes go when no repository has one (`garbage.ts`). */
export async function deleteBlob(registry: Registry, exchange: Exchange): Promise<Response> {
  const repository = repositoryOf(registry, exchange);
  const digest = checkDigest(exchange.parameters['digest'] ?? '');
  if (!await registry.unlink(repository, digest)) throw unknownBlob(repository, digest);
  return new Response(null, { status: 202 });
}

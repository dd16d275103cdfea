/** Blobs: reading, asking for, deleting (distribution-spec "Pulling blobs", "Deleting Blobs"). */
import type { Digest } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';
import { checkDigest, checkRepositoryName } from './names.ts';
import { parseRange } from './ranges.ts';
import type { Repository } from './repository.ts';
import type { Exchange, Registry } from './service.ts';
import { streamFile } from './uploads.ts';

/** Reads as much as is taken: nothing before the first byte is asked for. */
function toBody({ metrics }: Registry, source: AsyncGenerator<Uint8Array<ArrayBuffer>, void>): ReadableStream<Uint8Array> {
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const { value, done } = await source.next();
    if (done === true) {
      controller.close();
      return;
    }
    metrics.count('sent_bytes_total', 'Bytes of blobs that were sent.', {}, value.length);
    controller.enqueue(value);
  };
  return new ReadableStream({ pull, cancel: async () => void (await source.return()) }, { highWaterMark: 0 });
}

export function repositoryOf(registry: Registry, { parameters }: Exchange): Repository {
  return registry.storage.repository(checkRepositoryName(parameters['name'] ?? ''));
}

function unknownBlob(repository: Repository, digest: Digest): RegistryFailure {
  return new RegistryFailure('BLOB_UNKNOWN', `${repository.name} has no blob ${digest}`);
}

export function getBlob(registry: Registry, exchange: Exchange): Response {
  const { request, parameters } = exchange;
  const repository = repositoryOf(registry, exchange);
  const digest = checkDigest(parameters['digest'] ?? '');
  const size = repository.blobSize(digest);
  if (size === undefined) throw unknownBlob(repository, digest);
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest, etag: `"${digest}"`, 'accept-ranges': 'bytes', 'cache-control': 'private, max-age=31536000, immutable' };
  if (request.method === 'HEAD') {
    repository.renew(digest);
    return new Response(null, { headers: { ...headers, 'content-length': String(size) } });
  }
  if (request.headers.get('if-none-match') === headers.etag) return new Response(null, { status: 304, headers: { etag: headers.etag } });
  const range = parseRange(request.headers.get('range'), size);
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const length = end - start + 1;
  const body = length === 0 ? '' : toBody(registry, streamFile(registry.storage, registry.storage.blobs.pathOf(digest), start, length));
  if (range === undefined) return new Response(body, { headers: { ...headers, 'content-length': String(length) } });
  return new Response(body, { status: 206, headers: { ...headers, 'content-length': String(length), 'content-range': `bytes ${start}-${end}/${size}` } });
}

/** Takes the repository's link away; the bytes go when no repository has one (`garbage.ts`). */
export function deleteBlob(registry: Registry, exchange: Exchange): Response {
  const repository = repositoryOf(registry, exchange);
  const digest = checkDigest(exchange.parameters['digest'] ?? '');
  if (!registry.unlink(repository, digest)) throw unknownBlob(repository, digest);
  return new Response(null, { status: 202 });
}

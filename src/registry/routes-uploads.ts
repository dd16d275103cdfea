/** Uploads of blobs: in one piece, in chunks, resumed, mounted (distribution-spec "Pushing blobs"). */
import { isDigest } from '../image/index.ts';
import type { Digest } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';
import { checkDigest, isRepositoryName } from './names.ts';
import { parseChunkRange } from './ranges.ts';
import type { Repository } from './repository.ts';
import { repositoryOf } from './routes-blobs.ts';
import type { Exchange, Registry } from './service.ts';
import type { Upload } from './uploads.ts';

function progressHeaders({ repository, id, size }: Upload): Record<string, string> {
  return { location: `/v2/${repository.name}/blobs/uploads/${id}`, range: `0-${Math.max(0, size - 1)}`, 'docker-upload-uuid': id };
}

function created(repository: Repository, digest: Digest): Response {
  return new Response(null, { status: 201, headers: { location: `/v2/${repository.name}/blobs/${digest}`, 'docker-content-digest': digest } });
}

/** Another repository has the blob, and the caller may read it there. */
function mount(registry: Registry, { url, caller }: Exchange, into: Repository): Digest | undefined {
  const [digest, from] = [url.searchParams.get('mount'), url.searchParams.get('from')];
  if (!isDigest(digest) || from === null || !isRepositoryName(from) || !caller.may('pull', from)) return undefined;
  const source = registry.storage.repository(from);
  const size = source.blobSize(digest);
  if (size === undefined) return undefined;
  source.renew(digest);
  return registry.mount(into, digest, size) ? digest : undefined;
}

export async function startUpload(registry: Registry, exchange: Exchange): Promise<Response> {
  const { url, connection } = exchange;
  const repository = repositoryOf(registry, exchange);
  const mounted = url.searchParams.has('mount') ? mount(registry, exchange, repository) : undefined;
  if (mounted !== undefined) return created(repository, mounted);
  const wanted = url.searchParams.get('digest');
  const digest = wanted === null ? undefined : checkDigest(wanted);
  const upload = registry.uploads.begin(repository);
  if (digest === undefined) return new Response(null, { status: 202, headers: progressHeaders(upload) });
  await registry.uploads.receive(upload, connection.body, registry.allowance(upload), digest);
  await registry.finish(upload, digest);
  return created(repository, digest);
}

function uploadOf(registry: Registry, exchange: Exchange): Upload {
  return registry.uploads.find(repositoryOf(registry, exchange), exchange.parameters['id'] ?? '');
}

/** A chunk must begin where the last one ended; if not, the answer says where that is. */
function checkChunk({ request }: Exchange, upload: Upload): void {
  const range = parseChunkRange(request.headers.get('content-range'));
  if (range === undefined) return;
  if (range.start !== upload.size) throw new RegistryFailure('BLOB_UPLOAD_INVALID', `the chunk begins at ${range.start}, and ${upload.size} bytes are here`, { status: 416, headers: progressHeaders(upload) });
  const length = request.headers.get('content-length');
  if (length !== null && Number(length) !== range.end - range.start + 1) throw new RegistryFailure('SIZE_INVALID', `the chunk has ${length} bytes, and its Content-Range says ${range.end - range.start + 1}`);
}

export async function sendChunk(registry: Registry, exchange: Exchange): Promise<Response> {
  const upload = uploadOf(registry, exchange);
  checkChunk(exchange, upload);
  await registry.uploads.receive(upload, exchange.connection.body, registry.allowance(upload));
  return new Response(null, { status: 202, headers: progressHeaders(upload) });
}

export async function finishUpload(registry: Registry, exchange: Exchange): Promise<Response> {
  const upload = uploadOf(registry, exchange);
  const digest = checkDigest(exchange.url.searchParams.get('digest') ?? '');
  checkChunk(exchange, upload);
  await registry.uploads.receive(upload, exchange.connection.body, registry.allowance(upload), digest);
  await registry.finish(upload, digest);
  return created(upload.repository, digest);
}

export function uploadStatus(registry: Registry, exchange: Exchange): Response {
  return new Response(null, { status: 204, headers: progressHeaders(uploadOf(registry, exchange)) });
}

export function cancelUpload(registry: Registry, exchange: Exchange): Response {
  registry.uploads.cancel(uploadOf(registry, exchange));
  return new Response(null, { status: 204 });
}

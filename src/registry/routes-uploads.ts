/** Uploads of blobs: in one piece, in chunks, resumed, mounted (distribution-spec "Pushing blobs"). */
import { isDigest } from '../image/index.ts';
import type { Digest } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';
import { checkDigest, isRepositoryName } from './names.ts';
import { parseChunkRange } from './ranges.ts';
import { repositoryOf } from './routes-blobs.ts';
import type { Exchange, Registry } from './service.ts';
import type { Awaitable, Repository, Upload } from './storage.ts';

function progressHeaders({ repository, id, size }: Upload): Record<string, string> {
  return { location: `/v2/${repository.name}/blobs/uploads/${id}`, range: `0-${Math.max(0, size - 1)}`, 'docker-upload-uuid': id };
}

function created(repository: Repository, digest: Digest): Response {
  return new Response(null, { status: 201, headers: { location: `/v2/${repository.name}/blobs/${digest}`, 'docker-content-digest': digest } });
}

/** Another repository has the blob, and the caller may read it there. */
async function mount(registry: Registry, { url, caller }: Exchange, into: Repository): Promise<Digest | undefined> {
  const [digest, from] = [url.searchParams.get('mount'), url.searchParams.get('from')];
  if (!isDigest(digest) || from === null || !isRepositoryName(from) || !caller.may('pull', from)) return undefined;
  return await registry.mount(into, digest, registry.storage.repository(from)) ? digest : undefined;
}

export async function startUpload(registry: Registry, exchange: Exchange): Promise<Response> {
  const { url, connection } = exchange;
  const repository = repositoryOf(registry, exchange);
  await registry.admitName(repository);
  const mounted = url.searchParams.has('mount') ? await mount(registry, exchange, repository) : undefined;
  if (mounted !== undefined) return created(repository, mounted);
  const wanted = url.searchParams.get('digest');
  const digest = wanted === null ? undefined : checkDigest(wanted);
  const upload = await registry.uploads.begin(repository, digest !== undefined);
  if (digest === undefined) return new Response(null, { status: 202, headers: progressHeaders(upload) });
  await registry.uploads.receive(upload, connection.body, await registry.allowance(upload), digest);
  await registry.finish(upload, digest);
  return created(repository, digest);
}

function uploadOf(registry: Registry, exchange: Exchange): Awaitable<Upload> {
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
  const upload = await uploadOf(registry, exchange);
  checkChunk(exchange, upload);
  await registry.uploads.receive(upload, exchange.connection.body, await registry.allowance(upload));
  return new Response(null, { status: 202, headers: progressHeaders(upload) });
}

export async function finishUpload(registry: Registry, exchange: Exchange): Promise<Response> {
  const upload = await uploadOf(registry, exchange);
  const digest = checkDigest(exchange.url.searchParams.get('digest') ?? '');
  checkChunk(exchange, upload);
  await registry.uploads.receive(upload, exchange.connection.body, await registry.allowance(upload), digest);
  await registry.finish(upload, digest);
  return created(upload.repository, digest);
}

export async function uploadStatus(registry: Registry, exchange: Exchange): Promise<Response> {
  return new Response(null, { status: 204, headers: progressHeaders(await uploadOf(registry, exchange)) });
}

export async function cancelUpload(registry: Registry, exchange: Exchange): Promise<Response> {
  await registry.uploads.cancel(await uploadOf(registry, exchange));
  return new Response(null, { status: 204 });
}

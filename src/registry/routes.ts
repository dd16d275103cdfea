/** The addresses of the API, each a row (distribution-spec "Endpoints"). */
import type { Action } from './access.ts';
import { RegistryFailure } from './errors.ts';
import { deleteBlob, getBlob } from './routes-blobs.ts';
import { listReferrers, listRepositories, listTags } from './routes-discovery.ts';
import { deleteManifest, getManifest, putManifest } from './routes-manifests.ts';
import { cancelUpload, finishUpload, sendChunk, startUpload, uploadStatus } from './routes-uploads.ts';
import type { Exchange, Registry } from './service.ts';

export interface Route {
  /** As the specification numbers it; a name of our own for what it does not have. */
  readonly endpoint: string;
  readonly methods: readonly string[];
  readonly path: RegExp;
  /** What the caller must be allowed to do with the repository `name`; `list`: the answer has only what the caller may read. */
  readonly action: Action | 'none' | 'list';
  handle(registry: Registry, exchange: Exchange): Response | Promise<Response>;
}

const base = (): Response => Response.json({}, { headers: { 'docker-distribution-api-version': 'registry/2.0' } });

const UPLOAD = /^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<id>[^/]+)$/;
const MANIFEST = /^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/;
const BLOB = /^\/v2\/(?<name>.+)\/blobs\/(?<digest>[^/]+)$/;

export const ROUTES: readonly Route[] = [
  { endpoint: 'end-1', methods: ['GET', 'HEAD'], path: /^\/v2\/?$/, action: 'none', handle: base },
  { endpoint: 'catalog', methods: ['GET'], path: /^\/v2\/_catalog$/, action: 'list', handle: listRepositories },
  { endpoint: 'end-8', methods: ['GET'], path: /^\/v2\/(?<name>.+)\/tags\/list$/, action: 'pull', handle: listTags },
  { endpoint: 'end-12', methods: ['GET'], path: /^\/v2\/(?<name>.+)\/referrers\/(?<digest>[^/]+)$/, action: 'pull', handle: listReferrers },
  { endpoint: 'end-4', methods: ['POST'], path: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/, action: 'push', handle: startUpload },
  { endpoint: 'end-13', methods: ['GET', 'HEAD'], path: UPLOAD, action: 'push', handle: uploadStatus },
  { endpoint: 'end-5', methods: ['PATCH'], path: UPLOAD, action: 'push', handle: sendChunk },
  { endpoint: 'end-6', methods: ['PUT'], path: UPLOAD, action: 'push', handle: finishUpload },
  { endpoint: 'upload-cancel', methods: ['DELETE'], path: UPLOAD, action: 'push', handle: cancelUpload },
  { endpoint: 'end-3', methods: ['GET', 'HEAD'], path: MANIFEST, action: 'pull', handle: getManifest },
  { endpoint: 'end-7', methods: ['PUT'], path: MANIFEST, action: 'push', handle: putManifest },
  { endpoint: 'end-9', methods: ['DELETE'], path: MANIFEST, action: 'delete', handle: deleteManifest },
  { endpoint: 'end-2', methods: ['GET', 'HEAD'], path: BLOB, action: 'pull', handle: getBlob },
  { endpoint: 'end-10', methods: ['DELETE'], path: BLOB, action: 'delete', handle: deleteBlob },
];

export interface FoundRoute {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

/** `path`: as it came; a digest's colon may be written %3A. @throws RegistryFailure: no such address (404), or not with this method (405). */
export function findRoute(method: string, path: string): FoundRoute {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch (error) {
    throw new RegistryFailure('NAME_INVALID', 'the address is not well formed', { cause: error });
  }
  const allowed: string[] = [];
  for (const route of ROUTES) {
    const match = route.path.exec(decoded);
    if (match !== null && route.methods.includes(method)) return { route, parameters: { ...match.groups } };
    if (match !== null) allowed.push(...route.methods);
  }
  if (allowed.length > 0) throw new RegistryFailure('UNSUPPORTED', `${method} is not possible here`, { headers: { allow: [...new Set(allowed)].join(', ') } });
  throw new RegistryFailure('UNSUPPORTED', 'there is nothing at this address', { status: 404 });
}

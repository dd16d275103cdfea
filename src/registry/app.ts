/** The registry as one function from a request to a response. */
import { Hono } from 'hono';
import { ENOSPC } from '../abi/errno.ts';
import type { HttpConnection } from '../host/types.ts';
import { StoreError } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';
import { findRoute } from './routes.ts';
import type { Caller, Registry } from './service.ts';

/** What is ours to repair is said in the log; the client hears that it was not its fault. */
function failureOf(registry: Registry, error: unknown): RegistryFailure {
  if (error instanceof RegistryFailure) return error;
  const isFull = error instanceof StoreError && error.errno === ENOSPC;
  registry.log(error instanceof Error ? error.message : String(error));
  return new RegistryFailure('UNKNOWN', isFull ? 'the disk of the registry is full' : 'the registry has failed; its log says why', { status: isFull ? 507 : 500, cause: error });
}

const everybody: Caller = { name: undefined, may: () => true };

export function createApp(registry: Registry): (request: Request, connection: HttpConnection) => Response | Promise<Response> {
  const app = new Hono<{ Bindings: HttpConnection }>();
  app.onError((error) => failureOf(registry, error).toResponse());
  app.notFound(() => new RegistryFailure('UNSUPPORTED', 'there is nothing at this address', { status: 404 }).toResponse());
  const api = async (request: Request, connection: HttpConnection): Promise<Response> => {
    const url = new URL(request.url);
    const { route, parameters } = findRoute(request.method, url.pathname);
    return route.handle(registry, { request, url, connection, caller: everybody, parameters });
  };
  app.all('/v2', ({ req, env }) => api(req.raw, env));
  app.all('/v2/*', ({ req, env }) => api(req.raw, env));
  return (request, connection) => app.fetch(request, connection);
}

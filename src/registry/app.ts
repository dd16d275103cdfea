/** The registry as one function from a request to a response. */
import { Hono } from 'hono';
import type { HttpConnection } from '../host/types.ts';
import type { Action } from './access.ts';
import type { Caller } from './authentication.ts';
import { RegistryFailure, isFull } from './errors.ts';
import { MOST_FORM_BYTES } from './limits.ts';
import { checkRepositoryName } from './names.ts';
import { addPages } from './pages.ts';
import { findRoute } from './routes.ts';
import type { FoundRoute } from './routes.ts';
import { BucketError } from './s3-errors.ts';
import type { Registry } from './service.ts';

type Handler = (request: Request, connection: HttpConnection, note: (caller: Caller, endpoint: string) => void) => Promise<Response>;

/** What is ours to repair is said in the log; the client hears that it was not its fault. */
function failureOf(registry: Registry, error: unknown): RegistryFailure {
  if (error instanceof RegistryFailure) return error;
  if (error instanceof BucketError) {
    registry.logFailure(error);
    return new RegistryFailure('UNAVAILABLE', 'the bucket of the registry does not do what it should; its log says why', { headers: { 'retry-after': '5' }, cause: error });
  }
  // The client went away: nobody reads the answer, and there is nothing to repair.
  if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return new RegistryFailure('BLOB_UPLOAD_INVALID', 'the connection broke');
  registry.logFailure(error);
  return new RegistryFailure('UNKNOWN', isFull(error) ? 'the disk of the registry is full' : 'the registry has failed; its log says why', { status: isFull(error) ? 507 : 500, cause: error });
}

/** What a token must allow for each action, as Docker's clients and servers write it. */
const SCOPES: Readonly<Record<Action, string>> = { pull: 'pull', push: 'pull,push', delete: 'delete' };

/** Refuses before anything is looked up, so that the answer does not depend on what is there. @throws RegistryFailure UNAUTHORIZED, DENIED */
function authorize({ authentication }: Registry, { route, parameters }: FoundRoute, caller: Caller, request: Request): void {
  const isNobody = caller.name === undefined && !caller.hasToken;
  if (route.action === 'none') {
    if (isNobody && !authentication.isOff) throw authentication.challenge(request, 'say who you are');
    return;
  }
  if (route.action === 'list') {
    if (!caller.lists) throw authentication.challenge(request, 'the token does not allow the list of repositories', 'registry:catalog:*');
    return;
  }
  const name = checkRepositoryName(parameters['name'] ?? '');
  if (caller.may(route.action, name)) return;
  if (isNobody || caller.hasToken) throw authentication.challenge(request, `who asks may not ${route.action} here`, `repository:${name}:${SCOPES[route.action]}`);
  throw new RegistryFailure('DENIED', `${caller.name} may not ${route.action} here`);
}

function api(registry: Registry): Handler {
  return async (request, connection, note) => {
    const url = new URL(request.url);
    const found = findRoute(request.method, url.pathname);
    const caller = await registry.authentication.identify(request, connection);
    note(caller, found.route.endpoint);
    registry.admit(caller, connection);
    authorize(registry, found, caller, request);
    if (found.route.action === 'push' && registry.upstreams.has(registry.storage.repository(found.parameters['name'] ?? ''))) throw new RegistryFailure('UNSUPPORTED', `${found.parameters['name']} is a copy of another registry's: push there`);
    return found.route.handle(registry, { request, url, connection, caller, parameters: found.parameters });
  };
}

async function readForm({ body }: HttpConnection): Promise<URLSearchParams> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MOST_FORM_BYTES) throw new RegistryFailure('SIZE_INVALID', 'the form is too long', { status: 413 });
  }
  return new URLSearchParams(text);
}

function token(registry: Registry): Handler {
  return async (request, connection, note) => {
    note({ name: undefined, hasToken: false, may: () => false, sees: () => false, lists: false }, 'token');
    return registry.authentication.token(request, connection, request.method === 'POST' ? await readForm(connection) : new URL(request.url).searchParams);
  };
}

/** Reads that succeed, or find nothing, are nobody's concern but the figures'. */
function isAudited(method: string, status: number): boolean {
  return !(method === 'GET' || method === 'HEAD') || status === 401 || status === 403 || status === 429;
}

/** Counts, writes down, and makes an answer of every failure. */
function observed(registry: Registry, handle: Handler): (request: Request, connection: HttpConnection) => Promise<Response> {
  return async (request, connection) => {
    const started = performance.now();
    let [caller, endpoint]: [Caller | undefined, string] = [undefined, 'none'];
    const response = await handle(request, connection, (found, where) => {
      [caller, endpoint] = [found, where];
    }).catch((error: unknown) => failureOf(registry, error).toResponse());
    registry.metrics.request(endpoint, request.method, response.status, (performance.now() - started) / 1000);
    if (registry.audit !== undefined && isAudited(request.method, response.status)) {
      const { pathname, search } = new URL(request.url);
      registry.audit({ time: new Date(registry.storage.host.now()).toISOString(), address: connection.address, user: (caller as Caller | undefined)?.name, method: request.method, path: pathname === '/token' ? pathname : pathname + search, status: response.status });
    }
    return response;
  };
}

export function createApp(registry: Registry): (request: Request, connection: HttpConnection) => Response | Promise<Response> {
  const app = new Hono<{ Bindings: HttpConnection }>();
  app.onError((error) => failureOf(registry, error).toResponse());
  app.notFound(() => new RegistryFailure('UNSUPPORTED', 'there is nothing at this address', { status: 404 }).toResponse());
  const [answer, answerToken] = [observed(registry, api(registry)), observed(registry, token(registry))];
  app.all('/v2', ({ req, env }) => answer(req.raw, env));
  app.all('/v2/*', ({ req, env }) => answer(req.raw, env));
  app.on(['GET', 'POST'], '/token', ({ req, env }) => answerToken(req.raw, env));
  app.get('/healthz', () => health(registry));
  addPages(app, registry);
  return (request, connection) => app.fetch(request, connection);
}

/** Whether it can write: what a push needs. */
async function health({ storage }: Registry): Promise<Response> {
  try {
    await storage.checkHealth();
    return Response.json({ status: 'ok' });
  } catch (error) {
    return Response.json({ status: 'failed', reason: error instanceof Error ? error.message.replace(/ ".*"/, '') : 'unknown' }, { status: 503 });
  }
}

/** For Prometheus, at an address of its own: what it says is nobody else's business. */
export function createMetricsApp(registry: Registry): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/healthz') return health(registry);
    return pathname === '/metrics' ? new Response(await registry.metrics.text(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }) : new Response('see /metrics\n', { status: 404 });
  };
}

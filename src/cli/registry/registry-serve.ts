/** `registry serve`: a registry of one's own. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { startHttpServer } from '../../host/node/http-server.ts';
import type { HttpServer, HttpServerTls } from '../../host/node/http-server.ts';
import type { HttpConnection } from '../../host/types.ts';
import { DEFAULT_REGISTRY_LIMITS, IDLE_TIMEOUT_MS, MOST_CONNECTIONS, MOST_HEADER_BYTES, Registry, createApp, createMetricsApp, startMaintenance } from '../../registry/index.ts';
import type { RegistryLimits } from '../../registry/index.ts';
import { readCommand } from '../command.ts';
import { UserError, formatError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { parseSize } from '../quantities.ts';
import { authenticationOf, tlsOf } from './registry-auth-options.ts';
import { readRegistryConfig } from './registry-config.ts';
import { countFlag, durationFlag, graceOf, listenAddress, openStorage, showAddress } from './registry-options.ts';
import type { ListenAddress } from './registry-options.ts';
import { SERVE } from './registry-specs.ts';

const DEFAULT_ADDRESS = '127.0.0.1:5000';
/** Requests that are under way when the registry is told to end have so long. */
const GRACE_MS = 10_000;

function limitsOf(values: FlagValues): RegistryLimits {
  const text = values.last('max-blob-size');
  const blobBytes = text === undefined ? DEFAULT_REGISTRY_LIMITS.blobBytes : parseSize(text);
  if (blobBytes === undefined || blobBytes === 0) throw new UserError(`cannot use --max-blob-size ${text}: it is no size`, 'such as 10g');
  return { ...DEFAULT_REGISTRY_LIMITS, blobBytes, requestsPerSecond: countFlag(values, 'rate-limit') };
}

function openAuditLog(values: FlagValues): ((entry: object) => void) | undefined {
  const file = values.last('audit-log');
  if (file === undefined) return undefined;
  let handle: number;
  try {
    handle = openSync(file, 'a', 0o600);
  } catch (error) {
    throw new UserError(`cannot use --audit-log ${file}: ${(error as Error).message}`, 'check the path', undefined, { cause: error });
  }
  process.on('exit', () => closeSync(handle));
  return (entry) => void writeSync(handle, `${JSON.stringify(entry)}\n`);
}

async function listen(fetch: (request: Request, connection: HttpConnection) => Response | Promise<Response>, address: ListenAddress, flag: string, tls?: HttpServerTls): Promise<HttpServer> {
  try {
    return await startHttpServer(fetch, { ...address, tls, idleTimeoutMs: IDLE_TIMEOUT_MS, mostHeaderBytes: MOST_HEADER_BYTES, mostConnections: MOST_CONNECTIONS });
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    if (code.startsWith('ERR_OSSL') || code.startsWith('ERR_TLS')) throw new UserError(`cannot use TLS: ${message}`, 'check --tls-cert, --tls-key and --client-ca', undefined, { cause: error });
    throw new UserError(`cannot listen on ${showAddress(address)}: ${code === 'EADDRINUSE' ? 'something else listens there' : message}`, `choose another address with --${flag}`, undefined, { cause: error });
  }
}

function log(line: string): void {
  process.stderr.write(`caisson registry: ${line}\n`);
}

/** Passwords cross the network as they are; what is between may be a proxy with TLS. */
function warn(values: FlagValues, { host }: ListenAddress, tls: HttpServerTls | undefined, isOpen: boolean): void {
  const isLocal = /^(?:127\.|::1$|localhost$)/.test(host);
  if (isLocal) return;
  if (isOpen) log('everybody who reaches this address may push and delete: name users with --htpasswd');
  else if (tls === undefined && !values.has('external-url')) log('passwords and images cross the network unencrypted: use --tls-cert and --tls-key, or --external-url behind a proxy');
}

/** Resolves when the process is asked to end. */
function untilAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

export async function serveCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(SERVE, args);
  if (values === undefined) return 0;
  const [address, metricsAddress] = [listenAddress(values.last('listen') ?? DEFAULT_ADDRESS), values.has('metrics') ? listenAddress(values.last('metrics') ?? '') : undefined];
  let config = readRegistryConfig(values.last('config'));
  const tls = tlsOf(values);
  const limits = limitsOf(values);
  const [collectEveryMs, scrubEveryMs] = [durationFlag(values, 'gc-interval', '1h'), durationFlag(values, 'scrub-interval', '0')];
  const storage = await openStorage(values, config);
  const registry = new Registry({ storage, limits, authentication: await authenticationOf(values, config, storage), rules: config, log, audit: openAuditLog(values) });
  const reload = async (): Promise<void> => {
    const next = readRegistryConfig(values.last('config'));
    registry.authentication = await authenticationOf(values, next, storage);
    registry.setRules(next);
    config = next;
    log('read its files again');
  };
  process.on('SIGHUP', () => void reload().catch((error: unknown) => log(`goes on as before: ${formatError(error).replace(/^caisson: /, '')}`)));
  warn(values, address, tls, registry.authentication.isOff);
  const server = await listen(createApp(registry), address, 'listen', tls);
  const metrics = metricsAddress === undefined ? undefined : await listen(createMetricsApp(registry), metricsAddress, 'metrics');
  const endMaintenance = startMaintenance(registry, { retention: () => config.retention, graceMs: graceOf(values), collectEveryMs: collectEveryMs || undefined, scrubEveryMs: scrubEveryMs || undefined });
  if (metrics !== undefined && metricsAddress !== undefined) process.stdout.write(`figures at http://${showAddress({ ...metricsAddress, port: metrics.port })}/metrics\n`);
  process.stdout.write(`listening on ${tls === undefined ? 'http' : 'https'}://${showAddress({ ...address, port: server.port })}\n`);
  await untilAsked();
  endMaintenance();
  registry.webhooks.end();
  await Promise.all([server.close(GRACE_MS), metrics?.close(0)]);
  return 0;
}

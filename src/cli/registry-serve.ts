/** `registry`: a registry of one's own. */
import { join } from 'node:path';
import { startHttpServer } from '../host/node/http-server.ts';
import { createImageHost, storeDirectory } from '../host/node/image-host.ts';
import { nodeServerFiles } from '../host/node/server-files.ts';
import { DEFAULT_REGISTRY_LIMITS, IDLE_TIMEOUT_MS, MOST_CONNECTIONS, MOST_HEADER_BYTES, Registry, RegistryStorage, createApp } from '../registry/index.ts';
import { toByteString } from './bytes.ts';
import { readCommand } from './command.ts';
import { UserError } from './errors.ts';
import { nearest } from './flags.ts';
import type { FlagValues } from './flags.ts';
import { toUserError } from './image-store.ts';
import { parseSize } from './quantities.ts';
import { REGISTRY_COMMANDS, SERVE } from './registry-specs.ts';

const DEFAULT_ADDRESS = '127.0.0.1:5000';
/** Requests that are under way when the registry is told to end have so long. */
const GRACE_MS = 10_000;

/** `HOST:PORT`, `[::1]:PORT` or `:PORT`. */
function addressOf(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new UserError(`cannot listen on "${text}": it is not HOST:PORT`, 'such as 127.0.0.1:5000');
  return { host: match[1] ?? (match[2] === '' ? '::' : match[2] ?? ''), port };
}

function directoryOf(values: FlagValues): string {
  const given = values.last('dir');
  if (given !== undefined && given !== '') return toByteString(given);
  const store = storeDirectory();
  if (store === undefined) throw new UserError('cannot find a place for the registry: HOME is not set', 'give one with --dir');
  return toByteString(join(store, 'registry'));
}

function openStorage(values: FlagValues): RegistryStorage {
  try {
    return RegistryStorage.open(createImageHost(), nodeServerFiles, directoryOf(values));
  } catch (error) {
    throw toUserError(error, 'open the registry');
  }
}

function blobBytesOf(values: FlagValues): number {
  const text = values.last('max-blob-size');
  const size = text === undefined ? DEFAULT_REGISTRY_LIMITS.blobBytes : parseSize(text);
  if (size === undefined || size === 0) throw new UserError(`cannot use --max-blob-size ${text}: it is no size`, 'such as 10g');
  return size;
}

/** Resolves when the process is asked to end. */
function untilAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

async function serve(args: readonly string[]): Promise<number> {
  const values = await readCommand(SERVE, args);
  if (values === undefined) return 0;
  const { host, port } = addressOf(values.last('listen') ?? DEFAULT_ADDRESS);
  const registry = new Registry({ storage: openStorage(values), limits: { ...DEFAULT_REGISTRY_LIMITS, blobBytes: blobBytesOf(values) }, log: (line) => void process.stderr.write(`caisson registry: ${line}\n`) });
  const options = { host, port, idleTimeoutMs: IDLE_TIMEOUT_MS, mostHeaderBytes: MOST_HEADER_BYTES, mostConnections: MOST_CONNECTIONS };
  const server = await startHttpServer(createApp(registry), options).catch((error: unknown) => {
    const { code = '', message } = error as { code?: string; message: string };
    throw new UserError(`cannot listen on ${host}:${port}: ${code === 'EADDRINUSE' ? 'something else listens there' : message}`, 'choose another address with --listen', undefined, { cause: error });
  });
  process.stdout.write(`listening on http://${host.includes(':') ? `[${host}]` : host}:${server.port}\n`);
  await untilAsked();
  await server.close(GRACE_MS);
  return 0;
}

const COMMANDS: ReadonlyMap<string, (args: readonly string[]) => Promise<number>> = new Map([['serve', serve]]);

export async function registryCommand(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || word === '--help' || word === '-h') {
    process.stdout.write((await import('./help.ts')).groupHelp('registry', REGISTRY_COMMANDS));
    return 0;
  }
  const command = COMMANDS.get(word);
  if (command !== undefined) return command(rest);
  const guess = nearest(word, [...COMMANDS.keys()]);
  throw new UserError(`cannot registry ${word}: no such command`, guess === undefined ? 'see "caisson registry --help"' : `did you mean "caisson registry ${guess}"?`);
}

/** `pull`, `push`, `login`, `logout`: images and registries. */
import { readCredentials, removeCredentials, storeCredentials } from '../../host/node/docker-config.ts';
import { nodeHttp } from '../../host/node/http.ts';
import { createImageHost } from '../../host/node/image-host.ts';
import type { HttpTls } from '../../host/types.ts';
import { ImageError, ImageLimitError, OWN_PLATFORM, RegistryClient, StoreError, pullImage, pushImage } from '../../image/index.ts';
import type { ImageStore, LaterPreparer, RegistryCredentials, StoredImage } from '../../image/index.ts';
import { DEFAULT_REGISTRY, familiarName, formatReference, parseReference } from '../../image/reference.ts';
import type { Reference } from '../../image/reference.ts';
import { mayLeaveProcesses } from '../processes/background.ts';
import { BackgroundPreparer } from '../processes/background-preparer.ts';
import { readCommand } from '../command.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { layerLimits, platformFlag } from '../images/image-archives.ts';
import { LOGIN, LOGOUT, PULL, PUSH } from '../images/image-specs.ts';
import { toUserError, withStore } from '../images/image-store.ts';
import { readPemFile } from '../pem-file.ts';
import { parseSize } from '../quantities.ts';
import { BlobProgress } from '../progress.ts';
import { holdAgainstNames } from '../squat/squat-settings.ts';

function tlsOf(values: FlagValues): HttpTls | undefined {
  const [authority, certificate, key] = ['cacert', 'cert', 'key'].map((flag) => (values.last(flag) === undefined ? undefined : readPemFile(flag, values.last(flag) ?? '')));
  if (authority === undefined && certificate === undefined && key === undefined) return undefined;
  return { ...(authority === undefined ? {} : { authorities: [authority] }), ...(certificate === undefined ? {} : { certificate }), ...(key === undefined ? {} : { key }) };
}

function knownCredentials(registry: string): RegistryCredentials | undefined {
  try {
    return readCredentials(registry);
  } catch (error) {
    throw new UserError(`cannot log in to ${registry}: ${(error as Error).message}`, 'repair it, or log in again with "caisson login"', undefined, { cause: error });
  }
}

function chunkFlag(values: FlagValues): number | undefined {
  const text = values.last('chunk-size');
  const size = text === undefined ? undefined : parseSize(text);
  if (text !== undefined && (size === undefined || size === 0)) throw new UserError(`cannot use --chunk-size ${text}: it is no size`, 'such as 50m');
  return size;
}

/** Of the repository that the reference names. @throws UserError */
export function clientFor(reference: Reference, values: FlagValues, progress: BlobProgress, credentials = knownCredentials(reference.registry)): RegistryClient {
  return new RegistryClient(createImageHost({ http: nodeHttp }), {
    registry: reference.registry, repository: reference.repository, credentials, tls: tlsOf(values), plainHttp: values.has('plain-http'),
    chunkBytes: chunkFlag(values), onWarning: (text) => progress.note(`${reference.registry} says: ${text}`),
    onRetry: (reason, waitMs) => progress.note(`${reason}; trying again in ${(waitMs / 1000).toFixed(1)} s`),
  });
}

/** Gets an image that is not here. `later`: where no container is to run on it at once. */
export async function pull(store: ImageStore, typed: string, values: FlagValues, { quiet, later }: { readonly quiet: boolean; readonly later?: LaterPreparer | undefined }): Promise<StoredImage> {
  const reference = parseReference(typed);
  await holdAgainstNames(typed, 'pull', values);
  const progress = new BlobProgress(quiet);
  if (!quiet) process.stderr.write(`pulling ${formatReference(reference)}\n`);
  const options = { reference, typed, platform: values.has('platform') ? platformFlag(values) : OWN_PLATFORM, limits: layerLimits(values), later, progress };
  for (const mirror of mirrorsOf(reference, values)) {
    try {
      return await pullImage(store, clientFor({ ...reference, registry: mirror }, values, progress), options);
    } catch (error) {
      // A mirror need not have everything, nor be there; what it has under a digest is what it should be, or not taken.
      if (!(error instanceof ImageError) || error instanceof StoreError || error instanceof ImageLimitError) throw error;
      progress.note(`the mirror does not help: ${error.message}`);
    }
  }
  return pullImage(store, clientFor(reference, values, progress), options);
}

/** Registries that are asked first: those of --mirror, and for Docker Hub those of the environment, as Docker's `registry-mirrors`. */
function mirrorsOf({ registry }: Reference, values: FlagValues): readonly string[] {
  const fromEnvironment = registry === DEFAULT_REGISTRY ? (process.env['CAISSON_MIRRORS'] ?? '').split(',').filter((mirror) => mirror !== '') : [];
  const mirrors = [...values.all('mirror'), ...fromEnvironment];
  for (const mirror of mirrors) if (!/^[a-zA-Z0-9.-]+(?::\d+)?$|^\[[0-9a-fA-F:]+\](?::\d+)?$/.test(mirror)) throw new UserError(`cannot use the mirror "${mirror}": it is no HOST[:PORT]`, 'such as mirror.example or localhost:5000');
  return mirrors;
}

export async function pullCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(PULL, args);
  if (values === undefined) return 0;
  const [typed = ''] = values.command;
  return withStore(`pull "${typed}"`, async (store) => {
    // Limits that are given are for this command, so it holds all layers against them.
    const mustWait = ['wait', 'max-layer-size', 'max-layer-entries', 'max-layer-ratio'].some((flag) => values.has(flag));
    const later = mustWait || !mayLeaveProcesses() ? undefined : new BackgroundPreparer();
    const image = await pull(store, typed, values, { quiet: values.has('quiet'), later }).finally(() => later?.release());
    process.stdout.write(`${familiarName(parseReference(typed))}@${image.record.target.digest}\n`);
    return 0;
  });
}

/** Sends an image to where a name says; answers the name and the digest that the registry has it under. */
export async function push(store: ImageStore, image: StoredImage, name: string, values: FlagValues, quiet: boolean): Promise<string> {
  const reference = parseReference(name);
  await holdAgainstNames(name, 'push', values);
  const progress = new BlobProgress(quiet);
  const { digest } = await pushImage(store, clientFor(reference, values, progress), image, reference, progress);
  return `${familiarName(reference)}@${digest}`;
}

export async function pushCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(PUSH, args);
  if (values === undefined) return 0;
  const [text = '', destination] = values.command;
  return withStore(`push "${text}"`, async (store) => {
    const image = store.find(text);
    const name = destination ?? (image.record.reference === undefined ? text : formatReference(image.record.reference));
    process.stdout.write(`${await push(store, image, name, values, values.has('quiet'))}\n`);
    return 0;
  });
}

/** A line of the terminal that does not show. */
async function askSecret(question: string): Promise<string> {
  if (process.stdin.isTTY !== true) throw new UserError('cannot ask for the password: there is no terminal', 'use --password-stdin');
  process.stderr.write(question);
  process.stdin.setRawMode(true);
  let text = '';
  try {
    for await (const chunk of process.stdin) {
      for (const character of String(chunk)) {
        if (character === '\x03') throw new UserError('cannot log in: interrupted', undefined, 130);
        if (character === '\r' || character === '\n') return text;
        text = character === '\x7f' ? text.slice(0, -1) : text + character;
      }
    }
    return text;
  } finally {
    process.stdin.setRawMode(false);
    process.stderr.write('\n');
  }
}

async function readInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) text += String(chunk);
  return text.replace(/\r?\n$/, '');
}

async function credentialsFrom(values: FlagValues): Promise<RegistryCredentials> {
  const username = values.last('username');
  if (username === undefined) throw new UserError('cannot log in: there is no user name', 'give it with -u');
  const password = values.has('password-stdin') ? await readInput() : values.last('password') ?? await askSecret('Password: ');
  if (password === '') throw new UserError('cannot log in: the password is empty', 'use --password-stdin, or type it');
  return { username, password };
}

export async function loginCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(LOGIN, args);
  if (values === undefined) return 0;
  const registry = values.command[0] ?? DEFAULT_REGISTRY;
  const credentials = await credentialsFrom(values);
  try {
    await clientFor({ registry, repository: '', tag: undefined, digest: undefined }, values, new BlobProgress(false), credentials).ping();
    storeCredentials(registry, credentials);
  } catch (error) {
    const known = toUserError(error, `log in to ${registry}`);
    if (error instanceof Error && 'status' in error && error.status === 401) throw new UserError(`cannot log in to ${registry}: the name or the password is wrong`, 'try again', undefined, { cause: error });
    throw known;
  }
  process.stdout.write('Login Succeeded\n');
  return 0;
}

export async function logoutCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(LOGOUT, args);
  if (values === undefined) return 0;
  const registry = values.command[0] ?? DEFAULT_REGISTRY;
  process.stdout.write(removeCredentials(registry) ? `Removed the login for ${registry}\n` : `Not logged in to ${registry}\n`);
  return 0;
}

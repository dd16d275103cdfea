/** Flags that the commands on a registry's directory have in common. */
import { join } from 'node:path';
import { nodeHttp } from '../../host/node/http.ts';
import { createImageHost, storeDirectory } from '../../host/node/image-host.ts';
import { nodeAsyncFiles } from '../../host/node/async-files.ts';
import { BucketStorage, DirectoryStorage, openLocalFiles } from '../../registry/index.ts';
import type { RegistryStorage } from '../../registry/index.ts';
import { toByteString } from '../bytes.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { toUserError } from '../images/image-store.ts';
import { parseCount, parseDuration } from '../quantities.ts';
import { bucketOptions } from './registry-bucket.ts';
import type { RegistryConfig } from './registry-config.ts';

const DEFAULT_GRACE = '24h';

function directoryOf(values: FlagValues): string {
  const given = values.last('dir');
  if (given !== undefined && given !== '') return toByteString(given);
  const store = storeDirectory();
  if (store === undefined) throw new UserError('cannot find a place for the registry: HOME is not set', 'give one with --dir');
  return toByteString(join(store, 'registry'));
}

/** @throws UserError */
export async function openStorage(values: FlagValues, config: RegistryConfig): Promise<RegistryStorage> {
  const bucket = bucketOptions(values, config);
  const host = createImageHost({ http: nodeHttp });
  try {
    if (bucket === undefined) return DirectoryStorage.open(host, nodeAsyncFiles, directoryOf(values));
    return await BucketStorage.open(host, bucket, openLocalFiles(host, nodeAsyncFiles, directoryOf(values)));
  } catch (error) {
    throw toUserError(error, 'open the registry');
  }
}

/** Milliseconds. @throws UserError */
export function durationFlag(values: FlagValues, flag: string, fallback: string): number {
  const text = values.last(flag) ?? fallback;
  const duration = parseDuration(text);
  if (duration === undefined) throw new UserError(`cannot use --${flag} ${text}: it is no time`, 'such as 30m, 12h or 7d');
  return duration;
}

export function graceOf(values: FlagValues): number {
  return durationFlag(values, 'gc-grace', DEFAULT_GRACE);
}

/** @throws UserError */
export function countFlag(values: FlagValues, flag: string): number | undefined {
  const text = values.last(flag);
  const count = text === undefined ? undefined : parseCount(text);
  if (text !== undefined && (count === undefined || count === 0)) throw new UserError(`cannot use --${flag} ${text}: it is no number`, 'such as 50');
  return count;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`, `[::1]:PORT` or `:PORT`. @throws UserError */
export function listenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new UserError(`cannot listen on "${text}": it is not HOST:PORT`, 'such as 127.0.0.1:5000');
  return { host: match[1] ?? (match[2] === '' ? '::' : match[2] ?? ''), port };
}

export function showAddress({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

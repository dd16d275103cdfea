/** Where a registry keeps everything if not in a directory: a bucket, from flags, the configuration and the environment, in this order. */
import { BUCKET_TIMEOUT_MS, DEFAULT_PART_BYTES, DEFAULT_REGISTRY_LIMITS, LEAST_PART_BYTES, MOST_PARTS, MOST_PART_BYTES, MOST_PREFIX_CHARACTERS } from '../../registry/index.ts';
import type { BucketCredentials, BucketOptions } from '../../registry/index.ts';
import { isLoopback } from '../../image/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { readPemFile } from '../pem-file.ts';
import { parseSize } from '../quantities.ts';
import type { BucketConfig, RegistryConfig } from './registry-config.ts';

const MIB = 2 ** 20;
const DEFAULT_REGION = 'us-east-1';

function fromEnvironment(...names: readonly string[]): string | undefined {
  return names.map((name) => process.env[name]).find((value) => value !== undefined && value !== '');
}

function nameOf(values: FlagValues, config: BucketConfig | undefined): { readonly bucket: string; readonly prefix: string } | undefined {
  const text = values.last('storage');
  if (text === undefined && config === undefined) return undefined;
  const [, bucket = '', path = ''] = text === undefined ? [undefined, config?.bucket, config?.prefix] : /^s3:\/\/([^/]*)(?:\/(.*))?$/.exec(text) ?? [];
  const prefix = path.replace(/^\/+|\/+$/g, '');
  const shown = text === undefined ? `the bucket "${bucket}"` : `--storage ${text}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(bucket)) throw new UserError(`cannot use ${shown}: it is not s3://BUCKET[/PREFIX]`, 'such as s3://images/team; without --storage everything is kept in a directory (--dir)');
  if (prefix.length > MOST_PREFIX_CHARACTERS || (prefix !== '' && prefix.split('/').some((part) => !/^[A-Za-z0-9!_.'()*-]+$/.test(part) || /^\.+$/.test(part)))) {
    throw new UserError(`cannot use ${shown}: the prefix "${prefix.slice(0, 60)}" is none`, `parts of letters, digits and ! - _ . * ' ( ), with / between, ${MOST_PREFIX_CHARACTERS} characters at most`);
  }
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` };
}

/** The endpoint without what a server would not look at. */
function endpointOf(values: FlagValues, config: BucketConfig | undefined, region: string): string {
  const given = values.last('s3-endpoint') ?? config?.endpoint ?? fromEnvironment('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL');
  if (given === undefined) return `https://s3.${region}.amazonaws.com`;
  const mayBePlain = values.has('s3-plain-http') || config?.secure === false;
  const text = given.includes('://') ? given : `${mayBePlain ? 'http' : 'https'}://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '') throw new UserError(`cannot use the endpoint "${given}": it is not http(s)://HOST[:PORT]`, 'such as https://s3.example:9000; credentials are given in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  if (url.protocol === 'http:' && !mayBePlain && !isLoopback(url.host)) throw new UserError(`cannot use the endpoint "${given}": it is not encrypted`, 'use https, or ask for it with --s3-plain-http');
  return text.replace(/\/+$/, '');
}

function regionOf(values: FlagValues, config: BucketConfig | undefined): string {
  const region = values.last('s3-region') ?? config?.region ?? fromEnvironment('AWS_REGION', 'AWS_DEFAULT_REGION');
  const hasEndpoint = values.has('s3-endpoint') || config?.endpoint !== undefined || fromEnvironment('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL') !== undefined;
  if (region === undefined && !hasEndpoint) throw new UserError('cannot find the bucket: its region is not known', 'give it with --s3-region, or the server with --s3-endpoint');
  if (region !== undefined && !/^[a-z0-9-]{1,63}$/.test(region)) throw new UserError(`cannot use the region "${region.slice(0, 80)}": it is none`, 'such as eu-central-1');
  return region ?? DEFAULT_REGION;
}

function credentialsOf(config: BucketConfig | undefined): BucketCredentials {
  const accessKeyId = config?.accessKey ?? fromEnvironment('AWS_ACCESS_KEY_ID');
  const secretAccessKey = config?.secretKey ?? fromEnvironment('AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) throw new UserError('cannot use the bucket: there are no credentials', 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "accesskey" and "secretkey" in the configuration');
  return { accessKeyId, secretAccessKey, sessionToken: config?.accessKey === undefined ? fromEnvironment('AWS_SESSION_TOKEN') : undefined };
}

function pathStyleOf(values: FlagValues, config: BucketConfig | undefined, hasOwnEndpoint: boolean, bucket: string): boolean {
  const text = values.last('s3-force-path-style');
  if (text !== undefined && text !== 'true' && text !== 'false') throw new UserError(`cannot use --s3-force-path-style ${text}: it is neither true nor false`, 'true: https://HOST/BUCKET/KEY; false: https://BUCKET.HOST/KEY');
  // A certificate of *.HOST does not hold for a name with dots in it.
  return text === undefined ? config?.forcePathStyle ?? (hasOwnEndpoint || bucket.includes('.')) : text === 'true';
}

function partBytesOf(values: FlagValues, config: BucketConfig | undefined): number {
  const text = values.last('s3-chunk-size');
  const given = text === undefined ? config?.chunkBytes : parseSize(text);
  if (given === undefined && text !== undefined) throw new UserError(`cannot use --s3-chunk-size ${text}: it is no size`, 'such as 16m');
  const largest = parseSize(values.last('max-blob-size') ?? '') ?? DEFAULT_REGISTRY_LIMITS.blobBytes;
  const least = Math.ceil(largest / MOST_PARTS / MIB) * MIB;
  if (given === undefined) return Math.min(MOST_PART_BYTES, Math.max(DEFAULT_PART_BYTES, least));
  if (given < LEAST_PART_BYTES || given > MOST_PART_BYTES) throw new UserError(`cannot use chunks of ${given} bytes: a bucket takes parts of ${LEAST_PART_BYTES / MIB} MiB and more, and ${MOST_PART_BYTES / MIB} MiB are held in memory at most`, 'such as 16m');
  // Without a bound of its own a blob may have as many bytes as there is room for in the parts.
  if (given < least && values.has('max-blob-size')) throw new UserError(`cannot use chunks of ${given} bytes: a bucket takes ${MOST_PARTS} of them, and a blob may be larger (--max-blob-size)`, `use ${least / MIB}m or more`);
  return given;
}

/** Undefined: it is kept in a directory. @throws UserError */
export function bucketOptions(values: FlagValues, { bucket: config }: RegistryConfig): BucketOptions | undefined {
  const name = nameOf(values, config);
  if (name === undefined) {
    const lost = ['s3-endpoint', 's3-region', 's3-force-path-style', 's3-chunk-size', 's3-cacert', 's3-plain-http'].find((flag) => values.has(flag));
    if (lost !== undefined) throw new UserError(`cannot use --${lost}: no bucket is named`, 'give one with --storage s3://BUCKET');
    return undefined;
  }
  const region = regionOf(values, config);
  const endpoint = endpointOf(values, config, region);
  const authority = values.last('s3-cacert') ?? config?.authorityFile;
  return {
    ...name, region, endpoint, credentials: credentialsOf(config), partBytes: partBytesOf(values, config), timeoutMs: BUCKET_TIMEOUT_MS,
    pathStyle: pathStyleOf(values, config, !endpoint.endsWith('.amazonaws.com'), name.bucket),
    tls: authority === undefined ? undefined : { authorities: [readPemFile('s3-cacert', authority)] },
    putHeaders: { ...(config?.encrypt === true ? { 'x-amz-server-side-encryption': 'AES256' } : {}), ...(config?.storageClass === undefined ? {} : { 'x-amz-storage-class': config.storageClass }) },
  };
}

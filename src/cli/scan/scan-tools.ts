/** What a scan needs of this machine: decompressors, a cache, HTTP. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { cacheDirectory } from '../../host/node/cache-directory.ts';
import { createImageHost } from '../../host/node/image-host.ts';
import { Disk, unzstd } from '../../image/index.ts';
import { MOST_KEYRING_BYTES, ResultCache, ScanInputError } from '../../scan/index.ts';
import type { MirrorTools, ReaderTools } from '../../scan/index.ts';
import { toByteString } from '../bytes.ts';
import { version } from '../version.ts';
import type { MirrorReach } from './mirror-reach.ts';

function inflated(inflate: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer, bytes: Uint8Array, most: number): Uint8Array | undefined {
  try {
    return inflate(bytes, { maxOutputLength: Math.max(1, most) });
  } catch {
    return undefined;
  }
}

export const READER_TOOLS: ReaderTools = {
  inflateRaw: (bytes, most) => inflated(inflateRawSync, bytes, most),
  inflate: (bytes, most) => inflated(inflateSync, bytes, most),
};

const ALGORITHMS: ReadonlyMap<number, string> = new Map([[32, 'md5'], [64, 'sha256']]);

/** In so many hexadecimal digits; undefined: of another kind. */
export function hostDigest(bytes: Uint8Array, digits: number): string | undefined {
  const algorithm = ALGORITHMS.get(digits);
  return algorithm === undefined ? undefined : createHash(algorithm).update(bytes).digest('hex');
}

/** Below the user's cache; undefined: there is none. */
export function scanCacheDirectory(): string | undefined {
  const base = cacheDirectory();
  return base === undefined ? undefined : join(base, 'scan');
}

export function openResultCache(): ResultCache | undefined {
  const directory = scanCacheDirectory();
  return directory === undefined ? undefined : new ResultCache(new Disk(createImageHost(), toByteString(join(directory, 'layers'))));
}

const IDLE_MS = 60_000;
const MOST_REDIRECTS = 5;

/** @throws ScanInputError for what is no address of HTTP. */
function urlOf(text: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch (error) {
    throw new ScanInputError(`"${text}" is no address`, 'it begins with https:// or http:// and a host', { cause: error });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new ScanInputError(`"${url.href}" is no address of HTTP`, 'it begins with https:// or http://');
  return url;
}

/** For `http_proxy`: a proxy is asked for the whole address (RFC 9112 3.2.2). Of encrypted connections it would have to make a tunnel, which is not done. */
function proxyFor(url: URL): URL | undefined {
  const { http_proxy: proxy = '', no_proxy: except = '' } = process.env;
  if (url.protocol !== 'http:' || !proxy.startsWith('http://') || except.split(',').some((name) => name !== '' && (url.hostname === name || url.hostname.endsWith(`.${name.replace(/^\./, '')}`)))) return undefined;
  return urlOf(proxy);
}

/** @throws ScanInputError where `reach` does not let it. What a proxy looks up is its own affair: then only addresses that are written out, and this machine's name, are known here. */
function answer(url: URL, reach: MirrorReach | undefined): Promise<IncomingMessage> {
  const proxy = proxyFor(url);
  const lookup = reach?.lookup(url);
  const options = lookup === undefined ? {} : { lookup };
  const headers = { 'user-agent': `caisson/${version}`, host: url.host };
  return new Promise((resolve, reject) => {
    const sent = url.protocol === 'https:' ? httpsRequest(url, { headers, ...options }, resolve)
      : proxy === undefined ? httpRequest(url, { headers, ...options }, resolve) : httpRequest({ host: proxy.hostname, port: proxy.port === '' ? 80 : Number(proxy.port), path: url.href, headers }, resolve);
    sent.setTimeout(IDLE_MS, () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end();
  });
}

/** The whole body; undefined where there is nothing (404). `reach`: for addresses that are not the user's. @throws ScanInputError */
export async function fetchBytes(address: string, most: number, reach?: MirrorReach): Promise<Uint8Array | undefined> {
  let url = urlOf(address);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await answer(url, reach).catch((error: unknown) => {
      if (error instanceof ScanInputError) throw error;
      throw new ScanInputError(`${url.href} does not answer: ${(error as Error).message}`, 'check the network and the address', { cause: error });
    });
    const { statusCode = 0, headers: { location } } = response;
    if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
      response.destroy();
      const next = urlOf(location, url);
      if (url.protocol === 'https:' && next.protocol === 'http:') throw new ScanInputError(`${url.href} leads to ${next.href}, which is not encrypted`, 'name that address itself, if you trust the way to it');
      url = next;
      continue;
    }
    if (statusCode === 404 || statusCode === 410) {
      response.destroy();
      return undefined;
    }
    if (statusCode !== 200) {
      response.destroy();
      throw new ScanInputError(`${url.href} answers with the status ${statusCode}`, 'check the address, or try again later');
    }
    return readBody(response, url, most);
  }
  throw new ScanInputError(`${address} leads from one address to another without an end`, 'check the address');
}

async function readBody(response: IncomingMessage, url: URL, most: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > most) {
        response.destroy();
        throw new ScanInputError(`${url.href} is longer than ${most >> 20} MiB`, 'is it what it should be?');
      }
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof ScanInputError) throw error;
    throw new ScanInputError(`${url.href} breaks off: ${(error as Error).message}`, 'try again', { cause: error });
  }
  return Buffer.concat(pieces, length);
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

async function collected(source: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source) {
    length += piece.length;
    if (length > most) throw new ScanInputError(`a compressed file becomes longer than ${most >> 20} MiB`, 'is it what it should be?');
    pieces.push(Uint8Array.from(piece));
  }
  return Buffer.concat(pieces, length);
}

/** The decompressor of xz does one thing at a time. */
let turn: Promise<unknown> = Promise.resolve();

/** gzip, xz, zstd, or as it is. @throws ScanInputError */
export async function uncompress(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const starts = (...magic: readonly number[]): boolean => magic.every((byte, index) => bytes[index] === byte);
  try {
    if (starts(0x1f, 0x8b)) return gunzipSync(bytes, { maxOutputLength: most });
    if (starts(0x28, 0xb5, 0x2f, 0xfd)) return await collected(unzstd(once(bytes)), most);
    if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) {
      const { unxz } = await import('../../build/xz.ts');
      const own = turn.then(() => collected(unxz(once(bytes)), most));
      turn = own.catch(() => undefined);
      return await own;
    }
    return bytes;
  } catch (error) {
    if (error instanceof ScanInputError) throw error;
    throw new ScanInputError(`a compressed file is spoiled or too long: ${(error as Error).message}`, 'get it again', { cause: error });
  }
}

const KEYRINGS = '/usr/share/keyrings';

/** Keys of a distribution as its own package of keys installs them. */
function hostKeys(distribution: string): readonly Uint8Array[] {
  if (!/^[a-z0-9]{1,40}$/.test(distribution)) return [];
  for (const ending of ['gpg', 'pgp']) {
    try {
      const bytes = readFileSync(join(KEYRINGS, `${distribution}-archive-keyring.${ending}`));
      if (bytes.length <= MOST_KEYRING_BYTES) return [bytes];
    } catch {
      // This machine has it under the other name, or not at all.
    }
  }
  return [];
}

/** What is kept of mirrors; a cache that cannot be written costs time only. */
export function mirrorTools(note: (text: string) => void, reach: MirrorReach): MirrorTools {
  const cache = scanCacheDirectory();
  const directory = cache === undefined ? undefined : join(cache, 'mirror');
  const fileOf = (name: string): string | undefined => (directory === undefined ? undefined : join(directory, name.slice(0, 200)));
  return {
    fetch: (url, most) => fetchBytes(url, most, reach), uncompress, note, hostKeys, now: Date.now,
    verify: async (...asked) => (await import('./openpgp.ts')).verifySignature(...asked),
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    kept: (name) => {
      const file = fileOf(name);
      try {
        return file === undefined ? undefined : readFileSync(file);
      } catch {
        return undefined;
      }
    },
    keep: (name, bytes) => {
      const file = fileOf(name);
      if (file === undefined || directory === undefined) return;
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        writeFileSync(`${file}.${process.pid}`, bytes, { mode: 0o600 });
        renameSync(`${file}.${process.pid}`, file);
      } catch {
        // Without a cache it is fetched again the next time.
      }
    },
  };
}

/** ADD: what it can take that COPY cannot: archives, which are unpacked, and URLs. */
import type { ImageHost } from '../host/types.ts';
import { compressionOf, isDigest, isTarHeader, unzstd } from '../image/index.ts';
import type { Digest } from '../image/index.ts';
import type { CopyInstruction } from './copy-step.ts';
import { findSources } from './copy-plan.ts';
import type { CopySource } from './copy-plan.ts';
import { BuildError } from './errors.ts';
import { parseGitAddress, repositoryUri } from './git-address.ts';
import type { GitAddress, RepositoryReader } from './git-address.ts';
import { MOST_DOWNLOAD_BYTES } from './limits.ts';
import type { Trees } from './parent-tree.ts';
import type { StepStore } from './step-store.ts';
import { fromBytes, toBytes, toText } from './text.ts';
import { HostNode } from './tree.ts';
import type { TreeNode } from './tree.ts';

const IDLE_TIMEOUT_MS = 60_000;
const MOST_REDIRECTS = 10;
const HEADER_BYTES = 512;

export interface AddInputs {
  readonly text: string;
  readonly context: TreeNode;
  readonly copy: CopyInstruction;
  readonly host: ImageHost;
  readonly steps: StepStore;
  readonly trees: Trees;
  /** Hears of files that are to be removed when the step has ended. */
  readonly onDownload: (url: string, digest: Digest) => void;
  readonly readRepository: RepositoryReader;
  readonly onRepository: (uri: string, commit: string) => void;
  readonly onTemporary: (discard: () => void) => void;
}

async function* streamOf(node: TreeNode): AsyncIterable<Uint8Array> {
  yield* node.contents();
}

/** By their first bytes. */
function isXz(first: Uint8Array): boolean {
  return fromBytes(first.subarray(0, 6)) === '\xfd7zXZ\0';
}

function isBzip2(first: Uint8Array): boolean {
  return /^BZh[1-9](?:1AY&SY|\x17rE8P\x90)/.test(fromBytes(first.subarray(0, 10)));
}

/** By xz, which few builds need. */
async function* unxz(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* (await import('./xz.ts')).unxz(source);
}

async function* unbzip2(source: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* (await import('./bzip2.ts')).unbzip2(source);
}

/** Without a compression that layers cannot have. */
function layerOf(node: TreeNode, first: Uint8Array): AsyncIterable<Uint8Array> {
  return isXz(first) ? unxz(streamOf(node)) : isBzip2(first) ? unbzip2(node.contents()) : streamOf(node);
}

function plainOf(node: TreeNode, first: Uint8Array, host: ImageHost): AsyncIterable<Uint8Array> {
  const source = layerOf(node, first);
  if (isXz(first) || isBzip2(first)) return source;
  const compression = compressionOf(first);
  return compression === 'gzip' ? host.codecs.gunzip(source) : compression === 'zstd' ? unzstd(source) : source;
}

/** By content, as Docker: a tar, also a compressed one. */
async function isArchive(node: TreeNode, host: ImageHost): Promise<boolean> {
  const [first] = node.contents();
  if (first === undefined || first.length < 6) return false;
  let begin = new Uint8Array();
  try {
    for await (const chunk of plainOf(node, first, host)) {
      const both = new Uint8Array(begin.length + chunk.length);
      both.set(begin);
      both.set(chunk, begin.length);
      begin = both;
      if (begin.length >= HEADER_BYTES) break;
    }
  } catch (error) {
    if (error instanceof BuildError) throw error;
    return false; // compressed by its looks only
  }
  return begin.length >= HEADER_BYTES && isTarHeader(begin.subarray(0, HEADER_BYTES));
}

/** Its tree; the archive becomes a layer of the store, so nothing in it reaches the host. */
async function unpacked(source: CopySource, { steps, trees }: AddInputs): Promise<CopySource> {
  const [first = new Uint8Array()] = source.node.contents();
  const { diffId } = await steps.take(layerOf(source.node, first));
  return { ...source, node: trees.root([diffId]) };
}

function checksumOf(text: string | undefined): Digest | undefined {
  if (text === undefined) return undefined;
  if (!isDigest(text)) throw new BuildError(`cannot use --checksum=${toText(text)}: it is no digest`, { advice: 'write --checksum=sha256: and 64 digits' });
  return text;
}

/** The answer behind redirects. A secure address never leads to one that is not. */
async function fetchUrl(url: string, host: ImageHost): Promise<AsyncIterable<Uint8Array>> {
  if (host.http === undefined) throw new BuildError(`cannot get ${url}: there is no network here`);
  let at = new URL(url);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await host.http.request({ method: 'GET', url: at.href, headers: { 'user-agent': 'caisson', 'accept-encoding': 'identity' }, idleTimeoutMs: IDLE_TIMEOUT_MS });
    if (response.status === 200) return response.body;
    response.cancel();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === undefined) throw new BuildError(`cannot get ${url}: the server answers ${response.status}`, { advice: 'check the address' });
    const next = new URL(location, at);
    if (!/^https?:$/.test(next.protocol) || (at.protocol === 'https:' && next.protocol !== 'https:')) throw new BuildError(`cannot get ${url}: it leads to ${next.protocol}//${next.host}, which is not secure`);
    at = next;
  }
  throw new BuildError(`cannot get ${url}: it leads from one address to another more than ${MOST_REDIRECTS} times`);
}

async function download(url: string, inputs: AddInputs): Promise<CopySource> {
  const { host, steps, copy, onTemporary, onDownload } = inputs;
  const expected = checksumOf(copy.checksum);
  const name = toBytes(decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? ''));
  if (name === '' && copy.destination.endsWith('/')) throw new BuildError(`cannot add ${url}: it does not say what the file is called`, { advice: 'name the file in the destination' });
  const { disk } = steps.store;
  const file = disk.newFile();
  onTemporary(() => file.discard());
  const hash = host.codecs.createDigest(expected?.startsWith('sha512:') === true ? 'sha512' : 'sha256');
  try {
    for await (const chunk of await fetchUrl(url, host)) {
      hash.update(chunk);
      file.write(chunk);
      if (file.size > MOST_DOWNLOAD_BYTES) throw new BuildError(`cannot get ${url}: it is longer than ${MOST_DOWNLOAD_BYTES} bytes`);
    }
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== 'string') throw error;
    throw new BuildError(`cannot get ${url}: ${(error as Error).message}`, { advice: 'check the address and the network', cause: error });
  }
  const actual = `${expected?.split(':')[0] ?? 'sha256'}:${hash.hex()}`;
  if (expected !== undefined && actual !== expected) throw new BuildError(`cannot add ${url}: it has the digest ${actual}, not ${expected}`, { advice: 'it has changed; look at it before you trust it' });
  onDownload(url, actual as Digest);
  return { node: HostNode.open(disk.files, file.path)!, name, path: name };
}

/** The files of a commit: its tar becomes a layer of the store, as an archive does. */
async function addRepository(address: GitAddress, { copy, readRepository, steps, trees, onRepository }: AddInputs): Promise<readonly CopySource[]> {
  if (copy.checksum !== undefined) throw new BuildError('cannot use --checksum with a repository', { advice: 'name a commit instead of a branch' });
  if (copy.keepGitDirectory) throw new BuildError('cannot use --keep-git-dir: only the files of the commit are fetched', { advice: 'use RUN git clone, in a stage of its own' });
  return readRepository(address, async ({ commit, tar }) => {
    const { diffId } = await steps.take(tar);
    onRepository(repositoryUri(address), commit);
    return findSources(trees.root([diffId]), address.directory ?? '.', 'the repository', false);
  });
}

/** @throws BuildError */
export async function addSources(inputs: AddInputs): Promise<readonly CopySource[]> {
  const { text, context, copy, host } = inputs;
  const address = parseGitAddress(text);
  if (address !== undefined) return addRepository(address, inputs);
  const isUrl = /^https?:\/\//.test(text);
  if (copy.checksum !== undefined && !isUrl) throw new BuildError('cannot use --checksum with what is no URL', { advice: 'leave it out' });
  const sources = isUrl ? [await download(toText(text), inputs)] : findSources(context, text, 'the context', false);
  const unpacks = copy.unpack ?? !isUrl;
  const result: CopySource[] = [];
  for (const source of sources) {
    const isPacked = unpacks && source.node.kind === 'file' && (await isArchive(source.node, host));
    result.push(isPacked ? await unpacked(source, inputs) : isUrl ? { ...source, node: asDownloaded(source.node) } : source);
  }
  return result;
}

/** Docker gives downloads to root alone. */
function asDownloaded(node: TreeNode): TreeNode {
  return {
    kind: node.kind, attributes: { ...node.attributes, mode: 0o600 }, identity: undefined, names: () => node.names(), child: (name) => node.child(name), readLink: () => node.readLink(),
    contents: () => node.contents(), xattrs: () => node.xattrs(),
  };
}

/** What `caisson build` is given: arguments, secrets, the context and the Dockerfile. */
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { HostNode, MOST_DOCKERFILE_BYTES, MOST_SECRET_BYTES, MemoryNode, contextFromStream, ignoreRulesOf, parseDockerfile, parseGitAddress, readTextFile, repositoryUri, subdirectory, withoutIgnored } from '../../build/index.ts';
import type { Dockerfile, GitAddress, IgnoreRules, Material, RepositoryReader, TreeNode } from '../../build/index.ts';
import { nodeFiles } from '../../host/node/index.ts';
import type { ImageStore, StoredImage } from '../../image/index.ts';
import { toByteString, toText } from '../bytes.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';

/** Reads `NAME=VALUE` flags; a name alone is the host's variable, or nothing. */
export function assignments(values: FlagValues, flag: string, fromHost: boolean): ReadonlyMap<string, string> {
  return new Map(values.all(flag).flatMap((text) => {
    const equals = text.indexOf('=');
    if (equals === 0) throw new UserError(`cannot use --${flag} ${text}: it has no name`, 'write NAME=VALUE');
    if (equals > 0) return [[toByteString(text.slice(0, equals)), toByteString(text.slice(equals + 1))]];
    const value = fromHost ? process.env[text] : '';
    return value === undefined ? [] : [[toByteString(text), toByteString(value)]];
  }));
}

/** `KEY=VALUE,...`. */
export function fieldsOf(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(',').map((field) => [field.split('=', 1)[0] ?? '', field.slice(field.indexOf('=') + 1)]));
}

export function buildArguments(values: FlagValues): ReadonlyMap<string, string> {
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  return new Map([...(epoch === undefined || epoch === '' ? [] : [['SOURCE_DATE_EPOCH', epoch] as const]), ...assignments(values, 'build-arg', true)]);
}

export function readSecrets(values: FlagValues): ReadonlyMap<string, Uint8Array> {
  return new Map(values.all('secret').map((text) => {
    const keys = fieldsOf(text);
    const id = keys.get('id');
    const file = keys.get('src') ?? keys.get('source');
    if (id === undefined || id === '') throw new UserError(`cannot use --secret ${text}: id= is missing`, 'such as id=npmrc,src=$HOME/.npmrc');
    const variable = keys.get('env') ?? (file === undefined && process.env[id] !== undefined ? id : undefined);
    if (variable !== undefined) {
      const value = process.env[variable];
      if (value === undefined) throw new UserError(`cannot use --secret ${text}: the variable ${variable} is not set`, 'set it, or give a file with src=');
      return [toByteString(id), Buffer.from(value)] as const;
    }
    try {
      const bytes = readFileSync(file ?? id);
      if (bytes.length > MOST_SECRET_BYTES) throw new UserError(`cannot use --secret ${text}: it is longer than ${MOST_SECRET_BYTES} bytes`, 'a secret is a key or a password');
      return [toByteString(id), bytes] as const;
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`cannot use --secret ${text}: ${(error as Error).message}`, 'check the path', undefined, { cause: error });
    }
  }));
}

/** Where it comes from and what it is called in messages. */
export interface Source {
  readonly context: TreeNode;
  readonly dockerfile: Dockerfile;
  /** What the context lacks. */
  readonly ignored: IgnoreRules;
  readonly contextMaterial: Material | undefined;
}

function sourceOf(tree: TreeNode, place: string | undefined, dockerfile: Dockerfile): Source {
  const ignored = ignoreRulesOf(tree, place);
  return { context: withoutIgnored(tree, ignored), dockerfile, ignored, contextMaterial: undefined };
}

function readHostFile(path: string, shown: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read "${shown}": ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, 'name the Dockerfile with -f', undefined, { cause: error });
  }
  return bytes.toString('latin1');
}

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A directory, with the Dockerfile in it or elsewhere. */
async function directorySource(path: string, file: string | undefined): Promise<Source> {
  const root = resolve(path);
  const tree = HostNode.open(nodeFiles, toByteString(root));
  if (tree === undefined) throw new UserError(`cannot build "${path}": no such directory`, 'PATH is the directory with the files that are copied');
  if (tree.kind !== 'directory') throw new UserError(`cannot build "${path}": it is no directory`, 'PATH is a directory, or a tar');
  if (file === '-') return sourceOf(tree, undefined, parseDockerfile((await readInput()).toString('latin1'), 'Dockerfile'));
  const place = file === undefined ? resolve(root, 'Dockerfile') : resolve(file);
  const inside = relative(root, place);
  const shown = file ?? 'Dockerfile';
  const dockerfile = parseDockerfile(readHostFile(place, file ?? `${path}/Dockerfile`), shown);
  return sourceOf(tree, inside.startsWith('..') ? undefined : toByteString(inside), dockerfile);
}

/** What comes from standard input or a file: a tar, compressed or not, or a Dockerfile alone. */
async function streamSource(store: ImageStore, stream: AsyncIterable<Uint8Array>, file: string | undefined): Promise<Source> {
  const { tree, text } = await contextFromStream(store, stream);
  if (tree === undefined) return sourceOf(MemoryNode.directory(new Map()), undefined, parseDockerfile(text, 'Dockerfile'));
  return treeSource(tree, file);
}

/** The Dockerfile is in the tree. */
function treeSource(tree: TreeNode, file: string | undefined): Source {
  const name = toByteString(file ?? 'Dockerfile');
  const inside = readTextFile(tree, name, MOST_DOCKERFILE_BYTES);
  if (inside === undefined) throw new UserError(`cannot build: "${toText(name)}" is not in the context`, 'name it with -f');
  return sourceOf(tree, name, parseDockerfile(inside, toText(name)));
}

/** By git, which most builds do not need. */
export const readRepository: RepositoryReader = async (address, use) => (await import('./build-git.ts')).readRepository(address, use);

/** A directory of a commit, as a tar that comes from elsewhere. */
async function repositorySource(store: ImageStore, address: GitAddress, file: string | undefined): Promise<Source> {
  return readRepository(address, async ({ commit, tar }) => {
    const { tree: root } = await contextFromStream(store, tar);
    const tree = root === undefined ? undefined : subdirectory(root, address.directory ?? '');
    if (tree?.kind !== 'directory') throw new UserError(`cannot build "${address.remote}": it has no directory "${address.directory ?? '.'}"`, 'check what stands behind the second colon');
    return { ...treeSource(tree, file), contextMaterial: { uri: repositoryUri(address), digest: `gitCommit:${commit}` } };
  });
}

/** @throws UserError, BuildError */
export async function findSource(store: ImageStore, path: string, file: string | undefined): Promise<Source> {
  if (path === '-') {
    if (process.stdin.isTTY === true) throw new UserError('cannot build from a terminal', 'pipe a Dockerfile or a tar in, or name a directory');
    return streamSource(store, process.stdin as AsyncIterable<Uint8Array>, file);
  }
  const address = parseGitAddress(toByteString(path));
  if (address !== undefined) return repositorySource(store, address, file);
  if (/^https?:\/\//.test(path)) throw new UserError(`cannot build "${path}": only repositories (.git) are fetched`, 'pipe a tar in');
  const tree = HostNode.open(nodeFiles, toByteString(resolve(path)));
  return tree?.kind === 'file' ? streamSource(store, store.disk.stream(toByteString(resolve(path))), file) : directorySource(path, file);
}

/** `--build-context NAME=PATH` and `NAME=docker-image://REF`. */
export function readContexts(values: FlagValues, store: ImageStore): ReadonlyMap<string, TreeNode | StoredImage> {
  return new Map([...assignments(values, 'build-context', false)].map(([name, value]): readonly [string, TreeNode | StoredImage] => {
    const text = toText(value);
    if (text.startsWith('docker-image://')) return [name, store.find(text.slice('docker-image://'.length))];
    const tree = HostNode.open(nodeFiles, toByteString(resolve(text)));
    if (tree?.kind !== 'directory') throw new UserError(`cannot use --build-context ${toText(name)}=${text}: it is no directory`, 'name a directory, or docker-image://REF');
    return [name, withoutIgnored(tree, ignoreRulesOf(tree, undefined))];
  }));
}

/** Repositories as contexts and in ADD: `REMOTE.git#REF:DIRECTORY` (Docker's "Git repositories" of `docker build`). */
import { BuildError } from './errors.ts';
import { toText } from './text.ts';

export interface GitAddress {
  readonly remote: string;
  /** A branch, a tag or a commit; undefined: what the remote's HEAD is. */
  readonly ref: string | undefined;
  /** Without a slash before or behind it. */
  readonly directory: string | undefined;
}

/** A commit's files as a tar. */
export interface Repository {
  /** In hexadecimal. */
  readonly commit: string;
  readonly tar: AsyncIterable<Uint8Array>;
}

/** Gets a repository and hands its files over; what it needed is gone afterwards. @throws BuildError */
export type RepositoryReader = <Result>(address: GitAddress, use: (repository: Repository) => Promise<Result>) => Promise<Result>;

const IS_REPOSITORY = /^(?:git:\/\/|ssh:\/\/|git@[^/:]+:)|^https?:\/\/[^?#]+\.git(?:#|$)/;
/** No option of git and no path out of the repository. */
const REF = /^[A-Za-z0-9_][\w./+-]*$/;
const CONTROL = /[\x00-\x20\x7f]/;

/** Undefined: it is no address of a repository. @throws BuildError for one that is not well formed */
export function parseGitAddress(text: string): GitAddress | undefined {
  if (!IS_REPOSITORY.test(text)) return undefined;
  const hash = text.indexOf('#');
  const remote = hash < 0 ? text : text.slice(0, hash);
  const [ref = '', directory = '', ...rest] = hash < 0 ? [] : text.slice(hash + 1).split(':');
  const wrong = (why: string): BuildError => new BuildError(`cannot use the repository "${toText(text)}": ${why}`, { advice: 'write https://HOST/NAME.git#REF:DIRECTORY' });
  if (CONTROL.test(remote) || /^[a-z]+:\/\/-/.test(remote) || remote.startsWith('git@-')) throw wrong('its address is none');
  if (rest.length > 0 || (ref !== '' && (!REF.test(ref) || ref.includes('..')))) throw wrong(`"${toText(ref)}" is no branch, tag or commit`);
  const parts = directory.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || CONTROL.test(directory)) throw wrong('its directory leads out of it');
  return { remote, ref: ref === '' ? undefined : ref, directory: parts.length === 0 ? undefined : parts.join('/') };
}

/** As the material of a build: SLSA's `git+https://...@REF`. */
export function repositoryUri({ remote, ref }: GitAddress): string {
  const address = remote.startsWith('git@') ? `git+ssh://${remote.replace(':', '/')}` : `git+${remote.replace(/^([a-z]+:\/\/)[^/@]*@/, '$1')}`;
  return ref === undefined ? address : `${address}@${ref}`;
}

/** Names that come in addresses: repositories, tags, digests (distribution-spec "Pulling manifests"). */
import { isDigest, parseDigest } from '../image/index.ts';
import type { Digest } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';
import { MOST_NAME_CHARACTERS } from './limits.ts';

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** NAME_MAX of Linux: each part of a name is a directory. */
const MOST_PART_CHARACTERS = 255;

export function isRepositoryName(text: string): boolean {
  return text.length <= MOST_NAME_CHARACTERS && REPOSITORY.test(text) && text.split('/').every((part) => part.length <= MOST_PART_CHARACTERS);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** @throws RegistryFailure NAME_INVALID */
export function checkRepositoryName(text: string): string {
  if (!isRepositoryName(text)) throw new RegistryFailure('NAME_INVALID', `"${text.slice(0, 100)}" is no name of a repository: small letters and digits, with . _ - between, in parts with / between, ${MOST_NAME_CHARACTERS} characters at most`);
  return text;
}

/** @throws RegistryFailure DIGEST_INVALID */
export function checkDigest(text: string): Digest {
  const digest = parseDigest(text);
  if (typeof digest === 'object') throw new RegistryFailure('DIGEST_INVALID', digest.reason);
  return digest;
}

export type ManifestReference = { readonly kind: 'tag'; readonly tag: string } | { readonly kind: 'digest'; readonly digest: Digest };

/** A tag or a digest. @throws RegistryFailure MANIFEST_INVALID, DIGEST_INVALID */
export function checkManifestReference(text: string): ManifestReference {
  if (text.includes(':')) return { kind: 'digest', digest: checkDigest(text) };
  if (!isTag(text)) throw new RegistryFailure('MANIFEST_INVALID', `"${text.slice(0, 200)}" is neither a tag nor a digest`);
  return { kind: 'tag', tag: text };
}

/** Tags in the order of the specification: as if all were small letters; what is then equal, by bytes. */
export function compareNames(left: string, right: string): number {
  const [small, other] = [left.toLowerCase(), right.toLowerCase()];
  if (small !== other) return small < other ? -1 : 1;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** `sha256:HEX` as a file's name, or as the last part of a key. */
export function fileNameOf(digest: Digest): string {
  return digest.replace(':', '-');
}

export function digestOfFileName(name: string): Digest | undefined {
  const digest = name.replace('-', ':');
  return isDigest(digest) ? digest : undefined;
}

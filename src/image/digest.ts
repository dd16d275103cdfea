/** Digests: `algorithm:hex` (OCI image-spec descriptor.md "Digests"). */
import type { HostCodecs } from '../host/types.ts';

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}` | `sha512:${string}`;
/** The digest of a layer's uncompressed bytes (OCI image-spec config.md "Layer DiffID"). */
export type DiffId = Digest;
export type DigestAlgorithm = 'sha256' | 'sha512';

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

export interface DigestProblem {
  readonly position: number;
  readonly reason: string;
}

/** The digest, or what is wrong with it and where. */
export function parseDigest(text: string): Digest | DigestProblem {
  const colon = text.indexOf(':');
  if (colon < 0) return { position: text.length, reason: 'the digest has no algorithm' };
  const algorithm = text.slice(0, colon);
  if (algorithm !== 'sha256' && algorithm !== 'sha512') return { position: 0, reason: `digests by "${algorithm}" are not supported` };
  const hex = text.slice(colon + 1);
  const wrong = hex.search(/[^a-f0-9]/);
  if (wrong >= 0) return { position: colon + 1 + wrong, reason: `the digest cannot have "${hex[wrong] ?? ''}"` };
  if (hex.length !== HEX_LENGTH[algorithm]) return { position: text.length, reason: `the digest has ${hex.length} digits where ${algorithm} has ${HEX_LENGTH[algorithm]}` };
  return text as Digest;
}

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && typeof parseDigest(text) === 'string';
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function digestOf(codecs: HostCodecs, bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  const hash = codecs.createDigest(algorithm);
  hash.update(bytes);
  return `${algorithm}:${hash.hex()}`;
}

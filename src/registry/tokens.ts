/**
 * Tokens (distribution "Token Authentication Specification", "Docker Registry v2 Bearer token implementation"; RFC 7519): our own
 * issuer signs what a user may do with which repositories, for a few minutes; or an outer one does, and we only verify.
 */
import { SignJWT, createLocalJWKSet, errors, exportJWK, exportPKCS8, generateKeyPair, importPKCS8, importSPKI, importX509, jwtVerify } from 'jose';
import type { CryptoKey, JSONWebKeySet, JWK, JWTVerifyGetKey } from 'jose';
import { MOST_SCOPES } from './limits.ts';
import { isRepositoryName } from './names.ts';

export type TokenAlgorithm = 'ES256' | 'RS256';

/** Docker's clients ask for a new one with each image. */
export const TOKEN_SECONDS = 300;

/** One entry of a token's `access`. */
export interface Grant {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface VerifiedToken {
  readonly name: string | undefined;
  readonly access: readonly Grant[];
}

/** `repository:NAME:pull,push`, several with spaces between, or several parameters. What cannot be read is left out, as the specification says. */
export function parseScopes(texts: readonly string[]): readonly Grant[] {
  return texts.flatMap((text) => text.split(' ')).filter((text) => text !== '').slice(0, MOST_SCOPES).flatMap((scope) => {
    const match = /^(repository|registry):([^:]+):([a-z*,]+)$/.exec(scope);
    if (match === null || (match[1] === 'repository' && !isRepositoryName(match[2] ?? ''))) return [];
    return [{ type: match[1] ?? '', name: match[2] ?? '', actions: (match[3] ?? '').split(',') }];
  });
}

export interface Verifier {
  readonly issuer: string;
  readonly audience: string;
  /** Undefined: no token of this issuer for us, or its time is over. */
  verify(token: string): Promise<VerifiedToken | undefined>;
}

function isGrant(value: unknown): value is Grant {
  const { type, name, actions } = (value ?? {}) as Partial<Grant>;
  return typeof type === 'string' && typeof name === 'string' && Array.isArray(actions) && actions.every((action) => typeof action === 'string');
}

const ALGORITHMS: readonly TokenAlgorithm[] = ['ES256', 'RS256'];

/** The first algorithm that a key in PEM is of. Rejects with an Error where it is of none. */
async function firstOf<Key>(read: (algorithm: TokenAlgorithm) => Promise<Key>): Promise<readonly [Key, TokenAlgorithm]> {
  try {
    return [await read('ES256'), 'ES256'];
  } catch {
    return [await read('RS256'), 'RS256'];
  }
}

/** Public keys: a JSON Web Key Set (RFC 7517), a certificate or a public key in PEM. Rejects with an Error where it is none. */
export async function readPublicKeys(text: string): Promise<JWTVerifyGetKey> {
  if (text.trimStart().startsWith('{')) return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
  const [key] = await firstOf((algorithm) => (text.includes('BEGIN CERTIFICATE') ? importX509(text, algorithm) : importSPKI(text, algorithm)));
  return () => Promise.resolve(key);
}

/** For tokens that were signed with one of these keys. */
export function createVerifier(find: JWTVerifyGetKey, issuer: string, audience: string): Verifier {
  return {
    issuer, audience,
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, find, { issuer, audience, algorithms: [...ALGORITHMS], requiredClaims: ['exp'] });
        const access = Array.isArray(payload['access']) ? payload['access'].filter(isGrant) : [];
        return { name: payload.sub === undefined || payload.sub === '' ? undefined : payload.sub, access };
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}

export class TokenIssuer {
  readonly verifier: Verifier;
  readonly #key: CryptoKey;
  readonly #keyId: string;
  readonly #algorithm: TokenAlgorithm;
  readonly #now: () => number;

  private constructor(key: CryptoKey, keyId: string, algorithm: TokenAlgorithm, verifier: Verifier, now: () => number) {
    this.#key = key;
    this.#keyId = keyId;
    this.#algorithm = algorithm;
    this.verifier = verifier;
    this.#now = now;
  }

  /** `pem`: a private key in PKCS #8, of the curve P-256 or of RSA. Rejects with an Error where it is none. */
  static async create(pem: string, service: string, now: () => number): Promise<TokenIssuer> {
    const [key, algorithm] = await firstOf((candidate) => importPKCS8(pem, candidate, { extractable: true }));
    const { kty, crv, x, y, n, e } = await exportJWK(key);
    const publicKey: JWK = kty === 'EC' ? { kty, ...(crv === undefined ? {} : { crv }), ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) } : { kty: 'RSA', ...(n === undefined ? {} : { n }), ...(e === undefined ? {} : { e }) };
    const keyId = 'registry';
    return new TokenIssuer(key, keyId, algorithm, createVerifier(createLocalJWKSet({ keys: [{ ...publicKey, kid: keyId, alg: algorithm, use: 'sig' }] }), service, service), now);
  }

  /** A new private key, as `create` takes it. */
  static async generateKey(): Promise<string> {
    return exportPKCS8((await generateKeyPair('ES256', { extractable: true })).privateKey);
  }

  async issue(name: string | undefined, access: readonly Grant[]): Promise<{ readonly token: string; readonly issuedAt: Date }> {
    const issuedAt = new Date(this.#now());
    const seconds = Math.floor(issuedAt.getTime() / 1000);
    const token = await new SignJWT({ access: [...access] }).setProtectedHeader({ alg: this.#algorithm, kid: this.#keyId, typ: 'JWT' }).setIssuer(this.verifier.issuer).setAudience(this.verifier.audience)
      .setSubject(name ?? '').setIssuedAt(seconds).setNotBefore(seconds - 5).setExpirationTime(seconds + TOKEN_SECONDS).setJti(crypto.randomUUID()).sign(this.#key);
    return { token, issuedAt };
  }
}

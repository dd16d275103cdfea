/** Who may use a registry, from the flags: the parts of `Authentication`, with their files read. */
import { readFileSync } from 'node:fs';
import { nodeCodecs } from '../../host/node/codecs.ts';
import type { HttpServerTls } from '../../host/node/http-server.ts';
import { Access, Accounts, AccountsError, Authentication, TokenIssuer, createVerifier, openAccess, readPublicKeys } from '../../registry/index.ts';
import type { RegistryStorage } from '../../registry/index.ts';
import { toText } from '../bytes.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { readPemFile } from '../pem-file.ts';
import type { RegistryConfig } from './registry-config.ts';

const DEFAULT_SERVICE = 'caisson-registry';

/** @throws UserError that names the flag. */
export function readFlagFile(values: FlagValues, flag: string): string | undefined {
  const file = values.last(flag);
  return file === undefined ? undefined : readPemFile(flag, file);
}

function accountsOf(values: FlagValues): Accounts | undefined {
  const text = readFlagFile(values, 'htpasswd');
  if (text === undefined) return undefined;
  try {
    return new Accounts(text, nodeCodecs, Date.now);
  } catch (error) {
    if (!(error instanceof AccountsError)) throw error;
    throw new UserError(`cannot use --htpasswd ${values.last('htpasswd')}: line ${error.line}: ${error.message}`, 'make it with "htpasswd -B"', undefined, { cause: error });
  }
}

/** The key of tokens that nobody gave: made once, so that tokens outlive a restart. */
async function ownKey(storage: RegistryStorage): Promise<string> {
  // Whoever can read the bucket could sign with a key in it; one of its own would make an instance refuse the tokens of the others.
  if (storage.kind === 'bucket') throw new UserError('cannot give tokens: all instances on a bucket must sign with the same key', 'give it with --token-key FILE; make it with "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"');
  const { disk } = storage.local;
  const path = disk.path('token-key.pem');
  if (!disk.exists(path)) disk.writeFile(path, new TextEncoder().encode(await TokenIssuer.generateKey()));
  return readFileSync(toText(path), 'utf8');
}

async function issuerOf(values: FlagValues, storage: RegistryStorage): Promise<TokenIssuer | undefined> {
  const given = readFlagFile(values, 'token-key');
  if (given === undefined && !values.has('token-auth')) return undefined;
  try {
    return await TokenIssuer.create(given ?? await ownKey(storage), values.last('token-service') ?? DEFAULT_SERVICE, Date.now);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot use --token-key ${values.last('token-key') ?? ''}: it is no private key in PKCS #8 of P-256 or RSA`, 'make one with "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"', undefined, { cause: error });
  }
}

async function outerOf(values: FlagValues): Promise<{ readonly verifier: ReturnType<typeof createVerifier>; readonly realm: string } | undefined> {
  const [realm, issuer, keys] = [values.last('token-realm'), values.last('token-issuer'), readFlagFile(values, 'token-keys')];
  if (realm === undefined && issuer === undefined && keys === undefined) return undefined;
  if (realm === undefined || issuer === undefined || keys === undefined) throw new UserError('cannot take tokens of others: --token-realm, --token-issuer and --token-keys belong together', 'give all three');
  if (!URL.canParse(realm)) throw new UserError(`cannot use --token-realm ${realm}: it is no address`, 'such as https://auth.example/token');
  try {
    return { realm, verifier: createVerifier(await readPublicKeys(keys), issuer, values.last('token-service') ?? DEFAULT_SERVICE) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot use --token-keys ${values.last('token-keys')}: there are no public keys in it`, 'give a JSON Web Key Set, a certificate or a public key in PEM', undefined, { cause: error });
  }
}

function externalUrlOf(values: FlagValues): string | undefined {
  const text = values.last('external-url');
  if (text !== undefined && !/^https?:\/\/[^/]+\/?$/.test(text)) throw new UserError(`cannot use --external-url ${text}: it is not http(s)://HOST[:PORT]`, 'such as https://registry.example');
  return text?.replace(/\/$/, '');
}

/** Reads all files that say who may do what. @throws UserError */
export async function authenticationOf(values: FlagValues, { access }: RegistryConfig, storage: RegistryStorage): Promise<Authentication> {
  const accounts = accountsOf(values);
  const outer = await outerOf(values);
  const issuer = outer === undefined ? await issuerOf(values, storage) : undefined;
  const certificates = values.has('client-ca');
  if (issuer !== undefined && accounts === undefined && !certificates) throw new UserError('cannot give tokens: there are no users', 'name them with --htpasswd or --client-ca');
  const isOpen = accounts === undefined && outer === undefined && !certificates;
  return new Authentication({ access: access === undefined ? openAccess(isOpen) : new Access(access), accounts, issuer, outer, certificates, externalUrl: externalUrlOf(values), now: Date.now });
}

/** @throws UserError */
export function tlsOf(values: FlagValues): HttpServerTls | undefined {
  const [certificate, key, clientAuthorities] = ['tls-cert', 'tls-key', 'client-ca'].map((flag) => readFlagFile(values, flag));
  if (certificate === undefined && key === undefined && clientAuthorities === undefined) return undefined;
  if (certificate === undefined || key === undefined) throw new UserError('cannot use TLS: --tls-cert and --tls-key belong together', 'give both');
  return { certificate, key, clientAuthorities, requireClientCertificate: clientAuthorities !== undefined && !values.has('htpasswd') };
}


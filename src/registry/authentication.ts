/** From a request to who asks: a certificate, a password (RFC 7617) or a token (RFC 6750), and the challenge where one is missing. */
import type { HttpConnection } from '../host/types.ts';
import { ACTIONS } from './access.ts';
import type { Access, Action } from './access.ts';
import type { Accounts } from './accounts.ts';
import { Buckets } from './buckets.ts';
import { RegistryFailure } from './errors.ts';
import { FAILED_LOGINS_AT_ONCE, FAILED_LOGINS_PER_SECOND } from './limits.ts';
import { TOKEN_SECONDS, parseScopes } from './tokens.ts';
import type { Grant, TokenIssuer, Verifier } from './tokens.ts';

/** Who asks, and what they may do. */
export interface Caller {
  /** Undefined: nobody has said who they are. */
  readonly name: string | undefined;
  /** True for a token, also one of nobody in particular. */
  readonly hasToken: boolean;
  may(action: Action, repository: string): boolean;
  /** May see that the repository is there. */
  sees(repository: string): boolean;
  /** May ask for lists of repositories. */
  readonly lists: boolean;
}

export interface AuthenticationOptions {
  readonly access: Access;
  readonly accounts: Accounts | undefined;
  readonly issuer: TokenIssuer | undefined;
  /** Instead of `issuer`: tokens of others, and where clients get them. */
  readonly outer: { readonly verifier: Verifier; readonly realm: string } | undefined;
  /** Certificates say who clients are. */
  readonly certificates: boolean;
  /** How clients reach us, where that is not how requests do: `https://registry.example`. */
  readonly externalUrl: string | undefined;
  readonly now: () => number;
}

const REALM = 'Caisson registry';

export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #failedLogins: Buckets;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
    this.#failedLogins = new Buckets(FAILED_LOGINS_PER_SECOND, FAILED_LOGINS_AT_ONCE, options.now);
  }

  /** Nobody can say who they are: everybody is nobody. */
  get isOff(): boolean {
    const { accounts, issuer, outer, certificates } = this.#options;
    return accounts === undefined && issuer === undefined && outer === undefined && !certificates;
  }

  get issuesTokens(): boolean {
    return this.#options.issuer !== undefined;
  }

  /** @throws RegistryFailure UNAUTHORIZED for a wrong password or token, TOOMANYREQUESTS after many. */
  async identify(request: Request, connection: HttpConnection): Promise<Caller> {
    const header = request.headers.get('authorization');
    if (this.isOff || header === null || header === '') return this.#callerOf(this.#options.certificates ? connection.certificateName : undefined);
    const [, scheme = '', value = ''] = /^([A-Za-z]+) +([^ ]+) *$/.exec(header) ?? [];
    if (/^basic$/i.test(scheme)) return this.#callerOf(await this.#checkPassword(value, request, connection));
    if (/^bearer$/i.test(scheme)) return this.#callerOfToken(value, request);
    throw this.challenge(request, 'who asks is said neither by a password nor by a token');
  }

  #callerOf(name: string | undefined): Caller {
    const { access } = this.#options;
    return { name, hasToken: false, may: (action, repository) => access.may(name, action, repository), sees: (repository) => access.may(name, 'pull', repository), lists: true };
  }

  async #checkPassword(encoded: string, request: Request, { address }: HttpConnection): Promise<string> {
    const { accounts } = this.#options;
    const wait = this.#failedLogins.wait(address);
    if (wait > 0) throw new RegistryFailure('TOOMANYREQUESTS', `too many wrong passwords from ${address}`, { headers: { 'retry-after': String(wait) } });
    const [name, password] = decodeBasic(encoded);
    if (accounts !== undefined && name !== undefined && await accounts.verify(name, password ?? '')) return name;
    this.#failedLogins.take(address);
    throw this.challenge(request, 'the name or the password is wrong');
  }

  async #callerOfToken(token: string, request: Request): Promise<Caller> {
    const { access, issuer, outer } = this.#options;
    const verified = await (outer?.verifier ?? issuer?.verifier)?.verify(token);
    if (verified === undefined) throw this.challenge(request, 'the token is not valid, or no more');
    const { name, access: grants } = verified;
    const holds = (type: string, wanted: string, action: string): boolean => grants.some((grant) => grant.type === type && grant.name === wanted && (grant.actions.includes(action) || grant.actions.includes('*')));
    return {
      name, hasToken: true, may: (action, repository) => holds('repository', repository, action),
      sees: outer === undefined ? (repository) => access.may(name, 'pull', repository) : () => true, lists: holds('registry', 'catalog', '*'),
    };
  }

  /** What is answered to who must say who they are (RFC 9110 11.6.1). `scope`: what a token must allow. */
  challenge(request: Request, message: string, scope?: string): RegistryFailure {
    const { issuer, outer, externalUrl } = this.#options;
    const realm = outer?.realm ?? `${externalUrl ?? new URL(request.url).origin}/token`;
    const service = (outer?.verifier ?? issuer?.verifier)?.audience;
    const bearer = service === undefined ? undefined : [`Bearer realm="${realm}"`, `service="${service}"`, ...(scope === undefined ? [] : [`scope="${scope}"`]), ...(request.headers.has('authorization') ? ['error="insufficient_scope"'] : [])].join(',');
    return new RegistryFailure('UNAUTHORIZED', message, { headers: { 'www-authenticate': bearer ?? `Basic realm="${REALM}", charset="UTF-8"`, 'docker-distribution-api-version': 'registry/2.0' } });
  }

  /** For people with a browser, who have passwords only. */
  askPassword(): RegistryFailure {
    return new RegistryFailure('UNAUTHORIZED', 'log in', { headers: { 'www-authenticate': `Basic realm="${REALM}", charset="UTF-8"` } });
  }

  /** `GET /token`, and the form of OAuth 2 with a password: what of the scopes the user may do. @throws RegistryFailure UNAUTHORIZED */
  async token(request: Request, connection: HttpConnection, fields: URLSearchParams): Promise<Response> {
    const { issuer, access } = this.#options;
    if (issuer === undefined) throw new RegistryFailure('UNSUPPORTED', 'there are no tokens here', { status: 404 });
    const isForm = fields.get('grant_type') === 'password';
    const { name } = isForm ? { name: await this.#checkPassword(encodeBasic(fields.get('username') ?? '', fields.get('password') ?? ''), request, connection) } : await this.identify(request, connection);
    const granted = parseScopes(fields.getAll('scope')).map((grant): Grant => {
      if (grant.type === 'registry') return { ...grant, actions: grant.name === 'catalog' ? ['*'] : [] };
      const wanted = grant.actions.includes('*') ? ACTIONS : ACTIONS.filter((action) => grant.actions.includes(action));
      return { ...grant, actions: wanted.filter((action) => access.may(name, action, grant.name)) };
    });
    const { token, issuedAt } = await issuer.issue(name, granted.filter(({ actions }) => actions.length > 0));
    return Response.json({ token, access_token: token, expires_in: TOKEN_SECONDS, issued_at: issuedAt.toISOString() }, { headers: { 'cache-control': 'no-store' } });
  }
}

function decodeBasic(encoded: string): readonly [name: string | undefined, password: string | undefined] {
  try {
    const text = new TextDecoder().decode(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)));
    const colon = text.indexOf(':');
    return colon < 0 ? [undefined, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  } catch {
    return [undefined, undefined];
  }
}

function encodeBasic(name: string, password: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(`${name}:${password}`)));
}

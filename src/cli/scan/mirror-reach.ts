/**
 * Where a scan may go for an image's mirrors. Their addresses are the image's word, so they lead out and not to this machine or its neighbours (the rules of a sandbox's
 * network, DNS rebinding and redirects among them), unless the user named them: a mirror with --mirror, or addresses with --allow-net.
 */
import { lookup as resolveName } from 'node:dns';
import type { LookupAddress, LookupAllOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { NetworkPolicy } from '../../net/index.ts';
import { ScanInputError } from '../../scan/index.ts';

/** As `lookup` of `node:dns` with all addresses. */
export type Resolver = (name: string, options: LookupAllOptions, answer: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void) => void;

export class MirrorReach {
  readonly #named: ReadonlySet<string>;
  readonly #policies: readonly NetworkPolicy[];

  readonly #resolve: Resolver;

  /** `named`: addresses of mirrors, the user's own. `rules`: as for the network of a sandbox. @throws NetworkRuleError */
  constructor(named: readonly string[], rules: readonly string[], resolve: Resolver = resolveName) {
    this.#resolve = resolve;
    this.#named = new Set(named.map((address) => new URL(address).host));
    this.#policies = [new NetworkPolicy({ mode: 'outbound' }), ...(rules.length === 0 ? [] : [new NetworkPolicy({ mode: 'none', allow: rules })])];
  }

  #allows(name: string, address: string, port: number): boolean {
    return this.#policies.some((policy) => (isIP(name) !== 0 || policy.admit(name, [address]).addresses.length > 0) && policy.refuses(address, port) === undefined);
  }

  static #refusal(url: URL, address: string): ScanInputError {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return new ScanInputError(`${url.href} ${host === address ? 'is' : `leads to ${address},`} on this machine or its network`, `the image says that address itself: if you trust it, allow it with --allow-net ${address}, or name a mirror with --mirror`);
  }

  /** How the host of an address is looked up: only what may be reached comes of it, and just that is connected to. Undefined: as usual. @throws ScanInputError for an address that may not be reached */
  lookup(url: URL): LookupFunction | undefined {
    if (this.#named.has(url.host)) return undefined;
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const literal = /(?:^|\.)localhost\.?$/i.test(host) ? '127.0.0.1' : host;
    if (isIP(literal) !== 0) {
      if (!this.#allows(host, literal, port)) throw MirrorReach.#refusal(url, literal);
      return undefined;
    }
    return (name, options, answer) => this.#resolve(name, { ...options, all: true }, (error, found) => {
      if (error !== null) return answer(error, '', 0);
      const allowed = found.filter(({ address }) => this.#allows(name.toLowerCase().replace(/\.$/, ''), address, port));
      const [first] = allowed;
      if (first === undefined) return answer(MirrorReach.#refusal(url, found[0]?.address ?? ''), '', 0);
      return options.all === true ? answer(null, allowed) : answer(null, first.address, first.family);
    });
  }
}

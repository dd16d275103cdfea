/**
 * Which addresses outside the sandbox may be reached. By default none; with `outbound` the public ones; where there are
 * rules, only what they name. Addresses that lead back to the host or its neighbours (loopback, private, link-local,
 * metadata services, multicast) are refused, also where they are written inside IPv6 (mapped, NAT64, 6to4), unless a rule
 * names them.
 */
import { inRange, parseAddress, parseRange, type AddressRange } from './address.ts';
import { REMEMBERED_ADDRESSES } from './limits.ts';

/** A rule of `--allow-net` that cannot be understood. */
export class NetworkRuleError extends Error {
  override readonly name = 'NetworkRuleError';
  readonly rule: string;

  constructor(rule: string, reason: string) {
    super(`cannot understand the network rule "${rule}": ${reason}`);
    this.rule = rule;
  }
}

interface NetworkRule {
  /** Lower case; `*.example.org` for all names below. */
  readonly name?: string;
  readonly range?: AddressRange;
  /** Undefined: all. */
  readonly port: number | undefined;
}

/** `example.org`, `*.example.org:443`, `10.1.0.0/16:5432`, `[fd00::1]:80`, `::1`. */
export function parseNetworkRule(rule: string): NetworkRule {
  const { host, port } = splitPort(rule);
  if (host === '') throw new NetworkRuleError(rule, 'there is no host');
  const range = parseRange(host);
  if (range !== undefined) return { range, port };
  if (host.includes('/')) throw new NetworkRuleError(rule, 'the range is not ADDRESS/BITS');
  const name = host.toLowerCase().replace(/\.$/, '');
  if (!/^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(name) || name.length > 253) {
    throw new NetworkRuleError(rule, 'the host is neither a name nor an address');
  }
  return { name, port };
}

function splitPort(rule: string): { host: string; port: number | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(rule);
  const colons = rule.split(':').length - 1;
  let host = rule;
  let text: string | undefined;
  if (bracketed !== null) [host, text] = [bracketed[1]!, bracketed[2]];
  else if (colons === 1) [host, text] = rule.split(':') as [string, string];
  if (text === undefined) return { host, port: undefined };
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new NetworkRuleError(rule, 'the port is not a number from 1 to 65535');
  return { host, port };
}

/** `special` leads to the host itself, to metadata services, or nowhere; `private` to neighbours. */
export type AddressClass = 'public' | 'private' | 'special';

/** RFC 1918, RFC 6598 (shared address space), RFC 4193 (unique local). */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'];
/** IANA special-purpose registries (RFC 6890), and metadata services of clouds that live in public or private ranges. */
const SPECIAL = [
  '0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.88.99.0/24', '198.18.0.0/15',
  '224.0.0.0/4', '240.0.0.0/4', '168.63.129.16', '100.100.100.200',
  '::/96', '100::/64', '64:ff9b:1::/48', '2001::/32', '2001:db8::/32', 'fe80::/10', 'ff00::/8', 'fd00:ec2::254', '3fff::/20', '5f00::/16',
];
const NAT64 = '64:ff9b::/96';
const SIX_TO_FOUR = '2002::/16';
const MAPPED = '::ffff:0:0/96';

const parsed = new Map<string, AddressRange>();

/** Ranges are parsed when they are first needed: most sandboxes never ask. */
function isIn(bytes: Uint8Array, text: string): boolean {
  let range = parsed.get(text);
  if (range === undefined) parsed.set(text, (range = parseRange(text)!));
  return inRange(bytes, range);
}

export function classify(address: string): AddressClass {
  const bytes = parseAddress(address);
  return bytes === undefined ? 'special' : classifyBytes(bytes);
}

function classifyBytes(bytes: Uint8Array): AddressClass {
  if (bytes.length === 16) {
    if (isIn(bytes, MAPPED) || isIn(bytes, NAT64)) return classifyBytes(bytes.slice(12));
    if (isIn(bytes, SIX_TO_FOUR)) return classifyBytes(bytes.slice(2, 6));
  }
  if (SPECIAL.some((range) => isIn(bytes, range))) return 'special';
  return PRIVATE.some((range) => isIn(bytes, range)) ? 'private' : 'public';
}

/** The addresses an address may be known by in rules: itself, and an IPv4 address that it carries. */
function forms(address: string): Uint8Array[] {
  const bytes = parseAddress(address);
  if (bytes === undefined) return [];
  return bytes.length === 16 && isIn(bytes, MAPPED) ? [bytes, bytes.slice(12)] : [bytes];
}

export interface NetworkPolicyOptions {
  readonly mode: 'none' | 'outbound';
  /** Rules as for `--allow-net`. Where there are any, nothing else may be reached. */
  readonly allow?: readonly string[];
}

export class NetworkPolicy {
  readonly mode: 'none' | 'outbound';
  readonly #rules: readonly NetworkRule[];
  /** Names that led to an address when they were resolved, for rules by name. */
  readonly #namesOf = new Map<string, Set<string>>();

  /** Throws NetworkRuleError. */
  constructor({ mode, allow = [] }: NetworkPolicyOptions) {
    this.mode = mode;
    this.#rules = allow.map(parseNetworkRule);
  }

  /** Whether anything outside can be reached at all. */
  get isOpen(): boolean {
    return this.mode === 'outbound' || this.#rules.length > 0;
  }

  #ruleNames(rule: NetworkRule, name: string): boolean {
    if (rule.name === undefined) return false;
    return rule.name.startsWith('*.') ? name.endsWith(rule.name.slice(1)) : rule.name === name;
  }

  /** Whether the resolver answers for the name. */
  mayResolve(name: string): boolean {
    if (this.#rules.length === 0) return this.mode === 'outbound';
    return this.#rules.some((rule) => this.#ruleNames(rule, name));
  }

  /** The name led to these addresses: rules that name it hold for them from now on. */
  remember(name: string, addresses: readonly string[]): void {
    if (!this.#rules.some((rule) => this.#ruleNames(rule, name))) return;
    for (const address of addresses) {
      const names = this.#namesOf.get(address) ?? new Set<string>();
      names.add(name);
      // The oldest go first.
      this.#namesOf.delete(address);
      this.#namesOf.set(address, names);
    }
    for (const address of this.#namesOf.keys()) {
      if (this.#namesOf.size <= REMEMBERED_ADDRESSES) break;
      this.#namesOf.delete(address);
    }
  }

  /**
   * Whether a connection or datagram may go there. A rule by address opens whatever it names, unless it is so wide that it
   * names half the world; a rule by name opens public and private addresses only, so that no name can be pointed at the
   * host (DNS rebinding).
   */
  allows(address: string, port: number): boolean {
    const kind = classify(address);
    const names = kind === 'special' ? undefined : this.#namesOf.get(address);
    const bytes = forms(address);
    for (const rule of this.#rules) {
      if (rule.port !== undefined && rule.port !== port) continue;
      const { range } = rule;
      if (range !== undefined && (kind === 'public' || isNarrow(range)) && bytes.some((form) => inRange(form, range))) return true;
      if (names !== undefined && [...names].some((name) => this.#ruleNames(rule, name))) return true;
    }
    return this.#rules.length === 0 && this.mode === 'outbound' && kind === 'public';
  }
}

/** `10.0.0.0/8` and `fc00::/7` mean what they say; `0.0.0.0/0` means the public Internet. */
function isNarrow({ bytes, prefix }: AddressRange): boolean {
  return prefix >= (bytes.length === 4 ? 8 : 7);
}

/** Rules of `--allow-net` and `--deny-net`: whom they name. */
import { inRange, mapped4, parseRange, type AddressRange } from './address.ts';

/** A rule that cannot be understood. */
export class NetworkRuleError extends Error {
  override readonly name = 'NetworkRuleError';
  readonly rule: string;

  constructor(rule: string, reason: string) {
    super(`cannot understand the network rule "${rule}": ${reason}`);
    this.rule = rule;
  }
}

export interface NetworkRule {
  /** As it was written. */
  readonly text: string;
  /** Lower case; `*.example.org` for all names below, `*` for all names and addresses. */
  readonly name?: string;
  readonly range?: AddressRange;
  /** Undefined: all. */
  readonly port: number | undefined;
}

const NAME = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
const MOST_NAME_LENGTH = 253;
/** `::ffff:0:0/96` is IPv4 in another dress. */
const MAPPED_BITS = 96;

/** `example.org`, `*.example.org:443`, `*:25`, `10.1.0.0/16:5432`, `[fd00::1]:80`, `::1`. @throws NetworkRuleError */
export function parseNetworkRule(text: string): NetworkRule {
  const { host, port } = splitPort(text);
  if (host === '') throw new NetworkRuleError(text, 'there is no host');
  const range = parseRange(host);
  if (range !== undefined) return { text, range: withoutMapping(range), port };
  if (host.includes('/')) throw new NetworkRuleError(text, 'the range is not ADDRESS/BITS');
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name !== '*' && (!NAME.test(name) || name.length > MOST_NAME_LENGTH)) throw new NetworkRuleError(text, 'the host is neither a name nor an address');
  return { text, name, port };
}

function withoutMapping(range: AddressRange): AddressRange {
  const embedded = range.prefix >= MAPPED_BITS ? mapped4(range.bytes) : undefined;
  return embedded === undefined ? range : { bytes: embedded, prefix: range.prefix - MAPPED_BITS };
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

export function namesAll(rule: NetworkRule): boolean {
  return rule.name === '*';
}

export function ruleNames(rule: NetworkRule, name: string): boolean {
  if (rule.name === undefined) return false;
  if (namesAll(rule)) return true;
  return rule.name.startsWith('*.') ? name.endsWith(rule.name.slice(1)) : rule.name === name;
}

/** `10.0.0.0/8` and `fc00::/7` mean what they say; `0.0.0.0/0` means the public Internet. */
export function isNarrow({ bytes, prefix }: AddressRange): boolean {
  return prefix >= (bytes.length === 4 ? 8 : 7);
}

export function ruleContains({ range }: NetworkRule, forms: readonly Uint8Array[]): boolean {
  return range !== undefined && forms.some((form) => inRange(form, range));
}

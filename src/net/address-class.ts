/** Where an address leads: out, to neighbours, or back to the host; also where it is written inside IPv6 (mapped, NAT64, 6to4). */
import { inRange, parseAddress, parseRange, type AddressRange } from './address.ts';

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

/** The IPv4 address that an IPv6 address carries. */
function embedded4(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length !== 16) return undefined;
  if (isIn(bytes, MAPPED) || isIn(bytes, NAT64)) return bytes.slice(12);
  return isIn(bytes, SIX_TO_FOUR) ? bytes.slice(2, 6) : undefined;
}

export function classify(address: string): AddressClass {
  const bytes = parseAddress(address);
  return bytes === undefined ? 'special' : classifyBytes(bytes);
}

function classifyBytes(bytes: Uint8Array): AddressClass {
  const embedded = embedded4(bytes);
  if (embedded !== undefined) return classifyBytes(embedded);
  if (SPECIAL.some((range) => isIn(bytes, range))) return 'special';
  return PRIVATE.some((range) => isIn(bytes, range)) ? 'private' : 'public';
}

/** What rules that allow may name an address by: itself, and the IPv4 address that it is. */
export function formsOf(address: string): readonly Uint8Array[] {
  const bytes = parseAddress(address);
  if (bytes === undefined) return [];
  return bytes.length === 16 && isIn(bytes, MAPPED) ? [bytes, bytes.slice(12)] : [bytes];
}

/** What rules that deny may name it by: also every IPv4 address that it leads to. */
export function allFormsOf(address: string): readonly Uint8Array[] {
  const bytes = parseAddress(address);
  const embedded = bytes === undefined ? undefined : embedded4(bytes);
  return [bytes, embedded].flatMap((form) => form ?? []);
}

/** The sandbox's resolver: answers DNS queries (RFC 1035) from what the host resolves, under the policy. */
import { isVersion4, parseAddress } from './address.ts';
import { DNS_QUERIES, DNS_TTL } from './limits.ts';
import type { NetworkPolicy } from './policy.ts';
import type { Refusals } from './refusals.ts';

const TYPE_A = 1;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
const HEADER = 12;
const NOERROR = 0;
const FORMERR = 1;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const NOTIMP = 4;
const REFUSED = 5;
/** Response, recursion desired and available. */
const RESPONSE_FLAGS = 0x8180;
/** So that an answer fits 512 bytes without EDNS. */
const MAX_ANSWERS = 24;
/** Host error codes that mean "no such name". */
const NOT_FOUND = new Set(['ENOTFOUND', 'ENODATA', 'EAI_NONAME']);

interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly dnsClass: number;
  /** The question as it came, to be repeated. */
  readonly bytes: Uint8Array;
}

/** One question, or the code of what is wrong with it. */
function parseQuestion(query: Uint8Array): Question | number {
  if (query.length < HEADER + 5) return FORMERR;
  const view = new DataView(query.buffer, query.byteOffset, query.byteLength);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) !== 0 || view.getUint16(4) !== 1) return FORMERR;
  if ((flags & 0x7800) !== 0) return NOTIMP;
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return FORMERR;
    at++;
    if (length === 0) break;
    if (at + length > query.length || at - HEADER > 255) return FORMERR;
    labels.push(String.fromCharCode(...query.subarray(at, at + length)).toLowerCase());
    at += length;
  }
  if (at + 4 > query.length) return FORMERR;
  return {
    id: view.getUint16(0), name: labels.join('.'), type: view.getUint16(at), dnsClass: view.getUint16(at + 2), bytes: query.subarray(HEADER, at + 4),
  };
}

function respond(id: number, code: number, question: Uint8Array, addresses: readonly Uint8Array[] = []): Uint8Array {
  const size = HEADER + question.length + addresses.reduce((sum, address) => sum + 12 + address.length, 0);
  const response = new Uint8Array(size);
  const view = new DataView(response.buffer);
  view.setUint16(0, id);
  view.setUint16(2, RESPONSE_FLAGS | code);
  view.setUint16(4, question.length > 0 ? 1 : 0);
  view.setUint16(6, addresses.length);
  response.set(question, HEADER);
  let at = HEADER + question.length;
  for (const address of addresses) {
    // A pointer to the name in the question.
    view.setUint16(at, 0xc000 | HEADER);
    view.setUint16(at + 2, address.length === 4 ? TYPE_A : TYPE_AAAA);
    view.setUint16(at + 4, CLASS_IN);
    view.setUint32(at + 6, DNS_TTL);
    view.setUint16(at + 10, address.length);
    response.set(address, at + 12);
    at += 12 + address.length;
  }
  return response;
}

export interface ResolverOptions {
  readonly policy: NetworkPolicy;
  readonly refusals: Refusals;
  /** Asks the host: addresses as text; rejects with an Error whose code is a resolver's. */
  resolve(name: string): Promise<readonly string[]>;
  /** Addresses of who is called so on the sandbox's own networks, which come first; undefined for a name of nobody. */
  neighbours(name: string): readonly string[] | undefined;
}

export class Resolver {
  readonly #options: ResolverOptions;
  /** Lookups under way, so that A and AAAA of one name ask the host once. */
  readonly #pending = new Map<string, Promise<readonly string[]>>();

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** Answers one message through `answer`, soon. */
  query(message: Uint8Array, answer: (response: Uint8Array) => void): void {
    const question = parseQuestion(message);
    if (typeof question === 'number') {
      const id = message.length >= 2 ? (message[0]! << 8) | message[1]! : 0;
      answer(respond(id, question, new Uint8Array(0)));
      return;
    }
    const { id, name, type, dnsClass } = question;
    const bytes = question.bytes.slice();
    if (dnsClass !== CLASS_IN) return answer(respond(id, NOTIMP, bytes));
    // Only addresses are known; everything else exists without a value, reverse names do not exist.
    if (type !== TYPE_A && type !== TYPE_AAAA) return answer(respond(id, name.endsWith('.arpa') ? NXDOMAIN : NOERROR, bytes));
    const found = this.#options.neighbours(name);
    if (found !== undefined) return answer(respond(id, NOERROR, bytes, found.filter((address) => isVersion4(address) === (type === TYPE_A)).slice(0, MAX_ANSWERS).map((address) => parseAddress(address)!)));
    const refusedBy = this.#options.policy.refusesName(name);
    if (refusedBy !== undefined) {
      this.#refused(name, refusedBy);
      return answer(respond(id, NXDOMAIN, bytes));
    }
    const lookup = this.#lookUp(name);
    if (lookup === undefined) return answer(respond(id, REFUSED, bytes));
    lookup.then(
      (addresses) => {
        const wanted = type === TYPE_A ? addresses.slice(0, MAX_ANSWERS) : [];
        answer(respond(id, NOERROR, bytes, wanted.map((address) => parseAddress(address)!)));
      },
      (error: unknown) => answer(respond(id, NOT_FOUND.has(codeOf(error)) ? NXDOMAIN : SERVFAIL, bytes)),
    );
  }

  #refused(name: string, rule: string, address?: string): void {
    this.#options.refusals.record({ protocol: 'dns', name, address, verdict: 'refused', rule });
  }

  #lookUp(name: string): Promise<readonly string[]> | undefined {
    const pending = this.#pending.get(name);
    if (pending !== undefined) return pending;
    if (this.#pending.size >= DNS_QUERIES) return undefined;
    const { policy, resolve } = this.#options;
    const lookup = resolve(name).then((found) => {
      // There is no IPv6 route out of the sandbox, so no name has an IPv6 address in it.
      const { addresses, refused } = policy.admit(name, found.filter((address) => isVersion4(address) && parseAddress(address) !== undefined));
      for (const { address, rule } of refused) this.#refused(name, rule, address);
      if (addresses.length === 0 && refused.length > 0) throw Object.assign(new Error(`${name} leads nowhere that may be reached`), { code: 'ENOTFOUND' });
      return addresses;
    });
    this.#pending.set(name, lookup);
    const forget = (): void => void this.#pending.delete(name);
    lookup.then(forget, forget);
    return lookup;
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/**
 * Which addresses outside the sandbox may be reached. By default none; with `outbound` the public ones; where there are rules that allow, only what they
 * name; never what a rule denies, whatever else allows it. Addresses that lead back to the host or its neighbours (loopback, private, link-local,
 * metadata services, multicast) are refused, also where they are written inside IPv6, unless a rule names them.
 */
import { allFormsOf, classify, formsOf, type AddressClass } from './address-class.ts';
import { NAMES_OF_ADDRESS, REMEMBERED_ADDRESSES } from './limits.ts';
import { isNarrow, namesAll, parseNetworkRule, ruleContains, ruleNames, type NetworkRule } from './rules.ts';

export interface NetworkRules {
  /** Rules as for `--allow-net`. Where there are any, nothing else may be reached. */
  readonly allow?: readonly string[];
  /** Rules as for `--deny-net`. They win. */
  readonly deny?: readonly string[];
}

export interface NetworkPolicyOptions extends NetworkRules {
  readonly mode: 'none' | 'outbound';
}

/**
 * Why something is refused, as the log says it: `deny-net RULE`; `allow-net`, where no such rule names it; `private` and `special` for kinds of addresses
 * that are refused unless a rule names them; `pinned` for a name that led elsewhere before; `none`, where nothing may go out.
 */
export type RefusedBy = string;

export interface AdmittedAnswer {
  readonly addresses: readonly string[];
  readonly refused: readonly { readonly address: string; readonly rule: RefusedBy }[];
}

export class NetworkPolicy {
  readonly mode: 'none' | 'outbound';
  #allow: readonly NetworkRule[] = [];
  #deny: readonly NetworkRule[] = [];
  /** Names that led to an address when they were resolved, for rules by name. */
  readonly #namesOf = new Map<string, Set<string>>();
  /** Names that rules allow as a whole, and that led to a public address once: they lead to no private one any more. */
  readonly #public = new Set<string>();

  /** @throws NetworkRuleError */
  constructor({ mode, ...rules }: NetworkPolicyOptions) {
    this.mode = mode;
    this.setRules(rules);
  }

  /** Other rules from now on. @throws NetworkRuleError */
  setRules({ allow = [], deny = [] }: NetworkRules): void {
    [this.#allow, this.#deny] = [allow.map(parseNetworkRule), deny.map(parseNetworkRule)];
  }

  /** Whether anything outside can be reached at all. */
  get isOpen(): boolean {
    return this.mode === 'outbound' || this.#allow.length > 0;
  }

  // ---- names ----

  /** Undefined: the resolver answers for the name. A rule that denies one port of it leaves the name alone. */
  refusesName(name: string): RefusedBy | undefined {
    if (!this.isOpen) return 'none';
    const denied = this.#deny.find((rule) => rule.port === undefined && ruleNames(rule, name));
    if (denied !== undefined) return `deny-net ${denied.text}`;
    return this.#allow.length === 0 || this.#allow.some((rule) => ruleNames(rule, name)) ? undefined : 'allow-net';
  }

  /**
   * The name led to these addresses: rules that name it hold for those that are admitted, from now on. Admitted are public ones; private ones where a rule
   * allows just this name, as long as it has never led to a public one (so that no name can be pointed at a neighbour later: DNS rebinding); and what rules
   * allow by address.
   */
  admit(name: string, addresses: readonly string[]): AdmittedAnswer {
    const isNamed = this.#allow.some((rule) => rule.name === name);
    if (isNamed && addresses.some((address) => classify(address) === 'public')) this.#public.add(name);
    const admitted: string[] = [];
    const refused: { address: string; rule: RefusedBy }[] = [];
    for (const address of addresses) {
      const rule = this.#refusesAnswer(address, isNamed, this.#public.has(name));
      if (rule !== undefined) refused.push({ address, rule });
      else {
        admitted.push(address);
        this.#remember(name, address);
      }
    }
    return { addresses: admitted, refused };
  }

  #refusesAnswer(address: string, isNamed: boolean, wasPublic: boolean): RefusedBy | undefined {
    const kind = classify(address);
    const denied = this.#deny.find((rule) => rule.port === undefined && ruleContains(rule, allFormsOf(address)));
    if (denied !== undefined) return `deny-net ${denied.text}`;
    if (kind === 'public' || this.#allow.some((rule) => this.#allowsAddress(rule, address, kind))) return undefined;
    if (kind === 'private' && isNamed) return wasPublic ? 'pinned' : undefined;
    return kind;
  }

  /** The oldest go first. */
  #remember(name: string, address: string): void {
    const names = this.#namesOf.get(address) ?? new Set<string>();
    names.delete(name);
    names.add(name);
    const [oldest] = names;
    if (names.size > NAMES_OF_ADDRESS && oldest !== undefined) names.delete(oldest);
    this.#namesOf.delete(address);
    this.#namesOf.set(address, names);
    const [first] = this.#namesOf.keys();
    if (this.#namesOf.size > REMEMBERED_ADDRESSES && first !== undefined) this.#namesOf.delete(first);
  }

  /** Names that led to the address. */
  namesOf(address: string): readonly string[] {
    return [...this.#namesOf.get(address) ?? []];
  }

  // ---- addresses ----

  /** A rule by address opens whatever it names, unless it is so wide that it names half the world. */
  #allowsAddress(rule: NetworkRule, address: string, kind: AddressClass): boolean {
    const isFit = kind === 'public' || (rule.range !== undefined && isNarrow(rule.range));
    return isFit && ruleContains(rule, formsOf(address));
  }

  /** A rule by name opens what the name led to: public addresses, and, where it is just this name, private ones. */
  #allowsName(rule: NetworkRule, names: readonly string[], kind: AddressClass): boolean {
    if (namesAll(rule)) return kind === 'public';
    return kind !== 'special' && names.some((name) => (kind === 'private' ? rule.name === name : ruleNames(rule, name)));
  }

  /** Undefined: a connection or datagram may go there. */
  refuses(address: string, port: number): RefusedBy | undefined {
    if (!this.isOpen) return 'none';
    const names = this.namesOf(address);
    const fits = (rule: NetworkRule): boolean => rule.port === undefined || rule.port === port;
    const denied = this.#deny.find((rule) => fits(rule) && (namesAll(rule) || ruleContains(rule, allFormsOf(address)) || names.some((name) => ruleNames(rule, name))));
    if (denied !== undefined) return `deny-net ${denied.text}`;
    const kind = classify(address);
    if (this.#allow.some((rule) => fits(rule) && (this.#allowsAddress(rule, address, kind) || this.#allowsName(rule, names, kind)))) return undefined;
    if (kind !== 'public') return kind;
    return this.#allow.length === 0 ? undefined : 'allow-net';
  }
}

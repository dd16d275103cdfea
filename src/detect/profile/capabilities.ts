/** Capabilities by their names (capabilities(7)). */
import * as abi from '../../abi/capability.ts';

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(abi).filter(([name]) => name !== 'CAP_LAST_CAP'));
const NAMES: ReadonlyMap<number, string> = new Map([...NUMBERS].map(([name, number]) => [number, name]));

export const CAPABILITIES: readonly string[] = [...NUMBERS.keys()];

export function capabilityName(capability: number): string {
  return NAMES.get(capability) ?? `CAP_${capability}`;
}

/** As a bit set. */
export function capabilitySet(names: readonly string[]): bigint {
  return names.reduce((set, name) => set | (1n << BigInt(NUMBERS.get(name) ?? 63)), 0n);
}

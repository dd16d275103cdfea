/** Bitwise instructions of SSE, which do the same to each half of a register. */
import type { Expr } from '../semantics/builder.ts';
import type { UnitBuilder } from './unit-builder.ts';

export const BITWISE = new Set(['andps', 'andpd', 'pand', 'orps', 'orpd', 'por', 'xorps', 'xorpd', 'pxor', 'andnps', 'andnpd', 'pandn']);

/** What one does with each half. */
export function bitwiseOperation(b: UnitBuilder, name: string): (a: Expr, c: Expr) => Expr {
  if (name === 'andnps' || name === 'andnpd' || name === 'pandn') return (a, c) => b.and(b.not(a), c);
  if (name.includes('and')) return (a, c) => b.and(a, c);
  return name.includes('xor') ? (a, c) => b.xor(a, c) : (a, c) => b.or(a, c);
}

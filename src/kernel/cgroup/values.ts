/** How numbers are written in the files of control groups. */

/** `max` is Infinity; undefined: it is no whole number. */
export function parseMaximum(text: string): number | undefined {
  if (text === 'max') return Infinity;
  return /^[+-]?\d{1,19}$/.test(text) ? Number(text) : undefined;
}

export function formatMaximum(value: number): string {
  return value === Infinity ? 'max' : String(value);
}

/** Lines `KEY VALUE`. */
export function formatKeys(values: Readonly<Record<string, number>>): string {
  return Object.entries(values).map(([key, value]) => `${key} ${Math.floor(value)}\n`).join('');
}

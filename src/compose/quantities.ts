/** Sizes and times as Compose files have them. Each answers undefined for what it cannot read. */

const SIZES: ReadonlyMap<string, number> = new Map([['', 1], ['b', 1], ['k', 2 ** 10], ['kb', 2 ** 10], ['m', 2 ** 20], ['mb', 2 ** 20], ['g', 2 ** 30], ['gb', 2 ** 30], ['t', 2 ** 40], ['tb', 2 ** 40]]);
const TIMES: ReadonlyMap<string, number> = new Map([['ns', 1e-6], ['us', 1e-3], ['µs', 1e-3], ['ms', 1], ['s', 1000], ['m', 60_000], ['h', 3_600_000], ['d', 86_400_000]]);

/** Bytes: `1g`, `512M`, `64kb`; `-1` for no limit. */
export function sizeOf(text: string): number | undefined {
  if (text === '-1') return -1;
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]{0,2})$/i.exec(text.trim()) ?? [];
  const factor = SIZES.get(unit.toLowerCase().replace(/i$/, ''));
  return digits === undefined || factor === undefined ? undefined : Math.floor(Number(digits) * factor);
}

/** Milliseconds: `1m30s`, `500ms`, `1.5h`. */
export function timeOf(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, digits, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g)) sum += Number(digits) * (TIMES.get(unit) ?? 0);
  return sum;
}

/** As Go prints it: `1m30s`, `1h0m0s`, `500ms`. */
export function timeText(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  if (milliseconds < 1) return milliseconds < 1e-3 ? `${Math.round(milliseconds * 1e6)}ns` : `${Number((milliseconds * 1000).toFixed(3))}µs`;
  if (milliseconds < 1000) return `${Number(milliseconds.toFixed(6))}ms`;
  const seconds = milliseconds / 1000;
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Number((seconds % 60).toFixed(9))];
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${rest}s`;
}

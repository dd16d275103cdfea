/** Sizes, durations and the like as people type them. Each answers undefined when it cannot read the text. */

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1], ['b', 1], ['k', 2 ** 10], ['kb', 2 ** 10], ['kib', 2 ** 10], ['m', 2 ** 20], ['mb', 2 ** 20], ['mib', 2 ** 20],
  ['g', 2 ** 30], ['gb', 2 ** 30], ['gib', 2 ** 30], ['t', 2 ** 40], ['tb', 2 ** 40], ['tib', 2 ** 40],
]);
const TIME_UNITS: ReadonlyMap<string, number> = new Map([['ms', 1], ['', 1000], ['s', 1000], ['m', 60_000], ['h', 3_600_000], ['d', 86_400_000]]);

const GO_UNITS: ReadonlyMap<string, number> = new Map([['ns', 1e-6], ['us', 1e-3], ['µs', 1e-3], ['ms', 1], ['s', 1000], ['m', 60_000], ['h', 3_600_000]]);

function scaled(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = units.get(match?.[2]?.toLowerCase() ?? '?');
  if (match === null || unit === undefined) return undefined;
  const value = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Bytes: `512m`, `1.5g`, `4096`. Powers of two, as Docker. */
export function parseSize(text: string): number | undefined {
  return scaled(text, SIZE_UNITS);
}

/** Milliseconds: `30s`, `5m`, `500ms`, `10` (seconds, as timeout(1)). */
export function parseDuration(text: string): number | undefined {
  return scaled(text, TIME_UNITS);
}

/** Milliseconds of what Go's ParseDuration reads: `1m30s`, `1.5h`, `500ms`, `0`. */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) sum += Number(number) * (GO_UNITS.get(unit) ?? 0);
  return sum;
}

export function parseCount(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** `12.3 MiB` */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? 'B'}`;
}

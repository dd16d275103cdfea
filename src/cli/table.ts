/** Columns of text, and times and sizes as Docker shows them. */
export { formatTable } from '../findings/printable.ts';

/** Powers of ten with three digits: `116MB`, `4.27kB` (go-units HumanSize). */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${units[unit] ?? 'B'}`;
}

/** go-units HumanDuration, with "ago". */
export function humanAge(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(minutes / 60);
  const text = seconds < 1 ? 'Less than a second' : seconds === 1 ? '1 second' : seconds < 60 ? `${seconds} seconds`
    : minutes === 1 ? 'About a minute' : minutes < 60 ? `${minutes} minutes` : hours === 1 ? 'About an hour' : hours < 48 ? `${hours} hours`
      : hours < 24 * 7 * 2 ? `${Math.floor(hours / 24)} days` : hours < 24 * 30 * 2 ? `${Math.floor(hours / 24 / 7)} weeks`
        : hours < 24 * 365 * 2 ? `${Math.floor(hours / 24 / 30)} months` : `${Math.floor(hours / 24 / 365)} years`;
  return `${text} ago`;
}

/** Powers of two with four digits: `5.629MiB` (go-units BytesSize). */
export function binarySize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit] ?? 'B'}`;
}

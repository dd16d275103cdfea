/** Between Node's strings (UTF-16 of UTF-8) and the kernel's byte strings (one character per byte). */
import { readFileSync, readlinkSync } from 'node:fs';

const onlyAscii = /^[\x00-\x7f]*$/;
const REPLACEMENT = '\ufffd';

export function toByteString(text: string): string {
  return onlyAscii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** For messages: bytes as text, as well as it goes. */
export function toText(bytes: string): string {
  return onlyAscii.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

function splitZero(file: string): string[] | undefined {
  try {
    return readFileSync(file, 'latin1').split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}

/**
 * The words of our own command line as bytes. Node decodes them as UTF-8 and loses what is not; Linux
 * still has them in /proc/self/cmdline, whose last words are ours.
 */
export function rawArguments(args: readonly string[]): readonly string[] {
  if (!args.some((word) => word.includes(REPLACEMENT))) return args.map(toByteString);
  const raw = splitZero('/proc/self/cmdline');
  return raw === undefined || raw.length < args.length ? args.map(toByteString) : raw.slice(raw.length - args.length);
}

/** The environment as `NAME=VALUE` byte strings. */
export function rawEnvironment(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const entries = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (entries.some(([name, value]) => name.includes(REPLACEMENT) || value.includes(REPLACEMENT))) {
    const raw = splitZero('/proc/self/environ');
    if (raw !== undefined) return raw;
  }
  return entries.map(([name, value]) => toByteString(`${name}=${value}`));
}

/** The working directory as bytes. */
export function rawWorkingDirectory(): string {
  const cwd = process.cwd();
  if (!cwd.includes(REPLACEMENT)) return toByteString(cwd);
  try {
    return readlinkSync('/proc/self/cwd', 'latin1' as 'utf8');
  } catch {
    return toByteString(cwd);
  }
}

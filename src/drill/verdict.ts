/** What a program said, and what it comes to. */
import { ERRNO_NAMES } from '../abi/errno.ts';
import type { Attempt, GuestReport, Outcome, Run, Sighting, Technique } from './types.ts';

const MOST_LINES = 4096;
const MOST_ERRNO = 4095;

function toNumber(hex: string): bigint {
  return /^[0-9a-f]{16}$/.test(hex) ? BigInt.asIntN(64, BigInt(`0x${hex}`)) : 0n;
}

/** Lines that are none of these are left out: a program under attack may say anything. */
export function readReport(stdout: string): GuestReport {
  const attempts: Attempt[] = [];
  const claims: string[] = [];
  const measured: { what: string; value: bigint }[] = [];
  let done = false;
  for (const line of stdout.split('\n', MOST_LINES)) {
    const [word, what = '', hex = ''] = line.split('\t', 3);
    if (word === 'try') attempts.push({ what, result: Number(toNumber(hex)) });
    else if (word === 'claim') claims.push(what);
    else if (word === 'measured') measured.push({ what, value: toNumber(hex) });
    else if (line === 'done') done = true;
  }
  return { attempts, claims, measured, done };
}

function endingOf({ exitCode, signal, timedOut, stdout, stderr }: Run): string | undefined {
  if (timedOut) return 'it did not end in time';
  if (signal !== undefined) return `it was ended by ${signal}`;
  if (exitCode === 0) return undefined;
  // An engine that could not start it says why.
  const why = stdout === '' ? (stderr.split('\n', 1)[0] ?? '') : '';
  return `it ended with ${exitCode}${why === '' ? '' : `: ${why}`}`;
}

/** Out: a canary has noticed, or the program has seen itself outside. Held: neither, and it was tried to its end. */
export function judge(technique: Technique, run: Run, noticed: readonly Sighting[]): Outcome {
  const report = readReport(run.stdout);
  const sightings = [...noticed, ...report.claims.map((what) => ({ canary: 'guest', what }))];
  const ending = endingOf(run);
  // One that may be ended has to have begun.
  const begun = report.done || report.attempts.length > 0 || report.measured.length > 0;
  const finished = technique.mayEnd === true ? begun : report.done && ending === undefined;
  const verdict = sightings.length > 0 ? 'out' : !finished ? 'unfinished' : technique.isProbe === true ? 'measured' : 'held';
  return { technique, verdict, report, sightings, ...(ending === undefined ? {} : { ending }) };
}

/** `open /dev/mem: ENOENT`, `read: 12` */
export function attemptAsText({ what, result }: Attempt): string {
  return `${what}: ${result < 0 && result >= -MOST_ERRNO ? ERRNO_NAMES.get(-result) ?? String(result) : String(result)}`;
}

/** What the guest saw, in one line: its attempts, or the first and last of many. */
export function seenAsText({ report, ending }: Outcome): string {
  const texts = [...report.attempts.map(attemptAsText), ...report.measured.map(({ what, value }) => `${what}: ${value}`)];
  const shown = texts.length <= 4 ? texts : [...texts.slice(0, 3), `${texts.length - 4} more`, ...texts.slice(-1)];
  return [...shown, ...(ending === undefined ? [] : [ending])].join('; ');
}

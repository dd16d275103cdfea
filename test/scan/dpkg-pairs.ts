/**
 * Versions that are close to one another, and what `dpkg --compare-versions` says of each pair.
 *
 *   node --import tsx test/scan/dpkg-pairs.ts 100000     as many pairs, from a new seed
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { COMPARE } from '../../src/scan/versions/index.ts';
import { randomFrom } from '../images/random.ts';

const PIECES = ['0', '1', '2', '9', '10', '01', '00', '007', '123456789012345678901', 'a', 'b', 'rc', 'Z', '~', '~~', '+', '.', '-', 'dfsg', 'ubuntu', 'deb12u1', '+b1', '.1', '-1'];
const PAIRS_AT_ONCE = 2000;

/** One that dpkg takes: it begins with a digit, and its revision has no hyphen at an end. */
function versionFrom(random: () => number): string {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const epoch = random() < 0.15 ? `${pick(['0', '1', '2', '10'])}:` : '';
  const parts = Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(PIECES)).join('');
  return `${epoch}${pick(['0', '1', '2', '10'])}${parts}`.replace(/-+$/, '');
}

/** Pairs of which one is often the other with a small change. */
export function pairsFrom(random: () => number, count: number): readonly (readonly [string, string])[] {
  return Array.from({ length: count }, () => {
    const left = versionFrom(random);
    const cut = Math.floor(random() * left.length) + 1;
    const near = `${left.slice(0, cut)}${PIECES[Math.floor(random() * PIECES.length)]!}${left.slice(cut)}`.replace(/-+$/, '');
    return [left, random() < 0.6 && /^(?:\d{1,8}:)?\d[^:]*$/.test(near) ? near : versionFrom(random)] as const;
  });
}

/** -1, 0 or 1 for each: two questions to dpkg, in one shell for many pairs. */
function askDpkg(pairs: readonly (readonly [string, string])[]): readonly number[] {
  const script = 'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" eq "$b"; then echo 0; else echo 1; fi; done';
  return execFileSync('sh', ['-c', script], { input: pairs.map((pair) => `${pair.join(' ')}\n`).join(''), encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] }).trim().split('\n').map(Number);
}

/** Pairs about which we and dpkg do not agree. */
export function disagreements(pairs: readonly (readonly [string, string])[]): readonly string[] {
  const theirs = askDpkg(pairs);
  if (theirs.length !== pairs.length) throw new Error(`dpkg answered ${theirs.length} of ${pairs.length}`);
  return pairs.flatMap(([left, right], index) => {
    const ours = Math.sign(COMPARE.deb(left, right)) + 0;
    return ours === theirs[index] && Math.sign(COMPARE.deb(right, left)) + 0 === -ours + 0 ? [] : [`${left} ${right}: dpkg says ${theirs[index] ?? ''}, we ${ours}`];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const count = Number(process.argv[2] ?? 100_000);
  const seed = Date.now() % 1_000_000;
  const random = randomFrom(seed);
  let wrong = 0;
  for (let done = 0; done < count; done += PAIRS_AT_ONCE) {
    const bad = disagreements(pairsFrom(random, Math.min(PAIRS_AT_ONCE, count - done)));
    for (const line of bad) console.log(line);
    wrong += bad.length;
  }
  console.log(`seed ${seed}: ${count} pairs, ${wrong} disagreements`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

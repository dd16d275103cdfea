/** Letters: which lie side by side on keyboards, which look alike, which are one bit apart. */

/** Rows of keyboards: QWERTY, QWERTZ, AZERTY (dnstwist's three). A key's neighbours are those left and right of it and those above and below. */
const KEYBOARDS: readonly (readonly string[])[] = [
  ['1234567890-', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'],
  ['1234567890', 'qwertzuiop', 'asdfghjkl', 'yxcvbnm-'],
  ['1234567890', 'azertyuiop', 'qsdfghjklm', 'wxcvbn'],
];

function neighboursOf(rows: readonly string[], into: Map<string, Set<string>>): void {
  for (const [row, keys] of rows.entries()) {
    for (const [column, key] of [...keys].entries()) {
      // Rows are shifted by half a key: above are the same column and the next one, below the one before and the same.
      const around = [keys[column - 1], keys[column + 1], rows[row - 1]?.[column], rows[row - 1]?.[column + 1], rows[row + 1]?.[column - 1], rows[row + 1]?.[column]];
      const known = into.get(key) ?? new Set();
      for (const other of around) if (other !== undefined) known.add(other);
      into.set(key, known);
    }
  }
}

export const KEY_NEIGHBOURS: ReadonlyMap<string, ReadonlySet<string>> = (() => {
  const found = new Map<string, Set<string>>();
  for (const rows of KEYBOARDS) neighboursOf(rows, found);
  return found;
})();

export function areNeighbours(left: string, right: string): boolean {
  return KEY_NEIGHBOURS.get(left)?.has(right) === true;
}

/** Groups of letters that look alike in common typefaces, each with the one that stands for it. Of dnstwist's table, those that a name may have. */
export const LOOKALIKES: readonly (readonly [shown: string, meant: string])[] = [
  ['rn', 'm'], ['nn', 'm'], ['vv', 'w'], ['cl', 'd'], ['lb', 'b'], ['lc', 'k'], ['lh', 'h'], ['0', 'o'], ['1', 'l'], ['i', 'l'], ['1', 'i'], ['5', 's'], ['6', 'b'], ['9', 'g'], ['q', 'g'], ['3', 'e'], ['8', 'b'], ['u', 'v'], ['4', 'a'], ['7', 't'], ['2', 'z'],
];
/** What a name is folded with to compare how it looks: the pairs that nobody tells apart at a glance. */
const FOLDED: ReadonlyMap<string, string> = new Map([['0', 'o'], ['1', 'l'], ['i', 'l'], ['5', 's'], ['3', 'e'], ['4', 'a']]);

/** Equal for names that look alike. */
export function skeletonOf(name: string): string {
  let folded = '';
  for (const letter of name) folded += FOLDED.get(letter) ?? letter;
  return folded.replaceAll('rn', 'm').replaceAll('vv', 'w').replaceAll('cl', 'd');
}

/** Pairs of single letters that look alike, both ways. */
export function lookAlike(left: string, right: string): boolean {
  return LOOKALIKES.some(([shown, meant]) => (shown === left && meant === right) || (shown === right && meant === left));
}

/** A bit that flipped in memory (Dinaburg, "Bitsquatting", 2011). */
export function isBitFlip(left: string, right: string): boolean {
  const difference = left.charCodeAt(0) ^ right.charCodeAt(0);
  return difference !== 0 && (difference & (difference - 1)) === 0;
}

/** Letters of other scripts that look like Latin ones (Unicode's confusables.txt, those that a host name may have). */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ...[...'аɑαâáàäåãā'].map((letter) => [letter, 'a'] as const), ...[...'ЬḃƄ'].map((letter) => [letter, 'b'] as const), ...[...'сϲçćč'].map((letter) => [letter, 'c'] as const), ...[...'ԁɗđď'].map((letter) => [letter, 'd'] as const),
  ...[...'еєéèêëēě'].map((letter) => [letter, 'e'] as const), ...[...'ɡցğġ'].map((letter) => [letter, 'g'] as const), ...[...'һհħ'].map((letter) => [letter, 'h'] as const), ...[...'іıíìîïɩι'].map((letter) => [letter, 'i'] as const),
  ...[...'јʝ'].map((letter) => [letter, 'j'] as const), ...[...'кκķ'].map((letter) => [letter, 'k'] as const), ...[...'ӏⅼłľ'].map((letter) => [letter, 'l'] as const), ...[...'мṃ'].map((letter) => [letter, 'm'] as const),
  ...[...'ոпñńň'].map((letter) => [letter, 'n'] as const), ...[...'оοօóòôöõøō'].map((letter) => [letter, 'o'] as const), ...[...'рρ'].map((letter) => [letter, 'p'] as const), ...[...'ԛգ'].map((letter) => [letter, 'q'] as const),
  ...[...'гŕř'].map((letter) => [letter, 'r'] as const), ...[...'ѕśšş'].map((letter) => [letter, 's'] as const), ...[...'тτţť'].map((letter) => [letter, 't'] as const), ...[...'υսúùûüū'].map((letter) => [letter, 'u'] as const),
  ...[...'νѵ'].map((letter) => [letter, 'v'] as const), ...[...'ѡԝŵ'].map((letter) => [letter, 'w'] as const), ...[...'хχ'].map((letter) => [letter, 'x'] as const), ...[...'уγýÿ'].map((letter) => [letter, 'y'] as const), ...[...'ʐžźż'].map((letter) => [letter, 'z'] as const),
]);

/** The Latin letters that a text looks like; undefined: it has others that look like none. */
export function latinOf(text: string): string | undefined {
  let latin = '';
  for (const letter of text.normalize('NFKC').toLowerCase()) {
    const plain = letter <= '\x7f' ? letter : FOREIGN.get(letter);
    if (plain === undefined) return undefined;
    latin += plain;
  }
  return latin;
}

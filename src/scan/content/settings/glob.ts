/** Names with wildcards, as glob(7) and OpenSSH's match_pattern() have them: `*` and `?` (and sets for glob), without recursion. */

/** In time of the product of both lengths at most. */
export function matchesGlob(text: string, pattern: string): boolean {
  let [at, piece, star, mark] = [0, 0, -1, 0];
  while (at < text.length) {
    const set = pattern[piece] === '[' ? setAt(pattern, piece, text[at]!) : undefined;
    if (set !== undefined && set.matches) {
      at++;
      piece = set.end;
    } else if (set === undefined && piece < pattern.length && pattern[piece] !== '*' && (pattern[piece] === '?' || pattern[piece] === text[at])) {
      at++;
      piece++;
    } else if (pattern[piece] === '*') {
      star = piece++;
      mark = at;
    } else if (star !== -1) {
      piece = star + 1;
      at = ++mark;
    } else return false;
  }
  while (pattern[piece] === '*') piece++;
  return piece === pattern.length;
}

/** `[a-z]` or `[!abc]`; undefined if it does not end. */
function setAt(pattern: string, start: number, letter: string): { readonly matches: boolean; readonly end: number } | undefined {
  const negated = pattern[start + 1] === '!' || pattern[start + 1] === '^';
  const from = start + (negated ? 2 : 1);
  const close = pattern.indexOf(']', from + 1);
  if (close === -1) return undefined;
  let found = false;
  for (let at = from; at < close; at++) {
    if (pattern[at + 1] === '-' && at + 2 < close) {
      found ||= letter >= pattern[at]! && letter <= pattern[at + 2]!;
      at += 2;
    } else found ||= pattern[at] === letter;
  }
  return { matches: found !== negated, end: close + 1 };
}

/** OpenSSH's lists: `a*,!ab,c`. A negated one that matches refuses. */
export function matchesList(text: string, list: string): boolean {
  let found = false;
  for (const pattern of list.split(',')) {
    if (pattern.startsWith('!')) {
      if (matchesGlob(text, pattern.slice(1))) return false;
    } else found ||= matchesGlob(text, pattern);
  }
  return found;
}

/** "Did you mean": the nearest of some words by edits (Levenshtein). */

function distance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substituted = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[right.length]!;
}

/** The nearest of the known words, if it is near enough to be a slip. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => [distance(word, candidate), candidate] as const).sort((left, right) => left[0] - right[0]);
  const best = ranked[0];
  return best !== undefined && best[0] <= Math.max(1, Math.floor(word.length / 3)) ? best[1] : undefined;
}

/** Of names of images: one of the same repository is near, whatever its tag. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const bare = (name: string): string => name.replace(/:[^:/]*$/, '');
  return nearest(word, known) ?? known.find((name) => bare(name) === bare(word));
}

/** Most letters that a word may be longer or shorter than the one that was meant. */
const most = 3;

/**
 * The word that was probably meant: the nearest one that differs in case and a few letters only (one in a short word,
 * up to three in a long one); undefined where none is near.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let limit = Math.min(most, Math.max(1, Math.floor(word.length / 3)));
  for (const candidate of known) {
    // Comparing takes the product of both lengths, and what stands in a file may have megabytes.
    if (Math.abs(word.length - candidate.length) > limit) continue;
    const changes = distance(word.toLowerCase(), candidate.toLowerCase());
    if (changes > limit) continue;
    best = candidate;
    limit = changes - 1;
  }
  return best;
}

/** As {@link nearest}; where none is near the one word that begins so, if it is one alone. */
export function nearestOrLonger(word: string, known: readonly string[]): string | undefined {
  const longer = word.length >= 2 ? known.filter((candidate) => candidate.startsWith(word)) : [];
  return nearest(word, known) ?? (longer.length === 1 ? longer[0] : undefined);
}

/** Letters to insert, delete, replace or swap with their neighbour to turn one word into the other. */
export function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = at(last, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced);
      if (from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        least = Math.min(least, at(beforeLast, j - 2) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

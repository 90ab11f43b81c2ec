/** More changed letters than these are another word. */
const MOST_CHANGES = 3;
/** The share of a name that has to stay. */
const LEAST_KEPT = 0.6;

/**
 * What somebody meant who mistyped a name, as a part of a message: ` did you mean 'darts-cnn'?`, or nothing where no name
 * is near.
 */
export function didYouMean(typed: string, names: Iterable<string>): string {
  let nearest: string | undefined;
  let fewest = MOST_CHANGES + 1;
  for (const name of names) {
    const changes = changesBetween(typed.toLowerCase(), name.toLowerCase());
    const kept = 1 - changes / Math.max(typed.length, name.length);
    if (changes >= fewest || kept < LEAST_KEPT) continue;
    fewest = changes;
    nearest = name;
  }
  return nearest === undefined ? '' : ` did you mean '${nearest}'?`;
}

/**
 * Letters to insert, delete, exchange for another or for their neighbour, to make one word of the other: the distance of
 * optimal string alignment (Damerau 1964).
 */
function changesBetween(from: string, to: string): number {
  // Rows of the table for the last letters of `from`, and the one before.
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const differs = from[i - 1] === to[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row.push(
        Math.min(
          (last[j] as number) + 1,
          (row[j - 1] as number) + 1,
          (last[j - 1] as number) + differs,
          swapped ? (before[j - 2] as number) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = row;
  }
  return last[to.length] as number;
}

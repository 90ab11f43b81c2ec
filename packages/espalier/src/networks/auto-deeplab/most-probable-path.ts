/**
 * Finds the path through the trellis with the greatest product of transition probabilities, by the Viterbi algorithm
 * (section 4.3).
 *
 * @param transitions for each step from one layer to the next, a matrix [from][to] of the probabilities (beta in section
 *   4.1.2) of moving from level `from` to level `to`. Entries for moves by more than one level are ignored.
 * @param start the level of the first layer
 * @returns the levels of `transitions.length` + 1 layers, including the first. Among equally probable paths, the one with
 *   the lower levels, compared from the last layer backwards
 */
export function mostProbablePath(
  transitions: readonly (readonly (readonly number[])[])[],
  start: number,
): number[] {
  // Sum logarithms, because the product over many layers would underflow.
  let best = new Map([[start, 0]]);
  const origins: Map<number, number>[] = [];
  for (const step of transitions) {
    const next = new Map<number, number>();
    const origin = new Map<number, number>();
    for (let to = 0; to < step.length; to++) {
      for (let from = to - 1; from <= to + 1; from++) {
        const before = best.get(from);
        if (before === undefined) continue;
        const score = before + Math.log(step[from]?.[to] ?? 0);
        const known = next.get(to);
        if (known === undefined || score > known) {
          next.set(to, score);
          origin.set(to, from);
        }
      }
    }
    origins.push(origin);
    best = next;
  }
  const scores = [...best];
  let [level] = scores.reduce((greatest, end) => (end[1] > greatest[1] ? end : greatest));
  const path = [level];
  for (const origin of origins.reverse()) {
    level = origin.get(level) as number;
    path.unshift(level);
  }
  return path;
}

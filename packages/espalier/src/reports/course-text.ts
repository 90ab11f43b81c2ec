/** From the lowest to the highest. */
const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** The most bars of a line; of more values, a bar stands for the mean of several. */
const MOST_BARS = 40;

/**
 * How values went, as one line for the terminal: `training loss 2.3021 █▆▅▃▂▁ 0.4120`. The bars are left out where there is one value, and the line where there is none.
 *
 * @param text how a value is written
 */
export function courseText(
  name: string,
  values: readonly number[],
  text: (value: number) => string,
): string[] {
  const [first] = values;
  const last = values.at(-1);
  if (first === undefined || last === undefined) return [];
  if (values.length === 1) return [`${name} ${text(first)}`];
  const count = Math.min(MOST_BARS, values.length);
  const means = Array.from({ length: count }, (_, bar) => {
    const own = values.slice(
      Math.floor((bar * values.length) / count),
      Math.floor(((bar + 1) * values.length) / count),
    );
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  });
  const [least, most] = [Math.min(...means), Math.max(...means)];
  const bars = means.map((value) => {
    const share = most > least ? (value - least) / (most - least) : 0;
    return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))];
  });
  return [`${name} ${text(first)} ${bars.join('')} ${text(last)}`];
}

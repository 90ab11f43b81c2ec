import type { Prediction } from './prediction.js';

/** Classes of each input that people are shown. */
const SHOWN = 5;

/** The most probable classes of one of the inputs, a line each. */
export function rankedLines(
  { probabilities }: Prediction,
  index: number,
  nameOf: (label: number) => string,
): string[] {
  return (probabilities[index] as readonly number[])
    .map((probability, label) => ({ probability, label }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, SHOWN)
    .map(({ probability, label }) => `${(100 * probability).toFixed(2).padStart(8)} %  ${nameOf(label)}`);
}

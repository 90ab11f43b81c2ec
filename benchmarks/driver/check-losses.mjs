import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/** @typedef {import('./load-benchmark.mjs').Layout} Layout */
/** @typedef {'crashed' | 'not a number' | 'disagrees'} Fault why a layout of PyTorch has no time */

/**
 * How far apart the losses may be, relative to them. Sums in another order differ in the last bits of float32 (6e-8), and
 * batch norm over many layers enlarges that: 7e-5 was seen. A momentum of 0.8 instead of 0.9 makes 2e-4 in the third step
 * of the search of DARTS.
 */
const tolerance = 1e-4;

/**
 * The layouts of PyTorch that compute what we do. A layout that does not is PyTorch's fault where another one agrees with
 * ours; where none does, nobody knows whose fault it is.
 * @param {string} name of the benchmark
 * @param {readonly (readonly number[])[]} ours the losses of each step
 * @param {ReadonlyMap<Layout, readonly (readonly (number | null)[])[] | 'crashed'>} theirs by layout; null for what is no
 * finite number
 * @returns {{ agreeing: Layout[], faults: Partial<Record<Layout, Fault>>, largestDifference: number }} the difference is
 * relative, over the layouts that agree
 * @throws {SetupProblem} where none agrees
 */
export function checkLosses(name, ours, theirs) {
  /** @type {Partial<Record<Layout, Fault>>} */
  const faults = {};
  const agreeing = [];
  const problems = [];
  let largestDifference = 0;
  for (const [layout, losses] of theirs) {
    const difference = losses === 'crashed' ? Number.NaN : relativeDifference(ours.flat(), losses.flat());
    if (difference <= tolerance) {
      agreeing.push(layout);
      largestDifference = Math.max(largestDifference, difference);
      continue;
    }
    if (losses === 'crashed') faults[layout] = 'crashed';
    else faults[layout] = losses.flat().includes(null) ? 'not a number' : 'disagrees';
    problems.push(`${layout}: ${losses === 'crashed' ? losses : list(losses)}`);
  }
  if (agreeing.length === 0)
    throw new SetupProblem(
      `${name}: the losses of the first steps from equal weights are ${list(ours)} here. PyTorch agrees in none of the ` +
        `layouts asked for (they may differ by ${tolerance} of their value): ${problems.join('; ')}.`,
    );
  return { agreeing, faults, largestDifference };
}

/**
 * @param {readonly number[]} ours
 * @param {readonly (number | null)[]} theirs
 * @returns the largest; NaN where there is none
 */
function relativeDifference(ours, theirs) {
  if (ours.length !== theirs.length) return Number.NaN;
  return Math.max(
    ...ours.map((loss, place) => {
      const other = theirs[place];
      return other === null ? Number.NaN : Math.abs(loss - other) / Math.abs(other);
    }),
  );
}

/** @param {readonly (readonly (number | null)[])[]} steps */
function list(steps) {
  return steps.map((losses) => losses.join(' and ')).join(', ');
}

import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/** @typedef {import('./load-benchmark.mjs').Layout} Layout */
/** @typedef {'crashed' | 'not a number' | 'disagrees'} Fault why a PyTorch layout has no time */

/**
 * The largest accepted relative difference between losses. A different order of summation changes the last bits of float32
 * (6e-8), and batch norm over many layers amplifies this, in our runs to 7e-5. For comparison, a momentum of 0.8 instead of
 * 0.9 changes the loss by 2e-4 in the third step of a DARTS search.
 */
const tolerance = 1e-4;

/** On a GPU, whose libraries choose another algorithm for each layout. */
const toleranceOnGpu = 1e-3;

/**
 * Finds the PyTorch layouts whose losses agree with Espalier's. If at least one layout agrees, the others are treated as
 * faults of PyTorch. If none does, it is unclear which side is wrong.
 * @param {string} name the name of the benchmark
 * @param {readonly (readonly number[])[]} ours the losses of each step
 * @param {ReadonlyMap<Layout, readonly (readonly (number | null)[])[] | 'crashed'>} theirs the losses of each step by
 * layout; null for a loss that is not finite
 * @param {string} [device]
 * @returns {{ agreeing: Layout[], faults: Partial<Record<Layout, Fault>>, largestDifference: number }} the largest relative
 * difference is taken over the layouts that agree
 * @throws {SetupProblem} if no layout agrees
 */
export function checkLosses(name, ours, theirs, device = 'cpu') {
  const accepted = device === 'cpu' ? tolerance : toleranceOnGpu;
  /** @type {Partial<Record<Layout, Fault>>} */
  const faults = {};
  const agreeing = [];
  const problems = [];
  let largestDifference = 0;
  for (const [layout, losses] of theirs) {
    const difference = losses === 'crashed' ? Number.NaN : relativeDifference(ours.flat(), losses.flat());
    if (difference <= accepted) {
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
      `${name}: PyTorch's losses in the first steps agree with Espalier's in none of the requested layouts (relative ` +
        `tolerance ${accepted}). Espalier: ${list(ours)}; ${problems.join('; ')}.`,
    );
  return { agreeing, faults, largestDifference };
}

/**
 * @param {readonly number[]} ours
 * @param {readonly (number | null)[]} theirs
 * @returns the largest relative difference; NaN if the losses cannot be compared
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

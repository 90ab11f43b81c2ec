import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/**
 * How far apart the losses may be, relative to them. Sums in another order differ in the last bits of float32 (6e-8), and
 * batch norm over many layers enlarges that: 3e-5 was seen. A momentum of 0.8 instead of 0.9 makes 2e-4 in the third step
 * of the search of DARTS.
 */
const tolerance = 1e-4;

/**
 * @param {string} what
 * @param {readonly (readonly number[])[]} ours the losses of each step
 * @param {readonly (readonly number[])[]} theirs
 * @returns {number} the largest relative difference
 * @throws {SetupProblem} where they do not agree
 */
export function checkLosses(what, ours, theirs) {
  const [all, others] = [ours.flat(), theirs.flat()];
  const differences = all.map((loss, place) => Math.abs(loss - others[place]) / Math.abs(others[place]));
  if (all.length !== others.length || !differences.every((difference) => difference <= tolerance))
    throw new SetupProblem(
      `${what}: the losses of the first steps from equal weights are ${list(ours)} here and ${list(theirs)} there. ` +
        `They may differ by ${tolerance} of their value.`,
    );
  return Math.max(...differences);
}

/** @param {readonly (readonly number[])[]} steps */
function list(steps) {
  return steps.map((losses) => losses.join(' and ')).join(', ');
}

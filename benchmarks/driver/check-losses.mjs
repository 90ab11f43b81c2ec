import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/**
 * How far apart the losses may be, relative to them: some hundred roundings of float32, which sums in another order and
 * twenty layers of batch norm enlarge. PyTorch's two layouts are as far apart from each other.
 */
const tolerance = 5e-5;

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

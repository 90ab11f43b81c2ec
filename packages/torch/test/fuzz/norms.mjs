// Batch norms of a case, and batch norm by libtorch.
import { batchNorm, cat } from '../../dist/index.js';
import { chance, oneOf } from './draws.mjs';
import { input, state } from './tensors.mjs';

/** Describes `count` batch norms that can share a kernel call. */
export function drawNorms(
  g,
  count,
  channels,
  { dtype, isLearned = chance(g, 50), isTracked = chance(g, 70), training = chance(g, 80) },
) {
  const epsilon = oneOf(g, 1e-5, 1e-3);
  return Array.from({ length: count }, () => ({
    training,
    epsilon,
    momentum: 0.25,
    ...(isLearned ? { weight: input(g, [channels], { dtype }), bias: input(g, [channels], { dtype }) } : {}),
    ...(isTracked
      ? {
          running_mean: state(g, [channels], { dtype }),
          running_var: state(g, [channels], { dtype, values: 'positive' }),
          num_batches_tracked: state(g, [], { dtype: 'int64', values: 'zeros' }),
        }
      : {}),
  }));
}

export const statesOf = (norms) =>
  norms.flatMap((norm) => [norm.running_mean, norm.running_var, norm.num_batches_tracked].filter(Boolean));

/** The batch norm of values that all norms share, or of each norm's own channels in turn. */
export function normalised(values, norm) {
  const { weight, bias, running_mean, running_var, num_batches_tracked, training, momentum, epsilon } = norm;
  const useBatch = training || running_mean === undefined;
  if (training) num_batches_tracked?.add_(1);
  return batchNorm(values, weight, bias, running_mean, running_var, useBatch, momentum, epsilon, false);
}

export function normalisedInTurn(values, norms) {
  const own = values.shape[1] / norms.length;
  return cat(
    norms.map((norm, place) => normalised(values.narrow(1, place * own, own).contiguous(), norm)),
    1,
  );
}

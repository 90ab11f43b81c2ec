import { cat, fused, ones, type Tensor } from '@espalier/torch';
import { type Path, valuesOf } from './edge-value.js';
import type { Execution } from './execution.js';
import { plainExecution } from './plain-execution.js';
import { runTogether } from './run-together.js';

/**
 * With the kernels for a CPU: what operations on one state have in common is computed once, and batch norm is left to the
 * sum of the node. It has first derivatives only.
 */
export const kernelExecution: Execution = {
  apply: (operations, state) =>
    runTogether(
      operations.map((operation) => [operation]),
      state,
    ),

  sum(paths) {
    const values = paths.map(({ value }) => value);
    const isMasked = paths.some(({ mask }) => mask !== undefined);
    const isNormalised = values.some((value) => value instanceof fused.Normalised);
    if (!isMasked && !isNormalised) return plainExecution.sum(paths);
    const { dtype, shape } = valuesOf((paths[0] as Path).value);
    const [images, channels] = shape as [number, number];
    const columns = () => paths.map(({ mask }) => mask?.reshape([images, 1]) ?? ones([images, 1], { dtype }));
    const shares = isMasked ? cat(columns(), 1) : undefined;
    return fused.mixture(values, ones([1, values.length], { dtype }), channels, shares)[0] as Tensor;
  },

  mixtures(edges, state, weights, starts) {
    const names = edges[0]?.names ?? [];
    if (edges.some((edge) => edge.names !== names && edge.names.join() !== names.join()))
      return plainExecution.mixtures(edges, state, weights, starts);
    // 'none' comes first if there is one. It adds nothing, whatever its weight is.
    const from = names[0] === 'none' ? 1 : 0;
    if (names.length === from) return plainExecution.mixtures(edges, state, weights, starts);
    const values = runTogether(
      names.slice(from).map((name) => edges.map((edge) => edge.operation(name))),
      state,
    );
    const channels = state.shape[1] as number;
    return fused.mixture(values, weights.narrow(1, from, values.length), channels, undefined, starts);
  },
};

import { tensorOf } from './edge-value.js';
import type { Execution } from './execution.js';

/** Each operation by its own layers, on any device and with derivatives of any order. */
export const plainExecution: Execution = {
  apply: (operations, state) => operations.map((operation) => operation.forward(state)),
  sum: (paths) => paths.map(tensorOf).reduce((sum, value) => sum.add(value)),
  mixtures: (edges, state, weights, starts) =>
    edges.map((edge, place) => {
      const value = edge.mixture(state, weights.select(0, place).unbind(0));
      return starts[place]?.add(value) ?? value;
    }),
};

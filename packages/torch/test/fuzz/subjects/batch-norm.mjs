import { fused, Tensor } from '../../../dist/index.js';
import { chance, dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { drawNorms, normalised, normalisedInTurn, statesOf } from '../norms.mjs';
import { input } from '../tensors.mjs';

const images = (g, channels) => [integer(g, 2, 4), channels, integer(g, 1, 7), integer(g, 1, 7)];

/**
 * In evaluation libtorch runs the layer, and its backward pass reads strided parameters and statistics as if they were contiguous.
 */
const inOrder = (norm) =>
  norm.training
    ? norm
    : Object.fromEntries(
        Object.entries(norm).map(([name, value]) => [
          name,
          value instanceof Tensor ? value.contiguous() : value,
        ]),
      );

export const batchNormRelu = {
  draw(g) {
    const dtype = drawDtype(g);
    const channels = integer(g, 1, oneOf(g, 5, 70));
    const [norm] = drawNorms(g, 1, channels, { dtype });
    return { values: input(g, images(g, channels), { dtype }), norm };
  },
  ours: ({ values, norm }) => [
    fused.batchNormRelu(values, { ...norm, forward: (given) => normalised(given, inOrder(norm)) }),
  ],
  states: ({ norm }) => statesOf([norm]),
};

export const normalise = {
  draw(g) {
    const dtype = drawDtype(g);
    const channels = integer(g, 1, oneOf(g, 5, 40));
    const count = chance(g, 60) ? 1 : integer(g, 1, 3);
    return {
      values: input(g, images(g, channels * count), { dtype }),
      norms: drawNorms(g, count, channels, { dtype }),
    };
  },
  ours: ({ values, norms }) => [fused.normalise(values, norms).toTensor()],
  theirs: ({ values, norms }) => [normalisedInTurn(values, norms)],
  states: ({ norms }) => statesOf(norms),
};

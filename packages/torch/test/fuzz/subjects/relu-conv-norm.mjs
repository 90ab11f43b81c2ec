import { cat, conv2d, fused } from '../../../dist/index.js';
import { chance, dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { drawNorms, normalised, statesOf } from '../norms.mjs';
import { input } from '../tensors.mjs';

const perChannel = (vector) => vector.reshape([1, -1, 1, 1]);

/** Filters whose outputs have one size, by the amount by which padding exceeds half their extent. */
function drawFilters(g, growth) {
  const kernel = oneOf(g, 1, 3, 5, 7);
  const dilation = integer(g, 1, 2);
  const padding = (dilation * (kernel - 1)) / 2 + growth;
  return padding >= 0 && padding <= dilation * (kernel - 1)
    ? { kernel, dilation, padding }
    : { kernel: 3, dilation: 1, padding: 1 + growth };
}

export const reluConvNorms = {
  draw(g) {
    const dtype = drawDtype(g);
    const [channels, out] = [0, 1].map(() => integer(g, 1, oneOf(g, 4, 9, 40)));
    const hasFilters = chance(g, 80);
    const stride = hasFilters ? integer(g, 1, 2) : 1;
    const growth = hasFilters ? oneOf(g, 0, 0, 1, -1) : 0;
    const isShared = chance(g, 50);
    const counts = Array.from({ length: integer(g, 1, 3) }, () => integer(g, 1, 2));
    const norms = drawNorms(
      g,
      counts.reduce((sum, count) => sum + count),
      out,
      { dtype },
    );
    const kinds = counts.map((count) => {
      const { kernel, dilation, padding } = hasFilters ? drawFilters(g, growth) : {};
      return norms.splice(0, count).map((norm) => ({
        pointwise: input(g, [out, channels, 1, 1], { dtype, values: 'dyadic' }),
        norm,
        ...(hasFilters
          ? {
              depthwise: {
                weight: input(g, [channels, 1, kernel, kernel], { dtype, values: 'dyadic' }),
                stride: [stride, stride],
                padding: [padding, padding],
                dilation: [dilation, dilation],
              },
            }
          : {}),
      }));
    });
    const [images, height, width] = [integer(g, 2, 3), integer(g, 3, 9), integer(g, 3, 9)];
    const inputs = (isShared ? [1] : counts).map((count) => {
      const own = channels * count;
      const vector = () => input(g, [own], { dtype, values: 'dyadic' });
      const values = input(g, [images, own, height, width], { dtype, values: 'dyadic' });
      return chance(g, 50) ? { values, scale: vector(), shift: vector() } : { values };
    });
    return { inputs, kinds };
  },
  ours: ({ inputs, kinds }) =>
    fused
      .reluConvNorms(
        inputs.map(({ values, scale, shift }) =>
          scale === undefined ? values : new fused.Normalised(values, scale, shift),
        ),
        kinds,
      )
      .map((each) => each.toTensor()),
  theirs: ({ inputs, kinds }) =>
    kinds.map((units, kind) => {
      const { values, scale, shift } = inputs.length === 1 ? inputs[0] : inputs[kind];
      const rectified = (
        scale === undefined ? values : values.mul(perChannel(scale)).add(perChannel(shift))
      ).relu();
      const outputs = units.map(({ depthwise, pointwise, norm }, place) => {
        const channels = pointwise.shape[1];
        const isShared = inputs.length === 1 && rectified.shape[1] === channels;
        const own = (isShared ? rectified : rectified.narrow(1, place * channels, channels)).contiguous();
        const { weight, stride, padding, dilation } = depthwise ?? {};
        const filtered =
          depthwise === undefined ? own : conv2d(own, weight, undefined, stride, padding, dilation, channels);
        return normalised(conv2d(filtered, pointwise), norm);
      });
      return cat(outputs, 1);
    }),
  states: ({ kinds }) => statesOf(kinds.flat().map(({ norm }) => norm)),
};

import { cat, fused } from '../../../dist/index.js';
import { chance, dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { drawNorms, normalised, statesOf } from '../norms.mjs';
import { input } from '../tensors.mjs';

const pooled = (image, isMax, stride) =>
  isMax ? image.maxPool2d(3, stride, 1) : image.avgPool2d(3, stride, 1, false, false);

const images = (g, least) => [
  integer(g, least, 3),
  integer(g, 1, oneOf(g, 5, 40)),
  integer(g, 1, 8),
  integer(g, 1, 8),
];

export const pool = {
  draw(g) {
    const isMax = chance(g, 50);
    const values = oneOf(g, 'normal', 'ties', ...(isMax ? ['minus infinity'] : []));
    const image = input(g, images(g, 0), { dtype: drawDtype(g), values });
    return { image, isMax, stride: integer(g, 1, 4) };
  },
  ours: ({ image, isMax, stride }) => [fused.pool(image, isMax ? 'max' : 'avg', stride)],
  theirs: ({ image, isMax, stride }) => [pooled(image, isMax, stride)],
};

export const poolNorms = {
  draw(g) {
    const dtype = drawDtype(g);
    const shape = images(g, 2);
    const counts = Array.from({ length: integer(g, 1, 3) }, () => integer(g, 1, 2));
    const all = counts.reduce((sum, count) => sum + count);
    const norms = drawNorms(g, all, shape[1], { dtype, isLearned: false });
    const pools = counts.map((count) => ({ isMax: chance(g, 50), norms: norms.splice(0, count) }));
    const image = input(g, shape, { dtype, values: oneOf(g, 'normal', 'ties') });
    return { image, pools, stride: integer(g, 1, 2) };
  },
  ours({ image, pools, stride }) {
    const all = pools.map(({ isMax, norms }) => ({ kind: isMax ? 'max' : 'avg', stride, norms }));
    return fused.poolNorms(image, all).map((each) => each.toTensor());
  },
  theirs: ({ image, pools, stride }) =>
    pools.map(({ isMax, norms }) => {
      const outputs = norms.map((norm) => normalised(pooled(image, isMax, stride), norm));
      // In training, norms that share a pooling share its result.
      return norms[0].training || norms[0].running_mean === undefined ? outputs[0] : cat(outputs, 1);
    }),
  states: ({ pools }) => statesOf(pools.flatMap(({ norms }) => norms)),
};

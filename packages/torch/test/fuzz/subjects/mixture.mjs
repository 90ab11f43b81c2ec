import { fused } from '../../../dist/index.js';
import { chance, dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { input } from '../tensors.mjs';

const perChannel = (vector) => vector.reshape([1, -1, 1, 1]);

export const mixture = {
  draw(g) {
    const dtype = drawDtype(g);
    const edges = integer(g, 1, 3);
    const channels = integer(g, 1, oneOf(g, 5, 70));
    const [images, height, width] = [integer(g, 0, 3), integer(g, 1, 5), integer(g, 1, 5)];
    const terms = Array.from({ length: integer(g, 1, 4) }, () => {
      const own = chance(g, 50) ? channels : channels * edges;
      const values = input(g, [images, own, height, width], { dtype });
      const isNormalised = chance(g, 50);
      return isNormalised
        ? { values, scale: input(g, [own], { dtype }), shift: input(g, [own], { dtype }) }
        : { values };
    });
    const starts = Array.from({ length: chance(g, 40) ? edges : 0 }, () =>
      chance(g, 50) ? input(g, [images, channels, height, width], { dtype }) : null,
    );
    const shares = chance(g, 30)
      ? { shares: input(g, [images, terms.length], { dtype, learned: false }) }
      : {};
    return { terms, weights: input(g, [edges, terms.length], { dtype }), channels, starts, ...shares };
  },
  ours: ({ terms, weights, channels, shares, starts }) =>
    fused.mixture(
      terms.map(({ values, scale, shift }) =>
        scale === undefined ? values : new fused.Normalised(values, scale, shift),
      ),
      weights,
      channels,
      shares,
      starts.map((start) => start ?? undefined),
    ),
  theirs: ({ terms, weights, channels, shares, starts }) =>
    weights.unbind(0).map((row, edge) => {
      const sum = terms
        .map(({ values, scale, shift }, t) => {
          const term = scale === undefined ? values : values.mul(perChannel(scale)).add(perChannel(shift));
          const own = term.shape[1] === channels ? term : term.narrow(1, edge * channels, channels);
          const weighted = own.mul(row.select(0, t));
          return shares === undefined ? weighted : weighted.mul(shares.select(1, t).reshape([-1, 1, 1, 1]));
        })
        .reduce((total, term) => total.add(term));
      return starts[edge] ? sum.add(starts[edge]) : sum;
    }),
};

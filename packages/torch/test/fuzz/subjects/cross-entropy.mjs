import { fused } from '../../../dist/index.js';
import { dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { input } from '../tensors.mjs';

export const crossEntropy = {
  draw(g) {
    const dtype = drawDtype(g);
    const tokens = integer(g, 1, oneOf(g, 5, 40, 300));
    const rows = oneOf(g, [integer(g, 1, 30)], [], [integer(g, 1, 4), integer(g, 1, 5)]);
    return {
      logits: input(g, [...rows, tokens], { dtype }),
      targets: input(g, rows, { dtype: 'int64', values: `below ${tokens}` }),
    };
  },
  ours: ({ logits, targets }) => [fused.crossEntropy(logits, targets)],
};

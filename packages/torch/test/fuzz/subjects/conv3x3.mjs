import { cat, conv2d, fused } from '../../../dist/index.js';
import { chance, dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { input } from '../tensors.mjs';

export const conv3x3 = {
  draw(g) {
    const dtype = drawDtype(g);
    const channels = integer(g, 1, oneOf(g, 5, 40));
    const image = input(g, [integer(g, 1, 3), channels, integer(g, 1, 10), integer(g, 1, 10)], { dtype });
    const weights = Array.from({ length: integer(g, 1, 3) }, () =>
      input(g, [integer(g, 1, oneOf(g, 3, 60)), channels, 3, 3], { dtype }),
    );
    return { image, weights, rectifies: chance(g, 50) };
  },
  ours: ({ image, weights, rectifies }) => [fused.conv3x3(image, weights, { rectifies })],
  theirs: ({ image, weights, rectifies }) => [
    conv2d(rectifies ? image.relu() : image, cat(weights), undefined, [1, 1], [1, 1]),
  ],
};

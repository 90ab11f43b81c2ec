import { cat, fused } from '../../../dist/index.js';
import { dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { input } from '../tensors.mjs';

const everySecond = (image) => image.slice(2, 0, undefined, 2).slice(3, 0, undefined, 2);

export const halves = {
  draw(g) {
    const shape = [integer(g, 0, 3), integer(g, 1, oneOf(g, 4, 20)), integer(g, 1, 7), integer(g, 1, 7)];
    return { image: input(g, shape, { dtype: drawDtype(g) }) };
  },
  ours: ({ image }) => [fused.halves(image)],
  theirs({ image }) {
    const [, , height, width] = image.shape;
    const shifted = image
      .slice(2, 1)
      .slice(3, 1)
      .constantPadNd([0, 1 + (width % 2), 0, 1 + (height % 2)]);
    const seen = shifted.narrow(2, 0, height + (height % 2)).narrow(3, 0, width + (width % 2));
    return [cat([everySecond(image), everySecond(seen)], 1)];
  },
};

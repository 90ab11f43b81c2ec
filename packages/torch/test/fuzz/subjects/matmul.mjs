import { fused } from '../../../dist/index.js';
import { chance, dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { input } from '../tensors.mjs';

const size = (g) => (chance(g, 15) ? oneOf(g, 0, 1) : integer(g, 1, oneOf(g, 9, 70, 400)));

export const matmul = {
  draw(g) {
    const dtype = drawDtype(g);
    const [k, n] = [size(g), size(g)];
    const rows = oneOf(g, [size(g)], [], [integer(g, 0, 3), integer(g, 0, 40)]);
    return { left: input(g, [...rows, k], { dtype }), right: input(g, [k, n], { dtype }) };
  },
  ours: ({ left, right }) => [fused.matmul(left, right)],
};

export const linear = {
  draw(g) {
    const dtype = drawDtype(g);
    const [k, n] = [size(g), size(g)];
    const bias = chance(g, 50) ? { bias: input(g, [n], { dtype }) } : {};
    return { left: input(g, [size(g), k], { dtype }), weight: input(g, [n, k], { dtype }), ...bias };
  },
  ours: ({ left, weight, bias }) => [fused.linear(left, weight, bias)],
};

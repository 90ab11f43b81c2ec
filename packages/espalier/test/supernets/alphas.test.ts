import { noGrad, scope, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { Alphas } from '../../src/supernets/alphas.js';

describe('the weights of groups of edges', () => {
  const groups = [[0, 2], [1]];
  const rows = [
    [0, 1, 0],
    [0.5, 0, 0.5],
    [0, 0, 0],
  ];
  const made = () => {
    const alphas = new Alphas(3, 3);
    // Weights that stand still, and those that a gradient goes through.
    alphas.relaxation = (values) => tensor(rows, 'float32').add(values.mul(0));
    return alphas;
  };
  const read = (alphas: Alphas) =>
    alphas.weightsOf(groups).map(({ values, used }) => ({ values: values.toNumbers(), used }));

  it('name the operations with a weight where no gradient is wanted', () => {
    const alphas = made();
    scope(() =>
      noGrad(() =>
        expect(read(alphas)).toEqual([
          { values: [0, 1, 0, 0, 0, 0], used: [[1], []] },
          { values: [0.5, 0, 0.5], used: [[0, 2]] },
        ]),
      ),
    );
    alphas.free();
  });

  it('name none where the gradient of a weight of zero is wanted, or all operations have a weight', () => {
    const alphas = made();
    scope(() => expect(read(alphas).map(({ used }) => used)).toEqual([undefined, undefined]));
    alphas.relaxation = (values) => values.softmax(-1);
    scope(() => noGrad(() => expect(read(alphas).map(({ used }) => used)).toEqual([undefined, undefined])));
    alphas.free();
  });
});

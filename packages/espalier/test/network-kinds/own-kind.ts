import { nn, type Tensor } from '@espalier/torch';
import { z } from 'zod';
import { type TensorKind, tensorKind } from '../../src/network-kinds/tensors.js';
import { choose } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';

interface Rows {
  readonly features: number;
}

export const rowsOf = (more: Partial<TensorKind<Rows>> = {}) =>
  tensorKind<Rows>({
    reads: 'rows',
    form: 'an nn.Layer from [N, features] to [N, 2]',
    names: { input: 'row', inputs: 'rows', output: 'prediction' },
    shape: ({ features }) => [features],
    usualInput: () => ({ features: 3 }),
    inputOptions: z.strictObject({ features: z.int().min(1).optional().describe('columns of a row') }),
    ...more,
  });

/** A kind as a user defines one: rows of numbers to two numbers. */
export const rows = rowsOf();

/** A linear layer, tanh, dropout and a linear layer, as wide as the architecture says. */
class Perceptron extends nn.Layer {
  readonly hidden: nn.Linear;
  readonly dropout = new nn.Dropout(0.5);
  readonly output: nn.Linear;

  constructor(features: number, width: number) {
    super();
    this.hidden = new nn.Linear(features, width);
    this.output = new nn.Linear(width, 2);
  }

  forward(input: Tensor): Tensor {
    return this.output.forward(this.dropout.forward(this.hidden.forward(input).tanh()));
  }
}

/** The space of the kind. */
export const perceptrons = Space.configure(
  defineSpace({
    name: 'perceptrons',
    reads: 'rows',
    *choices() {
      return { width: yield* choose('width', [4, 6]) };
    },
    network: ({ width }, { features }: Rows) => new Perceptron(features, width),
  }),
);

import { backward, fromTypedArray, manualSeed, nn, noGrad, optim, scope, type Tensor } from '@espalier/torch';
import type { Random } from '../random/random.js';

/** An ensemble of small fully connected networks. */
export interface EnsembleOptions {
  /** M, networks of the ensemble. They differ in their initial weights and in the order of the examples. */
  readonly members: number;
  /** Hidden layers of each. */
  readonly layers: number;
  /** Units of each hidden layer. */
  readonly width: number;
  readonly learningRate: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Most steps of a training: more examples have fewer epochs, at least one. */
  readonly steps: number;
}

/** Examples: their features, `values.length x features` numbers row by row, and what is to be predicted. */
export interface Examples {
  readonly features: number;
  readonly encoded: Float32Array;
  readonly values: readonly number[];
}

/** Mean and standard deviation of the members' predictions for one input. */
export interface Forecast {
  readonly mean: number;
  readonly deviation: number;
}

/**
 * An ensemble that has learned from examples. All members are computed together, as batched products of matrices. It keeps
 * its weights until it is freed.
 */
export class Ensemble {
  private constructor(
    private readonly members: Members,
    private readonly features: number,
    private readonly options: EnsembleOptions,
    /** Of the values; they are standardised for the training. */
    private readonly mean: number,
    private readonly spread: number,
  ) {}

  /**
   * Trains an ensemble by Adam on the mean absolute error.
   *
   * @param seed of the initial weights
   * @param random draws the order of the examples
   */
  static train(
    { features, encoded, values }: Examples,
    options: EnsembleOptions,
    seed: number,
    random: Random,
  ): Ensemble {
    const count = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count) || 1;
    manualSeed(seed);
    const members = new Members(features, options);
    try {
      scope(() => {
        const x = fromTypedArray(encoded, [count, features]);
        const y = fromTypedArray(
          Float32Array.from(values, (value) => (value - mean) / spread),
          [count, 1],
        );
        members.learn(x, y, random);
      });
    } catch (error) {
      members.free();
      throw error;
    }
    return new Ensemble(members, features, options, mean, spread);
  }

  /**
   * @param inputs features of what is to be predicted, row by row
   * @returns a forecast for each input
   */
  forecast(inputs: Float32Array): Forecast[] {
    const { features, mean, spread } = this;
    return scope(() => {
      const rows = inputs.length / features;
      const each = fromTypedArray(inputs, [rows, features]).expand([this.options.members, rows, features]);
      const predicted = noGrad(() => this.members.forward(each)).toTypedArray() as Float32Array;
      return Array.from({ length: rows }, (_, row) => {
        const { mean: middle, deviation } = momentsOf(predicted, row, rows);
        return { mean: middle * spread + mean, deviation: deviation * spread };
      });
    });
  }

  free(): void {
    this.members.free();
  }
}

/** Mean and population standard deviation of a column of predictions, members x rows. */
function momentsOf(predicted: Float32Array, row: number, rows: number): Forecast {
  const members = predicted.length / rows;
  const own = Array.from({ length: members }, (_, member) => predicted[member * rows + row] as number);
  const mean = own.reduce((sum, value) => sum + value, 0) / members;
  return { mean, deviation: Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / members) };
}

/** The networks of an ensemble: weights are members x inputs x outputs. */
class Members {
  readonly weights: readonly nn.Parameter[];
  readonly biases: readonly nn.Parameter[];

  constructor(
    features: number,
    private readonly options: EnsembleOptions,
  ) {
    const { members, layers, width } = options;
    const sizes = [features, ...Array.from({ length: layers }, () => width), 1];
    const shapes = sizes
      .slice(1)
      .map((outputs, layer) => [members, sizes[layer] as number, outputs] as const);
    // He et al. 2015 for ReLU, so that a deep and narrow network begins with a signal.
    this.weights = shapes.map(
      (shape) => new nn.Parameter(nn.uniform(shape, Math.sqrt(6 / Math.max(shape[1], 1)))),
    );
    this.biases = shapes.map(([, , outputs]) => new nn.Parameter(nn.uniform([members, 1, outputs], 0)));
  }

  /** @param input members x rows x features @returns members x rows x 1 */
  forward(input: Tensor): Tensor {
    const last = this.weights.length - 1;
    return this.weights.reduce((state, weight, layer) => {
      const next = (this.biases[layer] as Tensor).baddbmm(state, weight);
      return layer < last ? next.relu() : next;
    }, input);
  }

  /** @param x examples x features @param y examples x 1 */
  learn(x: Tensor, y: Tensor, random: Random): void {
    const { members, batchSize, learningRate, steps } = this.options;
    const [count, features] = x.shape as [number, number];
    const most = Math.max(1, Math.floor(steps / Math.ceil(count / batchSize)));
    const epochs = Math.min(this.options.epochs, most);
    const optimizer = new optim.Adam([...this.weights, ...this.biases], { learningRate });
    try {
      for (let epoch = 0; epoch < epochs; epoch++) {
        const orders = Array.from({ length: members }, () => random.permutation(count));
        for (let begin = 0; begin < count; begin += batchSize) {
          const size = Math.min(batchSize, count - begin);
          const places = orders.flatMap((order) => [...order.subarray(begin, begin + size)]);
          scope(() => {
            const taken = fromTypedArray(BigInt64Array.from(places, BigInt), [members * size]);
            const inputs = x.indexSelect(0, taken).reshape([members, size, features]);
            const wanted = y.indexSelect(0, taken).reshape([members, size, 1]);
            optimizer.zeroGrad();
            // Each member has the gradient of its own mean error.
            backward(this.forward(inputs).sub(wanted).abs().mean().mul(members));
            optimizer.step();
          });
        }
      }
    } finally {
      optimizer.free();
    }
  }

  free(): void {
    for (const parameter of [...this.weights, ...this.biases]) parameter.free();
  }
}

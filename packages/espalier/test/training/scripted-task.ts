import { nn, noGrad, type Tensor, tensor } from '@espalier/torch';
import { Means, type Sums } from '../../src/measures/accumulator.js';
import type { Objectives } from '../../src/measures/measure.js';
import type { Batch, Part, Task } from '../../src/tasks/task.js';

/** A network that is one vector of weights; at the start all are 0. */
export class Weights extends nn.Module {
  readonly weight: nn.Parameter;

  constructor(size: number) {
    super();
    this.weight = new nn.Parameter(noGrad(() => tensor(new Array<number>(size).fill(0))));
  }
}

/**
 * A task whose loss has the same gradient everywhere, so that the weights of each step are known in advance: after k steps
 * of plain SGD they are -k * learning rate * gradient. Each evaluation takes the next value of a script.
 */
export class ScriptedTask implements Task<Weights, Sums> {
  readonly measures: Objectives;
  readonly timeSteps = 1;
  readonly independentBatches = true;
  /** The weights that each evaluation saw. */
  readonly evaluated: number[][] = [];

  constructor(
    private readonly script: {
      readonly gradient: readonly number[];
      readonly stepsPerEpoch: number;
      /** What the validation measures, evaluation by evaluation. */
      readonly values?: readonly number[];
      readonly better?: 'higher' | 'lower';
    },
  ) {
    this.measures = [{ name: 'value', better: script.better ?? 'lower' }];
  }

  count(part: Part): number {
    return this.batchCount(part);
  }

  batchCount(part: Part): number {
    return part === 'train' ? this.script.stepsPerEpoch : 1;
  }

  *pass(part: Part): Generator<Batch<Weights, Sums>, void, undefined> {
    for (let batch = 0; batch < this.batchCount(part); batch++) yield this.#batch();
  }

  accumulator(): Means {
    return new Means();
  }

  #batch(): Batch<Weights, Sums> {
    const { gradient, values = [] } = this.script;
    const loss = ({ weight }: Weights): Tensor => weight.mul(tensor([...gradient])).sum();
    return {
      count: 1,
      length: 1,
      loss,
      trainingLoss(model) {
        const value = loss(model);
        return { loss: value, total: value };
      },
      tally: ({ weight }) => {
        const value = values[this.evaluated.length] as number;
        this.evaluated.push(weight.toNumbers());
        return { finite: true, count: 1, sums: { value } };
      },
    };
  }
}

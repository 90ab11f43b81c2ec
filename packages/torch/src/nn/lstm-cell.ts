import { lstmCell } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { requireInteger } from './constructor-arguments.js';
import { uniform } from './init.js';
import { Module, Parameter } from './module.js';

/** The hidden state h and the cell state c, each [N, hidden]. */
export type LstmState = readonly [h: Tensor, c: Tensor];

/** One step of a long short-term memory (Hochreiter & Schmidhuber 1997), with the gates in PyTorch's order: i, f, g, o. */
export class LSTMCell extends Module {
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter;
  readonly bias_hh: Parameter;

  /**
   * @param bound weights and biases are drawn uniformly from [-bound, bound]; PyTorch's 1 / sqrt(hidden) by default
   * @throws RangeError for sizes that are not integers of at least 1
   */
  constructor(inputs: number, hidden: number, bound = 1 / Math.sqrt(hidden)) {
    super();
    requireInteger('inputs', inputs);
    requireInteger('hidden', hidden);
    this.weight_ih = new Parameter(uniform([4 * hidden, inputs], bound));
    this.weight_hh = new Parameter(uniform([4 * hidden, hidden], bound));
    this.bias_ih = new Parameter(uniform([4 * hidden], bound));
    this.bias_hh = new Parameter(uniform([4 * hidden], bound));
  }

  /** @param input [N, inputs] */
  forward(input: Tensor, state: LstmState): LstmState {
    return lstmCell(input, state, this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh);
  }
}

import { nn, stack, type Tensor } from '@espalier/torch';
import type { LanguageModelState } from '../language-model.js';
import { keepMask, masked, type VariationalDropout } from './variational-dropout.js';

/** From the state before a time to the state after it; the first of its tensors is the cell's output. */
export type CellStep = (time: number, state: LanguageModelState) => LanguageModelState;

/** A recurrent layer: the same cell at each time. */
export abstract class RecurrentCell extends nn.Module {
  /** How many tensors [N, hidden] its state has. */
  abstract readonly stateSize: number;

  constructor(readonly hidden: number) {
    super();
  }

  /**
   * Gets ready for one stretch of text. What does not depend on the state is computed here, for all times at once.
   *
   * @param inputs [T, N, inputs], dropped already
   * @param dropHidden drops the same elements of a hidden state [N, hidden], or of each of several, whenever it is called
   */
  protected abstract begin(inputs: Tensor, dropHidden: (hidden: Tensor) => Tensor): CellStep;

  /**
   * @param inputs [T, N, inputs]
   * @returns the outputs [T, N, hidden], and the state after the last
   */
  forward(
    inputs: Tensor,
    state: LanguageModelState,
    { dropoutCellInput, dropoutHidden }: VariationalDropout,
  ): { outputs: Tensor; state: LanguageModelState } {
    const [, batch, width] = inputs.shape as [number, number, number];
    const mask = (units: number, p: number) =>
      this.training ? keepMask([batch, units], p, inputs) : undefined;
    const read = masked(inputs, mask(width, dropoutCellInput));
    const hiddenMask = mask(this.hidden, dropoutHidden);
    return this.run(read, state, hiddenMask);
  }

  /**
   * @param inputs [T, N, inputs], dropped already
   * @param hiddenMask [N, hidden], of what is dropped of hidden states
   */
  protected run(
    inputs: Tensor,
    state: LanguageModelState,
    hiddenMask: Tensor | undefined,
  ): { outputs: Tensor; state: LanguageModelState } {
    const step = this.begin(inputs, (hidden) => masked(hidden, hiddenMask));
    const outputs: Tensor[] = [];
    let last = state;
    for (let time = 0; time < (inputs.shape[0] as number); time++) {
      last = step(time, last);
      outputs.push(last[0] as Tensor);
    }
    return { outputs: stack(outputs), state: last };
  }
}

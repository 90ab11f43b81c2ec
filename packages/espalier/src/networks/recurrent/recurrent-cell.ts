import { nn, stack, type Tensor } from '@espalier/torch';
import type { LanguageModelState } from '../language-model.js';
import { keepMask, masked, type VariationalDropout } from './variational-dropout.js';

/** Maps the state before a time step to the state after it. The first tensor of the state is the output of the cell. */
export type CellStep = (time: number, state: LanguageModelState) => LanguageModelState;

/** A recurrent layer, which applies the same cell at each time step. */
export abstract class RecurrentCell extends nn.Module {
  /** The number of tensors [N, hidden] in the state. */
  abstract readonly stateSize: number;

  constructor(readonly hidden: number) {
    super();
  }

  /**
   * Prepares one BPTT window. Everything that does not depend on the state is computed here, for all time steps at once.
   *
   * @param inputs [T, N, inputs], after dropout
   * @param dropHidden applies dropout to one hidden state [N, hidden] or to several, with the same mask at every call
   */
  protected abstract begin(inputs: Tensor, dropHidden: (hidden: Tensor) => Tensor): CellStep;

  /**
   * @param inputs [T, N, inputs]
   * @returns the outputs [T, N, hidden], and the state after the last time step
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
   * @param inputs [T, N, inputs], after dropout
   * @param hiddenMask the dropout mask of hidden states, [N, hidden]
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

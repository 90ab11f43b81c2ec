import { nn } from '@espalier/torch';

/** Parameters that are named 0, 1, 2, ... in the state, as those of PyTorch's `ParameterList`. */
export class ParameterList extends nn.Module {
  readonly [index: number]: nn.Parameter;

  constructor(parameters: readonly nn.Parameter[]) {
    super();
    Object.assign(this, parameters);
  }
}

import { nn } from '@espalier/torch';

/** A list of parameters, named 0, 1, 2, and so on in the state dictionary, like PyTorch's `ParameterList`. */
export class ParameterList extends nn.Module {
  readonly [index: number]: nn.Parameter;

  constructor(parameters: readonly nn.Parameter[]) {
    super();
    Object.assign(this, parameters);
  }
}

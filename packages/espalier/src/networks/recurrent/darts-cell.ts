import { fused, type nn, stack, type Tensor, tensor } from '@espalier/torch';
import {
  activate,
  DARTS_ACTIVATIONS,
  type DartsActivation,
  type DartsRecurrentGenotype,
} from './darts-genotype.js';
import { ParameterList } from './parameter-list.js';
import { type CellStep, RecurrentCell } from './recurrent-cell.js';
import { startingWeights } from './weights.js';

/**
 * The base of the recurrent cells of DARTS (Liu, Simonyan & Yang 2018, sections 2.1 and A.1.2): the weights, and the first
 * state, which is computed from the input and the last output. Each node reads a state s and applies a highway
 * connection, s + c (f(h) - s). One matrix product with s gives both h and the pre-activation of the sigmoid gate c. The
 * parameters have the names and shapes of the authors' `DARTSCell`.
 */
export abstract class DartsCell extends RecurrentCell {
  readonly stateSize = 1;
  /** [inputs + hidden, 2 hidden], with the columns of the gate first. */
  readonly _W0: nn.Parameter;
  /** [hidden, 2 hidden] for each node. */
  readonly _Ws: ParameterList;

  constructor(nodes: number, inputs: number, hidden: number) {
    super(hidden);
    this._W0 = startingWeights(inputs + hidden, 2 * hidden);
    this._Ws = new ParameterList(Array.from({ length: nodes }, () => startingWeights(hidden, 2 * hidden)));
  }

  protected begin(inputs: Tensor, dropHidden: DropHidden): CellStep {
    const width = inputs.shape[2] as number;
    const read = fused.matmul(inputs, this._W0.narrow(0, 0, width)).unbind(0);
    const fromHidden = this._W0.narrow(0, width, this.hidden);
    const toFirst = this.highwayTo('tanh', inputs);
    const nodes = this.beginNodes(dropHidden, inputs);
    return (time, state) => {
      const before = state[0] as Tensor;
      const product = (read[time] as Tensor).add(fused.matmul(dropHidden(before), fromHidden));
      return [nodes(toFirst(before, product))];
    };
  }

  /**
   * Returns a highway connection with the given activation. It maps a state [N, hidden] and its matrix product
   * [N, 2 hidden] to the new state. In training it uses a kernel if one is available.
   *
   * @param like a tensor with the dtype and device of the states
   */
  protected highwayTo(activation: DartsActivation, like: Tensor): (state: Tensor, product: Tensor) => Tensor {
    if (this.training && fused.runsKernels(like)) {
      const chosen = DARTS_ACTIVATIONS.map((name) => (name === activation ? 1 : 0));
      const weights = tensor([chosen], like.dtype);
      return (state, product) => fused.mixedHighway(state.unsqueeze(0), product.unsqueeze(0), weights);
    }
    return (state, product) => {
      const [gate, value] = product.chunk(2, 1) as [Tensor, Tensor];
      return highway(state, activate(activation, value), gate);
    };
  }

  /**
   * Prepares the nodes for one BPTT window with inputs [T, N, inputs]. The returned function maps the first state
   * [N, hidden] to the output of the cell.
   */
  protected abstract beginNodes(dropHidden: DropHidden, inputs: Tensor): (first: Tensor) => Tensor;

  /** Implements `beginNodes` for one genotype. */
  protected nodesOf({ recurrent, concat }: DartsRecurrentGenotype, dropHidden: DropHidden, inputs: Tensor) {
    const highways = recurrent.map(([activation]) => this.highwayTo(activation, inputs));
    return (first: Tensor): Tensor => {
      const states = [first];
      for (const [node, [, from]] of recurrent.entries()) {
        const previous = states[from] as Tensor;
        const product = fused.matmul(dropHidden(previous), this._Ws[node] as nn.Parameter);
        states.push((highways[node] as (state: Tensor, product: Tensor) => Tensor)(previous, product));
      }
      return stack(concat.map((index) => states[index] as Tensor)).mean(0);
    };
  }
}

/** The recurrent cell of a genotype. */
export class DartsRecurrentCell extends DartsCell {
  constructor(
    readonly genotype: DartsRecurrentGenotype,
    inputs: number,
    hidden: number,
  ) {
    super(genotype.recurrent.length, inputs, hidden);
  }

  protected beginNodes(dropHidden: DropHidden, inputs: Tensor) {
    return this.nodesOf(this.genotype, dropHidden, inputs);
  }
}

export type DropHidden = (hidden: Tensor) => Tensor;

export function highway(from: Tensor, to: Tensor, gate: Tensor): Tensor {
  return from.lerp(to, gate.sigmoid());
}

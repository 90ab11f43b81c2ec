import { type nn, stack, type Tensor } from '@espalier/torch';
import { activate, type DartsRecurrentGenotype } from './darts-genotype.js';
import { ParameterList } from './parameter-list.js';
import { type CellStep, RecurrentCell } from './recurrent-cell.js';
import { startingWeights } from './weights.js';

/**
 * What the recurrent cells of DARTS share (Liu, Simonyan & Yang 2018, section 2.1 and A.1.2): the weights, and a first
 * state that input and last output make. Each node is a highway from the state s that it reads, s + c (f(h) - s) with
 * the gate c = sigmoid and h from one matrix. The parameters have the names and the shapes of the authors' `DARTSCell`.
 */
export abstract class DartsCell extends RecurrentCell {
  readonly stateSize = 1;
  /** [inputs + hidden, 2 hidden], the gate's columns first. */
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
    const read = inputs.matmul(this._W0.narrow(0, 0, width)).unbind(0);
    const fromHidden = this._W0.narrow(0, width, this.hidden);
    const nodes = this.beginNodes(dropHidden);
    return (time, state) => {
      const before = state[0] as Tensor;
      const [gate, value] = (read[time] as Tensor).add(dropHidden(before).mm(fromHidden)).chunk(2, 1);
      return [nodes(highway(before, (value as Tensor).tanh(), gate as Tensor))];
    };
  }

  /** Gets ready for one stretch of text: from the first state [N, hidden] to what the cell gives out. */
  protected abstract beginNodes(dropHidden: DropHidden): (first: Tensor) => Tensor;

  /** The nodes of one architecture, for `beginNodes`. */
  protected nodesOf({ recurrent, concat }: DartsRecurrentGenotype, dropHidden: DropHidden) {
    return (first: Tensor): Tensor => {
      const states = [first];
      for (const [node, [activation, from]] of recurrent.entries()) {
        const previous = states[from] as Tensor;
        const [gate, value] = dropHidden(previous)
          .mm(this._Ws[node] as nn.Parameter)
          .chunk(2, 1);
        states.push(highway(previous, activate(activation, value as Tensor), gate as Tensor));
      }
      return stack(concat.map((index) => states[index] as Tensor)).mean(0);
    };
  }
}

/** The recurrent cell of an architecture. */
export class DartsRecurrentCell extends DartsCell {
  constructor(
    readonly genotype: DartsRecurrentGenotype,
    inputs: number,
    hidden: number,
  ) {
    super(genotype.recurrent.length, inputs, hidden);
  }

  protected beginNodes(dropHidden: DropHidden) {
    return this.nodesOf(this.genotype, dropHidden);
  }
}

export type DropHidden = (hidden: Tensor) => Tensor;

export function highway(from: Tensor, to: Tensor, gate: Tensor): Tensor {
  return from.lerp(to, gate.sigmoid());
}

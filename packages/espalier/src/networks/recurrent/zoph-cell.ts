import { fused, nn, type Tensor } from '@espalier/torch';
import { type CellStep, RecurrentCell } from './recurrent-cell.js';
import { activate, combine, type TreeNode, type ZophRnn } from './zoph-tree.js';

/** A recurrent cell given by a tree of Zoph & Le 2016 (section 3.4). Only the leaves have weights. The state is (h, c). */
export class ZophRecurrentCell extends RecurrentCell {
  readonly stateSize = 2;
  /** [inputs, base x hidden]: the input matrices of all leaves side by side (W1, W3, ... in the paper). */
  readonly weight_x: nn.Parameter;
  /** [hidden, base x hidden]: the hidden matrices of all leaves side by side (W2, W4, ... in the paper). */
  readonly weight_h: nn.Parameter;

  constructor(
    readonly tree: ZophRnn,
    inputs: number,
    hidden: number,
  ) {
    super(hidden);
    // The paper does not specify the initialisation. With the ± 0.04 of DARTS, products in a tree of few units would vanish.
    this.weight_x = new nn.Parameter(nn.fanInUniform([inputs, this.#base * hidden], inputs));
    this.weight_h = new nn.Parameter(nn.fanInUniform([hidden, this.#base * hidden], hidden));
  }

  get #base(): number {
    return (this.tree.nodes.length + 1) / 2;
  }

  protected begin(inputs: Tensor, dropHidden: (hidden: Tensor) => Tensor): CellStep {
    const { nodes, cellInject, cellIndex } = this.tree;
    const base = this.#base;
    const read = fused.matmul(inputs, this.weight_x).unbind(0);
    return (time, [lastOutput, lastCell]) => {
      const fromInput = (read[time] as Tensor).chunk(base, 1);
      const fromHidden = fused.matmul(dropHidden(lastOutput as Tensor), this.weight_h).chunk(base, 1);
      const outputs: Tensor[] = [];
      let nextCell = lastCell as Tensor;
      for (const [index, node] of nodes.entries()) {
        const pair =
          index < base
            ? [fromInput[index], fromHidden[index]]
            : [outputs[2 * (index - base)], outputs[2 * (index - base) + 1]];
        const merged = combine(node, ...(pair as [Tensor, Tensor]));
        if (index === cellIndex.next) nextCell = merged;
        const output = activate(node, merged);
        outputs.push(index === cellIndex.previous ? inject(cellInject, output, lastCell as Tensor) : output);
      }
      return [outputs.at(-1) as Tensor, nextCell];
    };
  }
}

function inject(how: TreeNode, output: Tensor, cell: Tensor): Tensor {
  return activate(how, combine(how, output, cell));
}

import { cat, nn, type Tensor } from '@espalier/torch';
import { dropPath } from '../../cells/drop-path.js';
import type { Block } from './architecture.js';
import { type OperationName, operation, ReluConvNorm } from './operations.js';
import { resize, sizeOf } from './resize.js';

/** Operations that drop path never drops. */
const KEPT: readonly OperationName[] = ['none', 'skip_connect'];

/** The sum of two operations, each on one of the cell's states (section 3.1). */
class BlockLayers extends nn.Module {
  readonly first: nn.Layer;
  readonly second: nn.Layer;

  constructor(
    private readonly block: Block,
    filters: number,
    stride: 1 | 2,
  ) {
    super();
    const [first, second, onFirst, onSecond] = block;
    // Only the inputs of the cell have to be halved. Its blocks already have the size of its output.
    this.first = operation(onFirst, filters, first < 2 ? stride : 1);
    this.second = operation(onSecond, filters, second < 2 ? stride : 1);
  }

  forward(states: readonly Tensor[], dropProbability: number): Tensor {
    const [first, second, onFirst, onSecond] = this.block;
    const apply = (layer: nn.Layer, index: number, name: OperationName) => {
      const result = layer.forward(states[index] as Tensor);
      return dropProbability === 0 || KEPT.includes(name) ? result : dropPath(result, dropProbability);
    };
    return apply(this.first, first, onFirst).add(apply(this.second, second, onSecond));
  }
}

/**
 * One layer of the network (section 3.1). Its output is the concatenation of all its blocks. A 1x1 convolution brings the
 * output of the previous layer to the number of filters of the cell. The output of the layer before it only passes through
 * such a convolution if its number of channels differs.
 */
export class Cell extends nn.Module {
  readonly previous: ReluConvNorm;
  readonly before?: ReluConvNorm;
  readonly blocks: readonly BlockLayers[];

  constructor(
    cell: readonly Block[],
    filters: number,
    /** Number of channels of the previous layer and of the one before it. */
    inputs: { readonly previous: number; readonly before: number },
    stride: 1 | 2,
  ) {
    super();
    this.previous = new ReluConvNorm(inputs.previous, filters);
    if (inputs.before !== filters) this.before = new ReluConvNorm(inputs.before, filters);
    this.blocks = cell.map((block) => new BlockLayers(block, filters, stride));
  }

  /**
   * @param previous [N, C, H, W], at the scale of the cell, or with stride 2 at the next larger one
   * @param before [N, C', H', W'], at any scale; it is resized to the size of `previous`
   * @param dropProbability the probability of dropping each operation in training, independently for each image
   * @returns [N, blocks * filters, ceil(H / stride), ceil(W / stride)]
   */
  forward(previous: Tensor, before: Tensor, dropProbability: number): Tensor {
    const resized = resize(before, sizeOf(previous));
    const states = [this.previous.forward(previous), this.before?.forward(resized) ?? resized];
    for (const block of this.blocks) states.push(block.forward(states, this.training ? dropProbability : 0));
    return cat(states.slice(2), 1);
  }
}

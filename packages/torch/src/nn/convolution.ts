import { conv2d } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { fanInUniform } from './init.js';
import { Layer, Parameter } from './module.js';

/** A size for height and width, or one for each. */
export type Pair = number | readonly [number, number];

const pair = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

/** Cross-correlation of [N, inputs, H, W] with `outputs` filters; grouped and dilated as PyTorch's `Conv2d`. */
export class Conv2d extends Layer {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;

  constructor(
    inputs: number,
    outputs: number,
    kernel: Pair,
    options: { stride?: Pair; padding?: Pair; dilation?: Pair; groups?: number; bias?: boolean } = {},
  ) {
    super();
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    if (inputs % groups !== 0 || outputs % groups !== 0)
      throw new RangeError(`${groups} groups do not divide ${inputs} inputs and ${outputs} outputs`);
    const [height, width] = pair(kernel);
    this.stride = pair(stride);
    this.padding = pair(padding);
    this.dilation = pair(dilation);
    this.groups = groups;
    const fanIn = (inputs / groups) * height * width;
    this.weight = new Parameter(fanInUniform([outputs, inputs / groups, height, width], fanIn));
    if (bias) this.bias = new Parameter(fanInUniform([outputs], fanIn));
  }

  forward(input: Tensor): Tensor {
    return conv2d(input, this.weight, this.bias, this.stride, this.padding, this.dilation, this.groups);
  }
}

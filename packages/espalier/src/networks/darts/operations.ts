import { cat, type fused, nn, type Tensor } from '@espalier/torch';
import {
  convolutionForm,
  type HasKernelForm,
  type KernelForm,
  kernelFormOf,
  reductionForm,
} from '../../cells/kernel-form.js';
import { runByKernels } from '../../cells/run-together.js';
import type { DartsOperation } from './genotype.js';

/**
 * The operations, with the module structure of the authors' code so that their state dictionaries can be loaded: `op` is
 * the sequence of layers of a convolution. `affine` says whether batch norm learns a scale and a shift. In a search it
 * does not (section A.1.1), because they would rescale the operations that the architecture weights compare.
 */

/** ReLU, a convolution that preserves the size at stride 1, and batch norm. */
export class ReluConvBn extends nn.Layer implements HasKernelForm {
  readonly op: nn.Sequential;

  constructor(inputs: number, outputs: number, kernel: number, affine: boolean, stride = 1) {
    super();
    this.op = new nn.Sequential(
      new nn.ReLU(),
      new nn.Conv2d(inputs, outputs, kernel, { stride, padding: Math.floor(kernel / 2), bias: false }),
      new nn.BatchNorm2d(outputs, { affine }),
    );
  }

  forward(input: Tensor): Tensor {
    return runByKernels(this.op, input) ?? this.op.forward(input);
  }

  /** Only as it is searched, where many edges read a state: the filters of all of them are one convolution. */
  get kernelForm(): KernelForm | undefined {
    const [, convolution, norm] = this.op.layers as [nn.ReLU, nn.Conv2d, nn.BatchNorm2d];
    if (norm.weight !== undefined) return undefined;
    return kernelFormOf(this.op) ?? convolutionForm(convolution, norm);
  }
}

/** ReLU, a depthwise and a pointwise convolution, and batch norm. */
function depthwiseSeparable(
  channels: number,
  affine: boolean,
  kernel: number,
  options: { stride: number; dilation: number },
): nn.Layer[] {
  const padding = options.dilation * Math.floor(kernel / 2);
  return [
    new nn.ReLU(),
    new nn.Conv2d(channels, channels, kernel, { ...options, padding, groups: channels, bias: false }),
    new nn.Conv2d(channels, channels, 1, { bias: false }),
    new nn.BatchNorm2d(channels, { affine }),
  ];
}

/** A depthwise separable convolution, applied either twice (the second time with stride 1) or once with dilation 2. */
class SeparableConvolution extends nn.Layer implements HasKernelForm {
  readonly op: nn.Sequential;

  constructor(channels: number, stride: number, affine: boolean, kernel: number, kind: 'twice' | 'dilated') {
    super();
    this.op = new nn.Sequential(
      ...(kind === 'dilated'
        ? depthwiseSeparable(channels, affine, kernel, { stride, dilation: 2 })
        : [
            ...depthwiseSeparable(channels, affine, kernel, { stride, dilation: 1 }),
            ...depthwiseSeparable(channels, affine, kernel, { stride: 1, dilation: 1 }),
          ]),
    );
  }

  forward(input: Tensor): Tensor {
    return this.op.forward(input);
  }

  get kernelForm(): KernelForm | undefined {
    return kernelFormOf(this.op);
  }
}

/**
 * Halves height and width. Two pointwise convolutions with stride 2 give half of the channels each; the second one reads
 * the image shifted by one pixel. Odd sizes, which the authors' code does not support, are rounded up; the second
 * convolution then reads zeros beyond the border.
 */
export class FactorizedReduce extends nn.Layer implements HasKernelForm {
  readonly conv_1: nn.Conv2d;
  readonly conv_2: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;

  /** @throws RangeError if `outputs` is odd */
  constructor(inputs: number, outputs: number, affine: boolean) {
    super();
    if (outputs % 2 !== 0)
      throw new RangeError(`a factorized reduction needs an even number of output channels, not ${outputs}`);
    this.conv_1 = new nn.Conv2d(inputs, outputs / 2, 1, { stride: 2, bias: false });
    this.conv_2 = new nn.Conv2d(inputs, outputs / 2, 1, { stride: 2, bias: false });
    this.bn = new nn.BatchNorm2d(outputs, { affine });
  }

  forward(input: Tensor): Tensor {
    return runByKernels(this, input) ?? this.#byLayers(input.relu());
  }

  #byLayers(rectified: Tensor): Tensor {
    return this.bn.forward(
      cat([this.conv_1.forward(rectified), this.conv_2.forward(shiftedByOne(rectified))], 1),
    );
  }

  get kernelForm(): KernelForm {
    return reductionForm(this.bn, () => this.#unit());
  }

  /** Both halves as one pointwise convolution on the result of `fused.halves`. */
  #unit(): fused.ReluConvNorm {
    const { weight: first } = this.conv_1;
    const { weight: second } = this.conv_2;
    const inputs = first.shape[1] as number;
    const none = [0, 0, 0, 0];
    const pointwise = cat([
      first.constantPadNd([...none, 0, inputs]),
      second.constantPadNd([...none, inputs, 0]),
    ]);
    return { pointwise, norm: this.bn };
  }
}

/** Removes the first row and column of an image. Odd sizes are padded with zeros at the end, for a subsequent stride of 2. */
function shiftedByOne(image: Tensor): Tensor {
  const [, , height, width] = image.shape as [number, number, number, number];
  const shifted = image.slice(2, 1).slice(3, 1);
  const odd = height % 2 !== 0 || width % 2 !== 0;
  return odd ? shifted.constantPadNd([0, width % 2, 0, height % 2]) : shifted;
}

/** An absent edge: zeros in the output shape of a convolution with this stride. */
export class Zero extends nn.Layer {
  constructor(readonly stride: number) {
    super();
  }

  forward(input: Tensor): Tensor {
    const { stride } = this;
    const seen = stride === 1 ? input : input.slice(2, 0, undefined, stride).slice(3, 0, undefined, stride);
    return seen.mul(0);
  }
}

/** ReLU, a 1 x size convolution, a size x 1 convolution, and batch norm. */
function split(channels: number, stride: number, affine: boolean, size: number): nn.Layer {
  const half = Math.floor(size / 2);
  return new nn.Sequential(
    new nn.ReLU(),
    new nn.Conv2d(channels, channels, [1, size], { stride: [1, stride], padding: [0, half], bias: false }),
    new nn.Conv2d(channels, channels, [size, 1], { stride: [stride, 1], padding: [half, 0], bias: false }),
    new nn.BatchNorm2d(channels, { affine }),
  );
}

/**
 * ReLU, a convolution and batch norm, without the name `op` around them. Of size 1 the kernels would take it for a unit;
 * it is computed by its layers, so that networks with it come to the same bytes as ever.
 */
function full(channels: number, stride: number, affine: boolean, size: number): nn.Layer {
  const layers = new nn.Sequential(
    new nn.ReLU(),
    new nn.Conv2d(channels, channels, size, { stride, padding: Math.floor(size / 2), bias: false }),
    new nn.BatchNorm2d(channels, { affine }),
  );
  return Object.assign(layers, { kernelForm: undefined } satisfies HasKernelForm);
}

type MakeOperation = (channels: number, stride: number, affine: boolean) => nn.Layer;

const separable =
  (kernel: number, kind: 'twice' | 'dilated'): MakeOperation =>
  (channels, stride, affine) =>
    new SeparableConvolution(channels, stride, affine, kernel, kind);

const normal =
  (kernel: number): MakeOperation =>
  (channels, stride, affine) =>
    new ReluConvBn(channels, channels, kernel, affine, stride);

const MAKERS: Readonly<Record<DartsOperation, MakeOperation>> = {
  none: (_, stride) => new Zero(stride),
  max_pool_3x3: (_, stride) => new nn.MaxPool2d(3, { stride, padding: 1 }),
  avg_pool_3x3: (_, stride) => new nn.AvgPool2d(3, { stride, padding: 1, countIncludePad: false }),
  skip_connect: (channels, stride, affine) =>
    stride === 1 ? new nn.Identity() : new FactorizedReduce(channels, channels, affine),
  sep_conv_3x3: separable(3, 'twice'),
  sep_conv_5x5: separable(5, 'twice'),
  sep_conv_7x7: separable(7, 'twice'),
  dil_conv_3x3: separable(3, 'dilated'),
  dil_conv_5x5: separable(5, 'dilated'),
  conv_7x1_1x7: (channels, stride, affine) => split(channels, stride, affine, 7),
  conv_3x1_1x3: (channels, stride, affine) => split(channels, stride, affine, 3),
  conv_1x1: (channels, stride, affine) => full(channels, stride, affine, 1),
  conv_3x3: (channels, stride, affine) => full(channels, stride, affine, 3),
  nor_conv_1x1: normal(1),
  nor_conv_3x3: normal(3),
  nor_conv_5x5: normal(5),
  nor_conv_7x7: normal(7),
};

/** Builds the operation with the given name, with `channels` input and output channels. */
export function makeOperation(
  name: DartsOperation,
  channels: number,
  stride: number,
  affine: boolean,
): nn.Layer {
  return MAKERS[name](channels, stride, affine);
}

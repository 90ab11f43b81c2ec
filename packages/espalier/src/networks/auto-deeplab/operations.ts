import { nn, type Tensor } from '@espalier/torch';
import { convolutionForm, type HasKernelForm, type KernelForm, unitsForm } from '../../cells/kernel-form.js';
import { halved, resize } from './resize.js';

/**
 * The 8 operations of section 3.1: no connection, pooling, skip connection, depthwise separable convolutions, and atrous
 * convolutions of rate 2. Unlike `dil_conv` in DARTS, an atrous convolution is full, not depthwise.
 */
export const OPERATIONS = [
  'none',
  'max_pool_3x3',
  'avg_pool_3x3',
  'skip_connect',
  'sep_conv_3x3',
  'sep_conv_5x5',
  'atrous_conv_3x3',
  'atrous_conv_5x5',
] as const;

export type OperationName = (typeof OPERATIONS)[number];

/**
 * Epsilon of all batch norms in stem and cells, as in the authors' code. Their running statistics keep 0.9997 of the old
 * value at each of 1.5 million steps. Ours keep 0.9, so that networks can be evaluated after shorter training.
 */
export const EPSILON = 1e-3;

/**
 * Builds an operation from [N, filters, H, W] to [N, filters, ceil(H / stride), ceil(W / stride)].
 *
 * @param affine whether batch norm learns a scale and a shift
 */
export function operation(name: OperationName, filters: number, stride: 1 | 2, affine = true): nn.Layer {
  switch (name) {
    case 'none':
      return new NoConnection(stride);
    case 'max_pool_3x3':
      return new nn.MaxPool2d(3, { stride, padding: 1 });
    case 'avg_pool_3x3':
      return new nn.AvgPool2d(3, { stride, padding: 1, countIncludePad: false });
    case 'skip_connect':
      return stride === 1 ? new nn.Identity() : new ReluConvNorm(filters, filters, { stride, affine });
    case 'sep_conv_3x3':
      return new SeparableConvolution(filters, 3, stride, affine);
    case 'sep_conv_5x5':
      return new SeparableConvolution(filters, 5, stride, affine);
    case 'atrous_conv_3x3':
      return new AtrousConvolution(filters, 3, stride, affine);
    case 'atrous_conv_5x5':
      return new AtrousConvolution(filters, 5, stride, affine);
  }
}

/** No connection: outputs zeros. */
class NoConnection extends nn.Layer {
  constructor(private readonly stride: 1 | 2) {
    super();
  }

  forward(input: Tensor): Tensor {
    return (this.stride === 1 ? input : input.avgPool2d(1, 2)).mul(0);
  }
}

/** ReLU, a convolution (1x1 by default) and batch normalisation, to change the number of channels or the size. */
export class ReluConvNorm extends nn.Layer {
  readonly conv: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;

  constructor(
    inputs: number,
    outputs: number,
    options: { readonly size?: 1 | 3; readonly stride?: 1 | 2; readonly affine?: boolean } = {},
  ) {
    super();
    const { size = 1, stride = 1, affine = true } = options;
    this.conv = new nn.Conv2d(inputs, outputs, size, { stride, padding: (size - 1) / 2, bias: false });
    this.bn = new nn.BatchNorm2d(outputs, { epsilon: EPSILON, affine });
  }

  forward(input: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(input.relu()));
  }
}

/** ReLU, a depthwise and a 1x1 convolution with nothing in between, and batch normalisation; all of this twice. */
class SeparableConvolution extends nn.Layer implements HasKernelForm {
  readonly depthwise1: nn.Conv2d;
  readonly pointwise1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly depthwise2: nn.Conv2d;
  readonly pointwise2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;

  constructor(filters: number, size: number, stride: 1 | 2, affine: boolean) {
    super();
    const padding = (size - 1) / 2;
    const norm = { epsilon: EPSILON, affine };
    const depthwise = { padding, groups: filters, bias: false };
    this.depthwise1 = new nn.Conv2d(filters, filters, size, { ...depthwise, stride });
    this.pointwise1 = new nn.Conv2d(filters, filters, 1, { bias: false });
    this.bn1 = new nn.BatchNorm2d(filters, norm);
    this.depthwise2 = new nn.Conv2d(filters, filters, size, depthwise);
    this.pointwise2 = new nn.Conv2d(filters, filters, 1, { bias: false });
    this.bn2 = new nn.BatchNorm2d(filters, norm);
  }

  get kernelForm(): KernelForm {
    return unitsForm([
      { depthwise: this.depthwise1, pointwise: this.pointwise1.weight, norm: this.bn1 },
      { depthwise: this.depthwise2, pointwise: this.pointwise2.weight, norm: this.bn2 },
    ]);
  }

  forward(input: Tensor): Tensor {
    const half = this.bn1.forward(this.pointwise1.forward(this.depthwise1.forward(input.relu())));
    return this.bn2.forward(this.pointwise2.forward(this.depthwise2.forward(half.relu())));
  }
}

/**
 * ReLU, a convolution of rate 2 and batch normalisation. With stride 2, the input is halved first and the rate is 1, as in
 * the authors' code.
 */
class AtrousConvolution extends nn.Layer implements HasKernelForm {
  readonly conv: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;

  constructor(
    filters: number,
    size: number,
    private readonly stride: 1 | 2,
    affine: boolean,
  ) {
    super();
    const dilation = stride === 1 ? 2 : 1;
    const padding = (dilation * (size - 1)) / 2;
    this.conv = new nn.Conv2d(filters, filters, size, { padding, dilation, bias: false });
    this.bn = new nn.BatchNorm2d(filters, { epsilon: EPSILON, affine });
  }

  forward(input: Tensor): Tensor {
    const active = input.relu();
    const read = this.stride === 1 ? active : resize(active, halved(active));
    return this.bn.forward(this.conv.forward(read));
  }

  get kernelForm(): KernelForm | undefined {
    return this.stride === 1 ? convolutionForm(this.conv, this.bn) : undefined;
  }
}

import { cat, conv2d, fused, nn, type Tensor } from '../../src/index.js';

/** A unit made of layers, which can be run one by one. */
export interface LayeredUnit extends fused.ReluConvNorm {
  readonly depthwise?: nn.Conv2d;
  readonly norm: nn.BatchNorm2d;
}

/** The same as the kernel, of libtorch's own operators. */
export function composedReluConvNorm(input: Tensor, units: readonly LayeredUnit[]): Tensor {
  const channels = (units[0] as LayeredUnit).pointwise.shape[1] as number;
  const shared = input.shape[1] === channels;
  const outputs = units.map(({ depthwise, pointwise, norm }, group) => {
    // Row-major: of a part of the channels in channels_last, libtorch 2.6 gets depthwise convolutions wrong on two threads.
    const own = (shared ? input : input.narrow(1, group * channels, channels)).contiguous();
    const rectified = own.relu();
    const convolved = conv2d(depthwise?.forward(rectified) ?? rectified, pointwise);
    return fused.withoutKernels(() => norm.forward(convolved));
  });
  return cat(outputs, 1);
}

export interface UnitSettings {
  readonly channels: number;
  readonly out: number;
  readonly groups: number;
  /** 0: no depthwise convolution. */
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly affine: boolean;
}

export function makeUnits(settings: UnitSettings): LayeredUnit[] {
  const { channels, out, groups, kernel, stride, dilation, affine } = settings;
  return Array.from({ length: groups }, () => ({
    ...(kernel === 0
      ? {}
      : {
          depthwise: new nn.Conv2d(channels, channels, kernel, {
            stride,
            dilation,
            padding: Math.floor((dilation * (kernel - 1)) / 2),
            groups: channels,
            bias: false,
          }),
        }),
    pointwise: new nn.Conv2d(channels, out, 1, { bias: false }).weight,
    norm: new nn.BatchNorm2d(out, { affine }),
  }));
}

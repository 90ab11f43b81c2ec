import { describe, expect, it } from 'vitest';
import { fused, grad, manualSeed, noGrad, rand, randn, scope, type Tensor, tensor } from '../../src/index.js';
import { worst } from './comparison.js';
import { composedReluConvNorm, type LayeredUnit, makeUnits, type UnitSettings } from './composition.js';
import { onOneAndTwoThreads } from './on-threads.js';

interface Case extends Partial<UnitSettings> {
  readonly images?: number;
  readonly size?: readonly [number, number];
  /** All units read the same channels. */
  readonly shared?: boolean;
  /** The input is normalised by a batch norm before. */
  readonly normalised?: boolean;
  readonly format?: 'contiguous' | 'channels_last';
}

const cases: Record<string, Case> = {
  'with filters 3 wide': { kernel: 3 },
  'with filters 5 wide, dilated': { kernel: 5, dilation: 2 },
  'with filters 7 wide and stride': { kernel: 7, stride: 2 },
  'with stride and dilation': { kernel: 3, stride: 2, dilation: 2 },
  'with an odd size and stride': { kernel: 5, stride: 2, size: [7, 9] },
  'with filters larger than the image': { kernel: 5, dilation: 2, size: [3, 2] },
  'without filters, to another number of channels': { kernel: 0, channels: 12, out: 5 },
  'of a single image': { images: 1 },
  // Images of several strips of rows.
  'with filters 7 wide, of large images': { kernel: 7, channels: 20, out: 20, size: [17, 19] },
  'with filters 5 wide, of large images that edges share': {
    ...{ kernel: 5, groups: 2, shared: true, normalised: true },
    ...{ channels: 36, out: 36, size: [13, 16] },
  },
  'with filters 3 wide, dilated, of large images': {
    kernel: 3,
    dilation: 2,
    channels: 24,
    out: 24,
    size: [18, 21],
  },
  'with stride, of large images that edges share': {
    ...{ kernel: 3, stride: 2, groups: 2, shared: true, normalised: true },
    ...{ channels: 20, out: 20, size: [30, 31] },
  },
  'without filters, of large images that edges share': {
    ...{ kernel: 0, groups: 2, shared: true, normalised: true },
    ...{ channels: 40, out: 12, size: [15, 17] },
  },
  // Registers that hold several pixels.
  'of two channels, with filters 3 wide': { channels: 2, out: 2, size: [7, 13] },
  'of four channels, with filters 7 wide': {
    channels: 4,
    out: 4,
    kernel: 7,
    size: [16, 16],
    normalised: true,
  },
  'of four channels, dilated, of edges that share them': {
    ...{ kernel: 5, dilation: 2, groups: 3, shared: true, normalised: true },
    ...{ channels: 4, out: 4, size: [15, 21] },
  },
  'of eight channels of edges that share them': {
    ...{ kernel: 5, groups: 2, shared: true, channels: 8, out: 8, size: [9, 17] },
  },
  'of eight channels of edges that read an image each': {
    ...{ groups: 2, normalised: true, channels: 8, out: 8, size: [8, 8] },
  },
  'of four channels, to six': { channels: 4, out: 6, size: [8, 8] },
  'of channels that do not fill a register': { channels: 7, out: 7, groups: 2 },
  'of many channels': { channels: 36, out: 36, groups: 2, size: [4, 4] },
  // Products of one, two and three registers of columns, whose last register is full or overlaps the one before.
  ...Object.fromEntries(
    [16, 20, 32, 44, 50, 72, 90].map((channels) => [
      `without filters, of ${channels} channels`,
      { kernel: 0, channels, out: channels, groups: 2, size: [3, 5] } as const,
    ]),
  ),
  'of edges that read the same image': { groups: 3, shared: true },
  'of edges that read an image each': { groups: 3 },
  'of a normalised image each': { groups: 2, normalised: true },
  'of a normalised image for all, with stride': { groups: 2, normalised: true, shared: true, stride: 2 },
  'with a learned scale and shift': { affine: true, groups: 2 },
  'of an image in the default layout': { format: 'contiguous' },
};

/** Outputs and all gradients of the kernel and of the composition, for a random gradient of the output. */
function bothSides(given: Case, dtype: 'float32' | 'float64') {
  manualSeed(5);
  const settings: UnitSettings = {
    channels: 4,
    out: 4,
    groups: 1,
    kernel: 3,
    stride: 1,
    dilation: 1,
    affine: false,
    ...given,
  };
  const { images = 3, size = [8, 6], shared = false, normalised = false, format = 'channels_last' } = given;
  const units = makeUnits(settings).map((unit) => ({
    ...unit,
    pointwise: unit.pointwise.detach().to({ dtype }),
  }));
  const inChannels = shared ? settings.channels : settings.channels * settings.groups;
  const image = randn([images, inChannels, ...size], { dtype }).contiguous({ memoryFormat: format });
  const scale = rand([inChannels], { dtype }).add(0.5);
  const shift = randn([inChannels], { dtype });
  const learned = normalised ? [image, scale, shift] : [image];
  for (const { depthwise, pointwise, norm } of units) {
    for (const module of [depthwise, norm]) module?.to({ dtype });
    if (norm.weight !== undefined) noGrad(() => norm.weight?.copy_(rand([settings.out], { dtype }).add(0.5)));
    learned.push(
      ...[depthwise?.weight, pointwise, norm.weight, norm.bias].filter((each) => each !== undefined),
    );
  }
  for (const tensor of learned) tensor.requiresGrad = true;
  const statistics = () =>
    units.flatMap(({ norm }) => [...norm.namedBuffers()].map(([, value]) => value.toNumbers()));
  const start = units.map(({ norm }) => [...norm.namedBuffers()].map(([, value]) => value.clone()));
  const side = (output: Tensor, gradient: Tensor) => ({
    output: output.toNumbers(),
    gradients: grad(output, learned, { gradients: [gradient] }).map((each) => each.toNumbers()),
    shapes: [output.shape, ...learned.map(({ shape }) => shape)],
    statistics: statistics(),
  });
  const read = normalised ? new fused.Normalised(image, scale, shift) : image;
  const ours = fused.reluConvNorm(read, units).toTensor();
  const gradient = randn(ours.shape, { dtype });
  const kernel = side(ours, gradient);
  noGrad(() => {
    for (const [index, { norm }] of units.entries())
      for (const [place, [, value]] of [...norm.namedBuffers()].entries()) value.copy_(start[index]![place]!);
  });
  const composition = side(
    composedReluConvNorm(read instanceof fused.Normalised ? read.toTensor() : read, units),
    gradient,
  );
  return { kernel, composition };
}

onOneAndTwoThreads(() => {
  describe.each([
    ['float64', 1e-11],
    ['float32', 5e-5],
  ] as const)('a rectified, separable, normalised convolution in %s', (dtype, tolerance) => {
    it.each(Object.entries(cases))('%s has the values and gradients of libtorch', (_, settings) => {
      scope(() => {
        const { kernel, composition } = bothSides(settings, dtype);
        expect(kernel.shapes).toEqual(composition.shapes);
        expect(worst(kernel.output, composition.output)).toBeLessThan(tolerance);
        for (const [place, gradient] of kernel.gradients.entries())
          expect(worst(gradient, composition.gradients[place]!), `gradient ${place}`).toBeLessThan(tolerance);
        for (const [place, values] of kernel.statistics.entries())
          expect(worst(values, composition.statistics[place]!), `statistic ${place}`).toBeLessThan(tolerance);
      });
    });
  });

  /** The candidates of a search: filters of several sizes and dilations. */
  const kinds = [
    { kernel: 3, groups: 2 },
    { kernel: 5, groups: 1 },
    { kernel: 3, dilation: 2, groups: 2 },
    { kernel: 5, dilation: 2, groups: 3 },
  ] as const;

  const severalKinds: Record<
    string,
    { shared: boolean; stride?: number; size?: [number, number]; images?: number; channels?: number }
  > = {
    'that read one image': { shared: true },
    'that read one image, with stride': { shared: true, stride: 2 },
    'that read one image of an odd size, with stride': { shared: true, stride: 2, size: [7, 9] },
    'that read one small image': { shared: true, size: [2, 3], images: 1 },
    'that read one large image': { shared: true, size: [30, 31], images: 2 },
    'that read one image of few channels': { shared: true, size: [16, 16], channels: 4 },
    'that read an image each': { shared: false },
    'that read an image each, with stride': { shared: false, stride: 2, size: [9, 6] },
  };

  describe.each([
    ['float64', 1e-11],
    ['float32', 5e-5],
  ] as const)('units of several kinds in %s', (dtype, tolerance) => {
    it.each(Object.entries(severalKinds))('%s have the values and gradients of libtorch', (_, given) => {
      scope(() => {
        manualSeed(7);
        const { shared, stride = 1, size = [8, 6], images = 3, channels = 18 } = given;
        const out = channels === 18 ? 10 : channels;
        const made = kinds.map((kind) =>
          makeUnits({ channels, out, stride, dilation: 1, affine: true, ...kind }).map((unit) => ({
            ...unit,
            pointwise: unit.pointwise.detach().to({ dtype }),
          })),
        );
        const inputs = (shared ? [1] : kinds.map(({ groups }) => groups)).map((groups) => {
          const values = randn([images, channels * groups, ...size], { dtype });
          const scale = rand([channels * groups], { dtype }).add(0.5);
          return new fused.Normalised(values, scale, randn([channels * groups], { dtype }));
        });
        const learned = inputs.flatMap(({ values, scale, shift }) => [values, scale, shift]);
        for (const { depthwise, pointwise, norm } of made.flat()) {
          for (const module of [depthwise, norm]) module?.to({ dtype });
          learned.push(depthwise!.weight, pointwise, norm.weight!, norm.bias!);
        }
        for (const each of learned) each.requiresGrad = true;
        const buffers = () =>
          made.flat().flatMap(({ norm }) => [...norm.namedBuffers()].map(([, value]) => value));
        const start = buffers().map((value) => value.clone());

        const ours = fused.reluConvNorms(inputs, made).map((each) => each.toTensor());
        const statistics = buffers().map((value) => value.toNumbers());
        noGrad(() => {
          for (const [place, value] of buffers().entries()) value.copy_(start[place]!);
        });
        const theirs = made.map((units, kind) =>
          composedReluConvNorm(inputs[shared ? 0 : kind]!.toTensor(), units),
        );
        // One kind gets a gradient of zeros.
        const asked = ours.map((value, kind) =>
          kind === 1 ? value.detach().mul(0) : randn(value.shape, { dtype }),
        );
        const gradientsOf = (outputs: readonly Tensor[]) =>
          grad(
            outputs
              .map((output, kind) => output.mul(asked[kind]!).sum())
              .reduce((sum, each) => sum.add(each)),
            learned,
          );
        for (const [kind, output] of ours.entries()) {
          expect(output.shape).toEqual(theirs[kind]!.shape);
          expect(worst(output.toNumbers(), theirs[kind]!.toNumbers()), `kind ${kind}`).toBeLessThan(
            tolerance,
          );
        }
        const expected = gradientsOf(theirs);
        for (const [place, gradient] of gradientsOf(ours).entries())
          expect(worst(gradient.toNumbers(), expected[place]!.toNumbers()), `gradient ${place}`).toBeLessThan(
            tolerance,
          );
        for (const [place, value] of buffers().entries())
          expect(worst(statistics[place]!, value.toNumbers()), `statistic ${place}`).toBeLessThan(tolerance);
      });
    });

    it('cannot share a call where their images differ in size or number', () => {
      scope(() => {
        const unitsOf = (kernel: number, dilation: number) =>
          makeUnits({ channels: 4, out: 4, groups: 1, stride: 1, affine: false, kernel, dilation });
        const cropped = unitsOf(3, 1).map((unit) => ({
          ...unit,
          depthwise: Object.assign(unit.depthwise!, { padding: [0, 0] }),
        }));
        const image = randn([2, 4, 8, 8]);
        expect(() => fused.reluConvNorms([image], [unitsOf(5, 1), cropped])).toThrow(
          'one kind of units makes images of 6 x 6, another one of 8 x 8; allowed: one size',
        );
        expect(() => fused.reluConvNorms([image, image, image], [unitsOf(3, 1), unitsOf(5, 1)])).toThrow(
          '2 kinds of units have 3 inputs',
        );
        expect(() =>
          fused.reluConvNorms([image, randn([3, 4, 8, 8])], [unitsOf(3, 1), unitsOf(5, 1)]),
        ).toThrow("argument 'inputs[1]' is Float[3, 4, 8, 8]; allowed: Float[2, 4, 8, 8] on the CPU");
      });
    });
  });
});

describe('the kernels', () => {
  it('have no second derivatives, and their error says how to get them', () => {
    scope(() => {
      const image = randn([2, 4, 3, 3]);
      image.requiresGrad = true;
      const units = makeUnits({
        channels: 4,
        out: 4,
        groups: 1,
        kernel: 3,
        stride: 1,
        dilation: 1,
        affine: false,
      });
      const { values } = fused.reluConvNorm(image, units);
      expect(() => grad(values.sum(), [image], { createGraph: true })).toThrow('withoutKernels');
      expect(fused.runsKernels(image)).toBe(true);
      expect(fused.withoutKernels(() => fused.runsKernels(image))).toBe(false);
    });
  });

  it('let a diverged training show: NaN stays NaN', () => {
    scope(() => {
      const image = tensor([[[[Number.NaN, 1]]]]);
      const [unit] = makeUnits({
        channels: 1,
        out: 1,
        groups: 1,
        kernel: 0,
        stride: 1,
        dilation: 1,
        affine: false,
      });
      expect(fused.reluConvNorm(image, [unit!]).toTensor().toNumbers()).toEqual([Number.NaN, Number.NaN]);
    });
  });

  it.each([
    [{ kernel: 4 }, 'the filters are 4 wide; allowed: 1, 3, 5, 7'],
    [{ channels: 3 }, 'allowed: 3 channels for all units'],
    [{ kernel: 5, dilation: 4 }, 'nothing is left'],
  ])('name arguments that do not fit: %o', (given, message) => {
    scope(() => {
      const units = makeUnits({
        channels: 4,
        out: 4,
        groups: 1,
        kernel: 3,
        stride: 1,
        dilation: 1,
        affine: false,
        ...given,
      });
      const [{ depthwise }] = units as [LayeredUnit];
      const cropped = depthwise && { depthwise: Object.assign(depthwise, { padding: [0, 0] }) };
      expect(() => fused.reluConvNorm(randn([2, 4, 3, 3]), [{ ...units[0]!, ...cropped }])).toThrow(message);
    });
  });
});

onOneAndTwoThreads(() => {
  it('the kernels give the same bytes in every run', () => {
    const run = () =>
      scope(() => {
        manualSeed(6);
        const units = makeUnits({
          channels: 8,
          out: 8,
          groups: 3,
          kernel: 5,
          stride: 1,
          dilation: 2,
          affine: false,
        });
        const image = randn([5, 8, 9, 9]);
        image.requiresGrad = true;
        const output = fused.reluConvNorm(image, units).toTensor();
        const weights = units.flatMap(({ depthwise, pointwise }) => [depthwise!.weight, pointwise]);
        return [output, ...grad(output.pow(3).sum(), [image, ...weights])].map((each) => each.toNumbers());
      });
    expect(run()).toEqual(run());
  });
});

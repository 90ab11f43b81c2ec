import { nn, type Tensor } from '@espalier/torch';
import type { InputShape } from '../space/space.js';
import { Backbone, type FeatureMap } from './backbone.js';
import { ReluConvBn, Zero } from './darts/operations.js';
import type { NasBench201Cell, NasBench201Operation } from './nasbench201-cell.js';

/** Builds the operation with the given name, with `channels` input and output channels. `affine` is as in DARTS. */
export function makeNasBench201Operation(
  name: NasBench201Operation,
  channels: number,
  affine: boolean,
): nn.Layer {
  switch (name) {
    case 'none':
      return new Zero(1);
    case 'skip_connect':
      return new nn.Identity();
    case 'nor_conv_1x1':
      return new ReluConvBn(channels, channels, 1, affine);
    case 'nor_conv_3x3':
      return new ReluConvBn(channels, channels, 3, affine);
    case 'avg_pool_3x3':
      return new nn.AvgPool2d(3, { stride: 1, padding: 1, countIncludePad: false });
  }
}

/** A cell. Each node is the sum of the operations on all earlier nodes; the last node is the output. */
class CellLayer extends nn.Layer {
  /** The operation on each edge, node by node. */
  readonly layers: readonly nn.Layer[];
  readonly #nodes: number;

  constructor(cell: NasBench201Cell, channels: number) {
    super();
    this.layers = cell.flat().map((operation) => makeNasBench201Operation(operation, channels, true));
    this.#nodes = cell.length;
  }

  forward(input: Tensor): Tensor {
    const states = [input];
    let edge = 0;
    for (let node = 0; node < this.#nodes; node++) {
      const values = states.map((state) => (this.layers[edge++] as nn.Layer).forward(state));
      states.push(values.reduce((sum, value) => sum.add(value)));
    }
    return states.at(-1) as Tensor;
  }
}

/**
 * A residual block between two stages: two 3x3 convolutions and a pooled shortcut. It halves the size and doubles the
 * channels.
 */
export class ResidualBlock extends nn.Layer {
  readonly conv_a: ReluConvBn;
  readonly conv_b: ReluConvBn;
  readonly downsample: nn.Sequential;

  constructor(inputs: number) {
    super();
    this.conv_a = new ReluConvBn(inputs, 2 * inputs, 3, true, 2);
    this.conv_b = new ReluConvBn(2 * inputs, 2 * inputs, 3, true);
    this.downsample = new nn.Sequential(
      // The convolutions round the size up, so that images of any size pass.
      new nn.AvgPool2d(2, { ceilMode: true }),
      new nn.Conv2d(inputs, 2 * inputs, 1, { bias: false }),
    );
  }

  forward(input: Tensor): Tensor {
    const convolved = this.conv_b.forward(this.conv_a.forward(input));
    return this.downsample.forward(input).add(convolved);
  }
}

export function makeStem(shape: InputShape, channels: number): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(shape.channels, channels, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(channels),
  );
}

const STAGES = 3;

/** The stages of the benchmark's networks: `cells` cells each, with a residual block between two stages. */
export function makeStages<C extends nn.Module>(
  options: { readonly channels: number; readonly cells: number },
  makeCell: (channels: number) => C,
): { stages: (C | ResidualBlock)[]; channels: number } {
  const stages: (C | ResidualBlock)[] = [];
  let { channels } = options;
  for (let stage = 0; stage < STAGES; stage++) {
    if (stage > 0) {
      stages.push(new ResidualBlock(channels));
      channels *= 2;
    }
    for (let i = 0; i < options.cells; i++) stages.push(makeCell(channels));
  }
  return { stages, channels };
}

/**
 * A network of NAS-Bench-201 (section 2.1), which maps images [N, channels, height, width] to logits [N, classes]. Height
 * and width must be divisible by 4. Modules and parameters have the names of the authors' `TinyNetwork`.
 */
export class NasBench201Network extends Backbone {
  readonly stem: nn.Sequential;
  readonly cells: readonly nn.Layer[];
  readonly lastact: nn.Sequential;
  readonly classifier: nn.Linear;

  /** @param options number of channels of the first stage, and number of cells in each of the three stages */
  constructor(
    cell: NasBench201Cell,
    shape: InputShape,
    options: { readonly channels: number; readonly cells: number },
  ) {
    super();
    const { stages, channels } = makeStages(options, (own) => new CellLayer(cell, own));
    this.stem = makeStem(shape, options.channels);
    this.cells = stages;
    this.lastact = new nn.Sequential(new nn.BatchNorm2d(channels), new nn.ReLU());
    this.classifier = new nn.Linear(channels, shape.classes);
  }

  /** The maps of the stem, and of each cell and residual block. */
  protected override body(image: Tensor): { readonly maps: readonly FeatureMap[] } {
    let stride = 1;
    let map = this.stem.forward(image);
    const maps: FeatureMap[] = [{ stride, map }];
    for (const cell of this.cells) {
      if (cell instanceof ResidualBlock) stride *= 2;
      map = cell.forward(map);
      maps.push({ stride, map });
    }
    return { maps };
  }

  protected override head({ maps }: { readonly maps: readonly FeatureMap[] }): Tensor {
    const last = this.lastact.forward((maps.at(-1) as FeatureMap).map);
    return this.classifier.forward(last.adaptiveAvgPool2d(1).flatten(1));
  }
}

import { nn, type Tensor } from '@espalier/torch';
import { InputError } from '../../input-error.js';
import type { InputShape } from '../../space/space.js';
import { Backbone, type FeatureMap } from '../backbone.js';
import { AuxiliaryHead } from './auxiliary-head.js';
import { Cell } from './cell.js';
import { planCells, secondReduction } from './cell-plan.js';
import type { DartsEdges, DartsGenotype } from './genotype.js';

export interface DartsNetworkOptions {
  /** Number of channels of a node in the first cells. */
  readonly channels: number;
  /** Number of cells. */
  readonly layers: number;
  readonly layout: 'cifar' | 'imagenet';
  /** Whether the network has an auxiliary head. */
  readonly auxiliary: boolean;
}

/**
 * Limits of the auxiliary head: `reduction` is the ratio of image size to feature size, `from` and `to` the range of
 * feature sizes that pooling reduces to 2x2.
 */
const AUXILIARY = {
  cifar: { images: 'from 29 to 40 pixels', reduction: 4, from: 8, to: 10 },
  imagenet: { images: 'from 193 to 256 pixels', reduction: 32, from: 7, to: 8 },
} as const;

/**
 * A network of DARTS (sections 3.2 and A.2), which maps images [N, channels, height, width] to logits [N, classes].
 * Modules and parameters have the names of the authors' `NetworkCIFAR` and `NetworkImageNet`.
 */
export class DartsNetwork extends Backbone {
  /** Layout `cifar`: one convolution to 3C channels. */
  readonly stem?: nn.Sequential;
  /** Layout `imagenet`: the first cell reads features at a quarter and at an eighth of the image size. */
  readonly stem0?: nn.Sequential;
  readonly stem1?: nn.Sequential;
  readonly cells: readonly Cell[];
  readonly auxiliary_head?: AuxiliaryHead;
  readonly classifier: nn.Linear;
  /** The probability of dropping a path in training. The authors raise it from 0 to 0.2 (cifar) over the epochs. */
  dropPathProbability = 0;

  /** @throws InputError if an auxiliary head is requested without a second reduction, or for unsupported image sizes */
  constructor(genotype: DartsGenotype<DartsEdges>, shape: InputShape, options: DartsNetworkOptions) {
    super();
    const { channels, layers, layout } = options;
    if (layout === 'cifar') this.stem = new nn.Sequential(...convolution(shape.channels, 3 * channels, 1));
    else {
      const half = Math.floor(channels / 2);
      this.stem0 = new nn.Sequential(
        ...convolution(shape.channels, half, 2),
        new nn.ReLU(),
        ...convolution(half, channels, 2),
      );
      this.stem1 = new nn.Sequential(new nn.ReLU(), ...convolution(channels, channels, 2));
    }
    const width = { normal: genotype.normal_concat.length, reduce: genotype.reduce_concat.length };
    const stem =
      layout === 'cifar' ? { channels: 3 * channels, reduced: false } : { channels, reduced: true };
    const plans = planCells(layers, channels, stem, width);
    this.cells = plans.map((plan) =>
      plan.reduces
        ? new Cell(genotype.reduce, genotype.reduce_concat, plan)
        : new Cell(genotype.normal, genotype.normal_concat, plan),
    );
    const outputs = plans.map(({ own, reduces }) => own * (reduces ? width.reduce : width.normal));
    if (options.auxiliary) {
      checkAuxiliary(shape, options);
      this.auxiliary_head = new AuxiliaryHead(
        outputs[secondReduction(layers)] as number,
        shape.classes,
        layout,
      );
    }
    this.classifier = new nn.Linear(outputs.at(-1) as number, shape.classes);
  }

  /** The outputs for a training step: the logits, and those of the auxiliary head if the network has one. */
  forwardWithAuxiliary(image: Tensor): { logits: Tensor; auxiliary?: Tensor } {
    const body = this.body(image);
    const logits = this.head(body);
    const head = this.auxiliary_head;
    if (head === undefined) return { logits };
    const { map } = body.maps.at(secondReduction(this.cells.length) - this.cells.length) as FeatureMap;
    return { logits, auxiliary: head.forward(map) };
  }

  /** The maps of the stem and of each cell. */
  protected override body(image: Tensor): { readonly maps: readonly FeatureMap[] } {
    const maps = this.#stemMaps(image);
    let { stride, map: last } = maps.at(-1) as FeatureMap;
    let beforeLast = (maps.at(-2) ?? (maps[0] as FeatureMap)).map;
    for (const cell of this.cells) {
      if (cell.kind === 'reduction') stride *= 2;
      [beforeLast, last] = [last, cell.forward(beforeLast, last, this.dropPathProbability)];
      maps.push({ stride, map: last });
    }
    return { maps };
  }

  protected override head({ maps }: { readonly maps: readonly FeatureMap[] }): Tensor {
    return this.classifier.forward((maps.at(-1) as FeatureMap).map.adaptiveAvgPool2d(1).flatten(1));
  }

  #stemMaps(image: Tensor): FeatureMap[] {
    if (this.stem !== undefined) return [{ stride: 1, map: this.stem.forward(image) }];
    const quarter = (this.stem0 as nn.Sequential).forward(image);
    return [
      { stride: 4, map: quarter },
      { stride: 8, map: (this.stem1 as nn.Sequential).forward(quarter) },
    ];
  }
}

/** A 3x3 convolution followed by batch norm. */
function convolution(inputs: number, outputs: number, stride: number): nn.Layer[] {
  return [
    new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false }),
    new nn.BatchNorm2d(outputs),
  ];
}

function checkAuxiliary({ height, width }: InputShape, { layout, layers }: DartsNetworkOptions): void {
  if (layers < 2)
    throw new InputError(
      `the auxiliary head needs a second reduction cell; allowed: 2 layers or more, not ${layers}`,
    );
  const { images, reduction, from, to } = AUXILIARY[layout];
  const fits = [height, width].every((size) => {
    const features = Math.ceil(size / reduction);
    return features >= from && features <= to;
  });
  if (!fits)
    throw new InputError(
      `the auxiliary head of layout '${layout}' needs images with sides ${images}, not ${height}x${width}; ` +
        'without it (auxiliary = false, or auxiliaryWeight = 0 in training), any size is allowed',
    );
}

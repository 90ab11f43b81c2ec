import { nn, type Tensor } from '@espalier/torch';
import { InputError } from '../../input-error.js';
import type { InputShape } from '../../space/space.js';
import { Backbone, type FeatureMap } from '../backbone.js';
import { cellWidth, type NasnetArchitecture } from './architecture.js';
import { AuxiliaryHead } from './auxiliary-head.js';
import { NasnetCell } from './cell.js';
import { type PlannedCell, planCells, STAGES, STEM_CELLS } from './cell-plan.js';
import type { Normalization } from './convolution.js';

export interface NasnetOptions {
  /** N: number of normal cells per stage. */
  readonly cells: number;
  /** Number of filters of the convolutions in the first stage. Ignored if `filters` is given. */
  readonly channels: number;
  /** F: number of filters of the penultimate layer. */
  readonly filters: number | null;
  readonly layout: 'cifar' | 'imagenet';
  /** Number of filters of the stem's convolution. Null for the number used in the authors' smaller networks. */
  readonly stemFilters: number | null;
  readonly skipReductionInput: boolean;
  /** The dropout probability before the classifier. */
  readonly dropout: number;
  readonly auxiliary: boolean;
}

/** The authors' settings for each layout. The momentum is the weight of the new batch. */
const NORMALIZATION: Readonly<Record<NasnetOptions['layout'], Normalization>> = {
  cifar: { epsilon: 1e-5, momentum: 0.1 },
  imagenet: { epsilon: 1e-3, momentum: 3e-4 },
};

/** The stem's convolution has three times the filters of the first stage (cifar), or 32 filters (imagenet). */
const STEM_MULTIPLIER = 3;
const IMAGENET_STEM_FILTERS = 32;

/** With fewer filters, half of a factorized reduction would be empty. */
const FEWEST_FILTERS = 2;

/**
 * A network "N @ F" (section 3, figure 2), which maps images [batch, channels, height, width] to logits [batch, classes].
 * It consists of a stem and three stages of N normal cells. A reduction cell before the second and the third stage
 * doubles the number of filters. Layout `imagenet` starts with a convolution of stride 2 without padding, followed by two
 * more reduction cells with a quarter and half of the filters.
 *
 * Windows are padded symmetrically, as in PyTorch. The authors' TensorFlow code pads windows of stride 2 more at the end
 * if the size is even.
 */
export class NasnetNetwork extends Backbone {
  readonly stem: nn.Sequential;
  readonly cells: readonly NasnetCell[];
  readonly auxiliary_head?: AuxiliaryHead;
  readonly dropout: nn.Dropout;
  readonly classifier: nn.Linear;
  /**
   * The probability with which the last cell drops a path in training. Cell i of n drops paths with i/n of this
   * probability. Scheduled drop path raises it linearly over training from 0 to its final value (0.4 for cifar, 0.3 for
   * the large network).
   */
  dropPathProbability = 0;
  /** The cell that gives the second input of each cell. -1 is the stem. */
  readonly #previous: readonly (number | undefined)[];
  readonly #auxiliaryCell: number;
  /** Of the stem's output. */
  readonly #stemStride: number;

  /** @throws InputError if the number of filters does not fit the cells, or if the images are too small */
  constructor(architecture: NasnetArchitecture, shape: InputShape, options: NasnetOptions) {
    super();
    const { cells, layout } = options;
    const normalization = NORMALIZATION[layout];
    const imagenet = layout === 'imagenet';
    if (imagenet && Math.min(shape.height, shape.width) < 3)
      throw new InputError(
        `space nasnet: the stem of layout 'imagenet' needs images of at least 3x3, not ${shape.height}x${shape.width}`,
      );
    const channels = firstFilters(architecture, options);
    const stemFilters =
      options.stemFilters ?? (imagenet ? IMAGENET_STEM_FILTERS : STEM_MULTIPLIER * channels);
    this.stem = new nn.Sequential(
      new nn.Conv2d(shape.channels, stemFilters, 3, {
        ...(imagenet ? { stride: 2 } : { padding: 1 }),
        bias: false,
      }),
      new nn.BatchNorm2d(stemFilters, normalization),
    );
    const plan = planCells(architecture, { ...options, channels, stemFilters });
    this.#previous = plan.map(({ previousCell }) => previousCell);
    this.cells = plan.map(({ kind, place }) => new NasnetCell(architecture[kind], place, normalization));
    this.#stemStride = imagenet ? 2 : 1;
    this.#auxiliaryCell = STEM_CELLS[layout] + 2 * cells;
    if (options.auxiliary)
      this.auxiliary_head = new AuxiliaryHead(
        (plan[this.#auxiliaryCell] as PlannedCell).outputs,
        [sideBeforeSecondReduction(shape.height, layout), sideBeforeSecondReduction(shape.width, layout)],
        shape.classes,
        normalization,
      );
    this.dropout = new nn.Dropout(options.dropout);
    this.classifier = new nn.Linear((plan.at(-1) as PlannedCell).outputs, shape.classes);
  }

  /** The outputs for a training step: the logits, and those of the auxiliary head if the network has one. */
  forwardWithAuxiliary(image: Tensor): { logits: Tensor; auxiliary?: Tensor } {
    const body = this.body(image);
    const logits = this.head(body);
    const head = this.auxiliary_head;
    if (head === undefined) return { logits };
    const { map } = body.maps[this.#auxiliaryCell + 1] as FeatureMap;
    return { logits, auxiliary: head.forward(map) };
  }

  /** The maps of the stem and of each cell. */
  protected override body(image: Tensor): { readonly maps: readonly FeatureMap[] } {
    const stem = this.stem.forward(image);
    let stride = this.#stemStride;
    const maps: FeatureMap[] = [{ stride, map: stem }];
    const outputOf = (cell: number | undefined) => maps[(cell ?? -1) + 1]?.map as Tensor;
    for (const [index, cell] of this.cells.entries()) {
      const depth = (index + 1) / this.cells.length;
      const input = outputOf(index - 1);
      const previous = outputOf(this.#previous[index]);
      if (cell.kind === 'reduction') stride *= 2;
      maps.push({ stride, map: cell.forward(input, previous, depth * this.dropPathProbability) });
    }
    return { maps };
  }

  protected override head({ maps }: { readonly maps: readonly FeatureMap[] }): Tensor {
    const pooled = (maps.at(-1) as FeatureMap).map.relu().adaptiveAvgPool2d(1).flatten(1);
    return this.classifier.forward(this.dropout.forward(pooled));
  }
}

/** The number of filters of the convolutions in the first stage. */
function firstFilters({ normal }: NasnetArchitecture, options: NasnetOptions): number {
  const { filters, layout } = options;
  const width = cellWidth(normal);
  const shares = 2 ** (STAGES - 1) * width;
  const first = filters === null ? options.channels : filters / shares;
  const fewest = FEWEST_FILTERS * 2 ** STEM_CELLS[layout];
  if (Number.isInteger(first) && first >= fewest) return first;
  throw new InputError(
    filters === null
      ? `space nasnet: option 'channels' is ${first}; allowed with layout '${layout}': ${fewest} or more`
      : `space nasnet: option 'filters' is ${filters}; allowed with layout '${layout}' and a normal cell whose output is ` +
          `${width} times as wide as its convolutions: multiples of ${shares}, at least ${fewest * shares}`,
  );
}

/** Height or width of the input of the second reduction cell. */
function sideBeforeSecondReduction(side: number, layout: NasnetOptions['layout']): number {
  const halvings = STEM_CELLS[layout] + 1;
  const stem = layout === 'imagenet' ? Math.floor((side - 3) / 2) + 1 : side;
  return Math.ceil(stem / 2 ** halvings);
}

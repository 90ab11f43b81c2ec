import { nn, type Tensor } from '@espalier/torch';
import { InputError } from '../../input-error.js';
import type { InputShape } from '../../space/space.js';
import { cellWidth, type NasnetArchitecture } from './architecture.js';
import { AuxiliaryHead } from './auxiliary-head.js';
import { NasnetCell } from './cell.js';
import { type PlannedCell, planCells, STAGES, STEM_CELLS } from './cell-plan.js';
import type { Normalization } from './convolution.js';

export interface NasnetOptions {
  /** N: normal cells of a stage. */
  readonly cells: number;
  /** Filters of the convolutions of the first stage; of no meaning where `filters` is given. */
  readonly channels: number;
  /** F: filters of the penultimate layer. */
  readonly filters: number | null;
  readonly layout: 'cifar' | 'imagenet';
  /** Filters of the stem's convolution; null as in the authors' smaller networks. */
  readonly stemFilters: number | null;
  readonly skipReductionInput: boolean;
  /** The probability of dropout before the classifier. */
  readonly dropout: number;
  readonly auxiliary: boolean;
}

/** The authors' for each layout; the momentum is the new batch's share. */
const NORMALIZATION: Readonly<Record<NasnetOptions['layout'], Normalization>> = {
  cifar: { epsilon: 1e-5, momentum: 0.1 },
  imagenet: { epsilon: 1e-3, momentum: 3e-4 },
};

/** Filters of the stem's convolution: three times those of the first stage (cifar), or 32 (imagenet). */
const STEM_MULTIPLIER = 3;
const IMAGENET_STEM_FILTERS = 32;

/** So that the halves of a factorized reduction are not empty. */
const FEWEST_FILTERS = 2;

/**
 * A network "N @ F" (section 3, figure 2): [N, channels, height, width] to the logits [N, classes]. A stem, three
 * stages of N normal cells, a reduction cell before the second and the third, which double the filters. Layout
 * `imagenet` begins with a convolution of stride 2 without padding and two more reduction cells, of a quarter and half
 * the filters. Windows are padded alike on both sides, as PyTorch does; the authors' TensorFlow pads windows of stride 2
 * more at the end where the side is even.
 */
export class NasnetNetwork extends nn.Layer {
  readonly stem: nn.Sequential;
  readonly cells: readonly NasnetCell[];
  readonly auxiliary_head?: AuxiliaryHead;
  readonly dropout: nn.Dropout;
  readonly classifier: nn.Linear;
  /**
   * The probability with which the last cell drops a path in training; cell i of n drops with i/n of it. In scheduled
   * drop path it rises linearly from 0 to its end (0.4 for cifar, 0.3 for the large network) over the training.
   */
  dropPathProbability = 0;
  /** The cell that each cell reads beside the one before it; -1 is the stem. */
  readonly #previous: readonly (number | undefined)[];
  readonly #auxiliaryCell: number;

  /** @throws InputError for filters that cannot be shared out among the cells, and for images that are too small */
  constructor(architecture: NasnetArchitecture, shape: InputShape, options: NasnetOptions) {
    super();
    const { cells, layout } = options;
    const normalization = NORMALIZATION[layout];
    const imagenet = layout === 'imagenet';
    if (imagenet && Math.min(shape.height, shape.width) < 3)
      throw new InputError(
        `space nasnet: the stem of layout 'imagenet' takes images of 3x3 and more, not ${shape.height}x${shape.width}`,
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

  forward(image: Tensor): Tensor {
    return this.#run(image).logits;
  }

  /** The logits, and those of the auxiliary head where the network has one: what a training step reads. */
  forwardWithAuxiliary(image: Tensor): { logits: Tensor; auxiliary?: Tensor } {
    const { logits, features } = this.#run(image);
    const head = this.auxiliary_head;
    return head === undefined ? { logits } : { logits, auxiliary: head.forward(features) };
  }

  #run(image: Tensor): { logits: Tensor; features: Tensor } {
    const stem = this.stem.forward(image);
    const outputs: Tensor[] = [];
    for (const [index, cell] of this.cells.entries()) {
      const input = outputs[index - 1] ?? stem;
      const previous = outputs[this.#previous[index] ?? -1] ?? stem;
      const depth = (index + 1) / this.cells.length;
      outputs.push(cell.forward(input, previous, depth * this.dropPathProbability));
    }
    const pooled = (outputs.at(-1) as Tensor).relu().adaptiveAvgPool2d(1).flatten(1);
    const logits = this.classifier.forward(this.dropout.forward(pooled));
    return { logits, features: outputs[this.#auxiliaryCell] as Tensor };
  }
}

/** Filters of the convolutions of the first stage. */
function firstFilters({ normal }: NasnetArchitecture, options: NasnetOptions): number {
  const { filters, layout } = options;
  const width = cellWidth(normal);
  const shares = 2 ** (STAGES - 1) * width;
  const first = filters === null ? options.channels : filters / shares;
  const fewest = FEWEST_FILTERS * 2 ** STEM_CELLS[layout];
  if (Number.isInteger(first) && first >= fewest) return first;
  throw new InputError(
    filters === null
      ? `space nasnet: option 'channels' is ${first}; allowed with layout '${layout}': ${fewest} and more`
      : `space nasnet: option 'filters' is ${filters}; allowed with a normal cell that concatenates ${width} times the ` +
          `filters of its convolutions, and layout '${layout}': multiples of ${shares}, from ${fewest * shares}`,
  );
}

/** Height or width of what the second reduction cell reads. */
function sideBeforeSecondReduction(side: number, layout: NasnetOptions['layout']): number {
  const halvings = STEM_CELLS[layout] + 1;
  const stem = layout === 'imagenet' ? Math.floor((side - 3) / 2) + 1 : side;
  return Math.ceil(stem / 2 ** halvings);
}

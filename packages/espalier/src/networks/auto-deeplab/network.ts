import type { Tensor } from '@espalier/torch';
import type { InputShape } from '../../space/space.js';
import { Backbone, type FeatureMap } from '../backbone.js';
import { type AutoDeepLab, type Block, cellsOf, type UntiedAutoDeepLab } from './architecture.js';
import { Cell } from './cell.js';
import { Decoder } from './decoder.js';
import { halved, resize, type Size, sizeOf } from './resize.js';
import { PYRAMID_CHANNELS, SpatialPyramid } from './spatial-pyramid.js';
import { STEM_CHANNELS, Stem } from './stem.js';

/** How wide a network is. */
export interface AutoDeepLabWidths {
  /** F: filters of a cell at stride 4. */
  readonly filterMultiplier: number;
  /** Channels of the stem's map at stride 2; that at stride 4 has twice as many. */
  readonly stemChannels?: number;
  /** Channels of each branch of the pyramid and of the decoder. */
  readonly headChannels?: number;
}

/** What the cells of a network make of images of a size. */
interface AutoDeepLabMaps {
  readonly maps: readonly FeatureMap[];
  readonly imageSize: Size;
}

/**
 * The segmentation network of an architecture (Liu et al. 2019): stem, cells along the path, atrous spatial pyramid pooling
 * and decoder. It maps images [N, channels, H, W] to logits [N, classes, H, W]. In training, N must be at least 2 because of
 * the batch norm after image pooling.
 *
 * A cell at level l has F = `filterMultiplier` * 2^l filters, and F times its number of blocks as output
 * channels.
 *
 * The low-level features of the decoder are the output of the last layer before the path first leaves stride 4, or of the
 * stem if the first layer is already at stride 8. With image sizes 32 k + 1, the corners of the maps are aligned at all
 * strides, as in the authors' code. Other sizes are rounded up. A layer that returns to a lower level has the size that the
 * maps of this level had before.
 */
export class AutoDeepLabNetwork extends Backbone<AutoDeepLabMaps> {
  readonly stem: Stem;
  readonly cells: readonly Cell[];
  readonly pyramid: SpatialPyramid;
  readonly decoder: Decoder;
  /**
   * The probability of dropping an operation of the last layer in training. For earlier layers it is proportional to their
   * depth. Scheduled drop path (section 5.2.1; Zoph et al. 2018) raises it from 0 over the steps.
   */
  dropPathProbability = 0;
  readonly #path: readonly number[];
  /** The number of layers before the path first leaves stride 4. */
  readonly #layersAtStride4: number;

  constructor(
    architecture: AutoDeepLab | UntiedAutoDeepLab,
    shape: InputShape,
    { filterMultiplier, stemChannels = STEM_CHANNELS, headChannels = PYRAMID_CHANNELS }: AutoDeepLabWidths,
  ) {
    super();
    const { path } = architecture;
    const cells = cellsOf(architecture);
    this.stem = new Stem(shape.channels, stemChannels);
    this.#path = path;
    const left = path.findIndex((level) => level > 0);
    this.#layersAtStride4 = left < 0 ? path.length : left;

    const filters = path.map((level) => filterMultiplier * 2 ** level);
    const channels = [
      stemChannels,
      2 * stemChannels,
      ...filters.map((own, layer) => own * (cells[layer] as readonly Block[]).length),
    ];
    this.cells = path.map((level, layer) => {
      const [before, previous] = channels.slice(layer) as [number, number];
      const stride = level > (path[layer - 1] ?? 0) ? 2 : 1;
      return new Cell(
        cells[layer] as readonly Block[],
        filters[layer] as number,
        { previous, before },
        stride,
      );
    });
    this.pyramid = new SpatialPyramid(channels.at(-1) as number, 4 * 2 ** (path.at(-1) as number), {
      channels: headChannels,
    });
    this.decoder = new Decoder(channels[this.#layersAtStride4 + 1] as number, shape.classes, headChannels);
  }

  /** The two maps of the stem, and that of each cell. */
  protected override body(image: Tensor): AutoDeepLabMaps {
    const { half, quarter } = this.stem.forward(image);
    const maps: FeatureMap[] = [
      { stride: 2, map: half },
      { stride: 4, map: quarter },
    ];
    /** The size of the maps at each level reached so far. A path passes through every level on its way down. */
    const sizes: Size[] = [sizeOf(quarter)];
    let level = 0;
    for (const [layer, cell] of this.cells.entries()) {
      const [before, previous] = maps.slice(-2).map(({ map }) => map) as [Tensor, Tensor];
      const next = this.#path[layer] as number;
      if (next > level) sizes[next] = halved(previous);
      const scaled = next < level ? resize(previous, sizes[next] as Size) : previous;
      const dropProbability = (this.dropPathProbability * (layer + 1)) / this.cells.length;
      maps.push({ stride: 4 * 2 ** next, map: cell.forward(scaled, before, dropProbability) });
      level = next;
    }
    return { maps, imageSize: sizeOf(image) };
  }

  protected override head({ maps, imageSize }: AutoDeepLabMaps): Tensor {
    const features = this.pyramid.forward((maps.at(-1) as FeatureMap).map.relu());
    const lowLevel = maps[this.#layersAtStride4 + 1] as FeatureMap;
    return resize(this.decoder.forward(features, lowLevel.map), imageSize);
  }
}

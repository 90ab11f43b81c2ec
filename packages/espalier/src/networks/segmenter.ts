import { noGrad, scope, type Tensor, zeros } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { InputShape } from '../space/space.js';
import { Decoder } from './auto-deeplab/decoder.js';
import { resize, type Size, sizeOf } from './auto-deeplab/resize.js';
import { PYRAMID_CHANNELS, SpatialPyramid } from './auto-deeplab/spatial-pyramid.js';
import { Backbone, type FeatureMap } from './backbone.js';

/** Atrous 3x3 branches of the pyramid (Chen et al. 2017, "Rethinking atrous convolution", section 3.3). */
const ATROUS = 3;

/** Side of the image, in pixels, on which the channels of the maps are found out: one pixel or more at stride 32. */
const PROBE = 64;

interface SegmenterMaps {
  /** Those of the backbone, at strides 4 to 32. */
  readonly maps: readonly FeatureMap[];
  readonly imageSize: Size;
}

/**
 * A network whose maps are read by the head of DeepLabv3+ (Chen et al. 2018, section 3.1): atrous spatial pyramid pooling on
 * the map of the largest stride from 4 to 32, and a decoder that adds the map of the smallest. It maps images
 * [N, channels, H, W] to logits [N, classes, H, W]. In training, N must be at least 2 because of the batch norm after image
 * pooling.
 *
 * The branches of the pyramid have as many channels as the map, as in the search of Auto-DeepLab (Liu et al. 2019,
 * section 5.1), but at most the 256 of DeepLabv3+.
 */
export class Segmenter extends Backbone<SegmenterMaps> {
  readonly pyramid: SpatialPyramid;
  readonly decoder: Decoder;

  /**
   * @param space the name of its space, for the message
   * @throws InputError for a network with no map of the strides 4 to 32
   */
  constructor(
    readonly backbone: Backbone,
    { channels, height, width, classes }: InputShape,
    space: string,
  ) {
    super();
    const maps = scope(() =>
      noGrad(() => {
        const features = backbone
          .eval()
          .features(zeros([1, channels, Math.min(height, PROBE), Math.min(width, PROBE)]));
        return features.map(({ stride, map }) => ({ stride, channels: map.shape[1] as number }));
      }),
    );
    backbone.train();
    const [fine, coarse] = [maps.at(0), maps.at(-1)];
    if (fine === undefined || coarse === undefined)
      throw new InputError(
        `this network of space ${space} has no map of the strides 4, 8, 16 and 32, which the head of a segmenter reads`,
      );
    const own = Math.min(coarse.channels, PYRAMID_CHANNELS);
    this.pyramid = new SpatialPyramid(coarse.channels, coarse.stride, { channels: own, atrous: ATROUS });
    this.decoder = new Decoder(fine.channels, classes, own);
  }

  /** That of the backbone. */
  get dropPathProbability(): number {
    return 'dropPathProbability' in this.backbone ? Number(this.backbone.dropPathProbability) : 0;
  }

  set dropPathProbability(probability: number) {
    if ('dropPathProbability' in this.backbone) this.backbone.dropPathProbability = probability;
  }

  protected override body(image: Tensor): SegmenterMaps {
    return { maps: this.backbone.features(image), imageSize: sizeOf(image) };
  }

  protected override head({ maps, imageSize }: SegmenterMaps): Tensor {
    const [fine, coarse] = [maps.at(0), maps.at(-1)] as [FeatureMap, FeatureMap];
    // Maps are what the next cell would read, and cells begin with ReLU.
    const features = this.pyramid.forward(coarse.map.relu());
    return resize(this.decoder.forward(features, fine.map.relu()), imageSize);
  }
}

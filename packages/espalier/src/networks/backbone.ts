import { nn, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';

/** A map that a network makes of images on its way to the logits. */
export interface FeatureMap {
  /** How many pixels of the image lie between two neighbours of the map, along both height and width. */
  readonly stride: number;
  /** [N, C, H / stride, W / stride] of images [N, channels, H, W]; most networks round sizes up. */
  readonly map: Tensor;
}

/** The strides that detectors and segmentation heads read (Lin et al. 2017, section 3: C2 to C5). */
const STRIDES = [4, 8, 16, 32] as const;

/**
 * A network of images whose maps other networks can read, as Zoph et al. 2018 (section 4.3) reuse NASNet in Faster R-CNN.
 *
 * @typeParam Body what the network has computed before its head
 */
export abstract class Backbone<
  Body extends { readonly maps: readonly FeatureMap[] } = { readonly maps: readonly FeatureMap[] },
> extends nn.Layer {
  /** Computes everything but the head. The maps are in the order in which they are made. */
  protected abstract body(images: Tensor): Body;

  /** The logits. */
  protected abstract head(body: Body): Tensor;

  forward(images: Tensor): Tensor {
    return this.head(this.body(images));
  }

  /**
   * The last map of each of the strides 4, 8, 16 and 32 that the network comes to, in this order. A map is what the next
   * layer reads; where that layer begins with ReLU, the map has negative values. Gradients go through it.
   *
   * @param images [N, channels, H, W]
   */
  features(images: Tensor): readonly FeatureMap[] {
    return lastOfEachStride(this.body(images).maps);
  }

  /** Both in one pass. @param images [N, channels, H, W] */
  forwardWithFeatures(images: Tensor): { readonly logits: Tensor; readonly features: readonly FeatureMap[] } {
    const body = this.body(images);
    return { logits: this.head(body), features: lastOfEachStride(body.maps) };
  }
}

function lastOfEachStride(maps: readonly FeatureMap[]): readonly FeatureMap[] {
  return STRIDES.flatMap((wanted) => maps.findLast(({ stride }) => stride === wanted) ?? []);
}

/**
 * A network as one whose maps can be read.
 *
 * @param space the name of its space, for the message
 * @throws InputError for a network that is none
 */
export function asBackbone(network: nn.Module, space: string): Backbone {
  if (network instanceof Backbone) return network;
  throw new InputError(
    `the networks of space ${space} give no maps of features; allowed: networks that extend Backbone`,
  );
}

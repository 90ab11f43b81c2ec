/**
 * The types of layers: the convolutions of Zoph & Le 2016, and the other types named in section 3.3, "pooling, local
 * contrast normalization, batchnorm".
 */
export const LAYER_TYPES = [
  'convolution',
  'max_pool',
  'avg_pool',
  'batch_norm',
  'local_contrast_norm',
] as const;

export type LayerType = (typeof LAYER_TYPES)[number];

export interface Convolution {
  /** Omitted by spaces that only have convolutions. */
  readonly type?: 'convolution';
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly filters: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
}

export interface Pooling {
  readonly type: 'max_pool' | 'avg_pool';
  /** Height and width of the window, in pixels. */
  readonly window: number;
  /** Stride along both height and width. */
  readonly stride: number;
}

interface Normalisation {
  readonly type: 'batch_norm' | 'local_contrast_norm';
}

export type LayerKind = Convolution | Pooling | Normalisation;

/** `inputs` are the earlier layers (0 is the first) whose outputs the layer reads. A layer without inputs reads the image. */
export type ZophLayer = LayerKind & { readonly inputs: readonly number[] };

/** A convolutional network of Zoph & Le 2016: its layers, starting from the image. */
export interface ZophCnn {
  readonly layers: readonly ZophLayer[];
}

export function isConvolution(layer: LayerKind): layer is Convolution {
  return layer.type === undefined || layer.type === 'convolution';
}

/**
 * What a layer can be: the convolutions of Zoph & Le 2016, and what section 3.3 names besides, "pooling, local contrast
 * normalization, batchnorm".
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
  /** Missing where a space has convolutions only. */
  readonly type?: 'convolution';
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly filters: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
}

export interface Pooling {
  readonly type: 'max_pool' | 'avg_pool';
  /** Height and width of the window in pixels. */
  readonly window: number;
  /** Over height and width. */
  readonly stride: number;
}

interface Normalisation {
  readonly type: 'batch_norm' | 'local_contrast_norm';
}

export type LayerKind = Convolution | Pooling | Normalisation;

/** `inputs` are the earlier layers (0 is the first) whose outputs a layer reads; the image where there are none. */
export type ZophLayer = LayerKind & { readonly inputs: readonly number[] };

/** A convolutional network of Zoph & Le 2016: its layers from the image on. */
export interface ZophCnn {
  readonly layers: readonly ZophLayer[];
}

export function isConvolution(layer: LayerKind): layer is Convolution {
  return layer.type === undefined || layer.type === 'convolution';
}

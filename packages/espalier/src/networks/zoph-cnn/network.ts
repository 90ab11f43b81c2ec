import { cat, nn, type Tensor } from '@espalier/torch';
import type { InputShape } from '../../space/space.js';
import { isConvolution, type LayerKind, type ZophCnn } from './architecture.js';
import { ConvolutionLayer } from './convolution-layer.js';
import { LocalContrastNorm } from './local-contrast-norm.js';
import { PoolingLayer } from './pooling-layer.js';

/**
 * The network of an architecture, with the rules of section 3.3 for skip connections. A layer without inputs reads the
 * image. Several inputs are concatenated in depth; smaller ones are padded with zeros to the size of the largest. All
 * outputs that no layer reads are concatenated and passed to the classifier.
 *
 * The paper does not say how the classifier reads a feature map. Here it is global average pooling and a linear layer,
 * so that images of any size are accepted.
 */
export class ZophNetwork extends nn.Layer {
  readonly layers: readonly nn.Layer[];
  readonly classifier: nn.Linear;
  readonly #inputs: readonly (readonly number[])[];
  readonly #ends: readonly number[];

  /** @param epsilon of batch norm; 1e-5 by default */
  constructor({ layers }: ZophCnn, shape: InputShape, epsilon?: number) {
    super();
    /** The number of output channels of each layer. */
    const channels: number[] = [];
    const together = (indices: readonly number[]) =>
      indices.reduce((total, index) => total + (channels[index] as number), 0);
    this.layers = layers.map((layer) => {
      const read = layer.inputs.length === 0 ? shape.channels : together(layer.inputs);
      channels.push(isConvolution(layer) ? layer.filters : read);
      return build(layer, read, epsilon);
    });
    this.#inputs = layers.map(({ inputs }) => inputs);
    const read = new Set(this.#inputs.flat());
    this.#ends = [...layers.keys()].filter((index) => !read.has(index));
    this.classifier = new nn.Linear(together(this.#ends), shape.classes);
  }

  forward(image: Tensor): Tensor {
    const outputs: Tensor[] = [];
    for (const [index, layer] of this.layers.entries()) {
      const inputs = (this.#inputs[index] as readonly number[]).map((earlier) => outputs[earlier] as Tensor);
      outputs.push(layer.forward(inputs.length === 0 ? image : concatenate(inputs)));
    }
    const features = concatenate(this.#ends.map((index) => outputs[index] as Tensor));
    return this.classifier.forward(features.adaptiveAvgPool2d(1).flatten(1));
  }
}

function build(layer: LayerKind, channels: number, epsilon: number | undefined): nn.Layer {
  if (isConvolution(layer)) return new ConvolutionLayer(channels, layer, epsilon);
  switch (layer.type) {
    case 'max_pool':
    case 'avg_pool':
      return new PoolingLayer(layer);
    case 'batch_norm':
      return new nn.BatchNorm2d(channels, epsilon === undefined ? {} : { epsilon });
    case 'local_contrast_norm':
      return new LocalContrastNorm();
  }
}

/** Concatenates feature maps in depth. Each is centred and padded with zeros to the greatest height and width. */
function concatenate(maps: readonly Tensor[]): Tensor {
  if (maps.length === 1) return maps[0] as Tensor;
  const sizes = maps.map((map) => map.shape.slice(2) as [number, number]);
  const height = Math.max(...sizes.map(([own]) => own));
  const width = Math.max(...sizes.map(([, own]) => own));
  return cat(
    maps.map((map, index) => {
      const [ownHeight, ownWidth] = sizes[index] as [number, number];
      if (ownHeight === height && ownWidth === width) return map;
      const top = Math.floor((height - ownHeight) / 2);
      const left = Math.floor((width - ownWidth) / 2);
      return map.constantPadNd([left, width - ownWidth - left, top, height - ownHeight - top]);
    }),
    1,
  );
}

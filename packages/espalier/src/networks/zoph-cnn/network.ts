import { cat, nn, type Tensor } from '@espalier/torch';
import type { InputShape } from '../../space/space.js';
import { Backbone, type FeatureMap } from '../backbone.js';
import { isConvolution, type LayerKind, type ZophCnn } from './architecture.js';
import { ConvolutionLayer } from './convolution-layer.js';
import { LocalContrastNorm } from './local-contrast-norm.js';
import { PoolingLayer } from './pooling-layer.js';

/** What the layers of a network make of images. */
interface ZophMaps {
  /** Those of layers that have the same stride along height and width. */
  readonly maps: readonly FeatureMap[];
  readonly outputs: readonly Tensor[];
}

/**
 * The network of an architecture, with the rules of section 3.3 for skip connections. A layer without inputs reads the
 * image. Several inputs are concatenated in depth; smaller ones are padded with zeros to the size of the largest. All
 * outputs that no layer reads are concatenated and passed to the classifier.
 *
 * The paper does not say how the classifier reads a feature map. Here it is global average pooling and a linear layer,
 * so that images of any size are accepted.
 */
export class ZophNetwork extends Backbone<ZophMaps> {
  readonly layers: readonly nn.Layer[];
  readonly classifier: nn.Linear;
  readonly #inputs: readonly (readonly number[])[];
  readonly #ends: readonly number[];
  /** Of the output of each layer, along height and width. */
  readonly #strides: readonly (readonly [number, number])[];

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
    this.#strides = stridesOf(layers);
    const read = new Set(this.#inputs.flat());
    this.#ends = [...layers.keys()].filter((index) => !read.has(index));
    this.classifier = new nn.Linear(together(this.#ends), shape.classes);
  }

  protected override body(image: Tensor): ZophMaps {
    const outputs: Tensor[] = [];
    for (const [index, layer] of this.layers.entries()) {
      const inputs = (this.#inputs[index] as readonly number[]).map((earlier) => outputs[earlier] as Tensor);
      outputs.push(layer.forward(inputs.length === 0 ? image : concatenate(inputs)));
    }
    const maps = outputs.flatMap((map, index) => {
      const [stride, across] = this.#strides[index] as readonly [number, number];
      return stride === across ? [{ stride, map }] : [];
    });
    return { maps, outputs };
  }

  protected override head({ outputs }: ZophMaps): Tensor {
    const features = concatenate(this.#ends.map((index) => outputs[index] as Tensor));
    return this.classifier.forward(features.adaptiveAvgPool2d(1).flatten(1));
  }
}

/** A layer reads its inputs padded to the size of the largest, which has the smallest stride. */
function stridesOf(layers: ZophCnn['layers']): (readonly [number, number])[] {
  const strides: (readonly [number, number])[] = [];
  for (const layer of layers) {
    const read = layer.inputs.map((index) => strides[index] as readonly [number, number]);
    const [height, width] = ownStrides(layer);
    const smallest = (side: 0 | 1) => (read.length === 0 ? 1 : Math.min(...read.map((own) => own[side])));
    strides.push([height * smallest(0), width * smallest(1)]);
  }
  return strides;
}

function ownStrides(layer: LayerKind): readonly [number, number] {
  if (isConvolution(layer)) return [layer.strideHeight, layer.strideWidth];
  return 'stride' in layer ? [layer.stride, layer.stride] : [1, 1];
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

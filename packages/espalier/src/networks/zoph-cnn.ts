import { cat, nn, type Tensor } from '@espalier/torch';
import type { InputShape } from '../space/space.js';

/**
 * A convolutional network of Zoph & Le 2016: its layers from the image on. `inputs` are the earlier layers (0 is
 * the first) whose outputs a layer reads.
 */
export interface ZophCnn {
  readonly layers: readonly {
    readonly filterHeight: number;
    readonly filterWidth: number;
    readonly filters: number;
    readonly strideHeight: number;
    readonly strideWidth: number;
    readonly inputs: readonly number[];
  }[];
}

/**
 * Convolution without bias, batch normalisation and rectified linear units (section 4.1); padded so that stride 1
 * keeps height and width where the filter's are odd, and adds one where they are even.
 */
class ConvolutionLayer extends nn.Layer {
  readonly conv: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;

  constructor(inputs: number, layer: ZophCnn['layers'][number]) {
    super();
    const { filterHeight, filterWidth, filters, strideHeight, strideWidth } = layer;
    this.conv = new nn.Conv2d(inputs, filters, [filterHeight, filterWidth], {
      stride: [strideHeight, strideWidth],
      padding: [Math.floor(filterHeight / 2), Math.floor(filterWidth / 2)],
      bias: false,
    });
    this.bn = new nn.BatchNorm2d(filters);
  }

  forward(input: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(input)).relu();
  }
}

/**
 * The network of an architecture, with the repairs of section 3.3: a layer without inputs reads the image; where
 * several outputs are read they are concatenated in depth, the smaller ones padded with zeros to the size of the
 * largest; the outputs that no layer reads are concatenated for the classifier. The paper does not say how that
 * reads a feature map: here it is the mean over height and width and a linear layer, so that any size fits.
 */
export class ZophNetwork extends nn.Layer {
  readonly layers: readonly ConvolutionLayer[];
  readonly classifier: nn.Linear;
  readonly #inputs: readonly (readonly number[])[];
  readonly #ends: readonly number[];

  constructor(architecture: ZophCnn, shape: InputShape) {
    super();
    const { layers } = architecture;
    const filtersOf = (index: number) => layers[index]?.filters ?? 0;
    const sum = (indices: readonly number[]) => indices.reduce((total, index) => total + filtersOf(index), 0);
    this.#inputs = layers.map(({ inputs }) => inputs);
    const read = new Set(this.#inputs.flat());
    this.#ends = [...layers.keys()].filter((index) => !read.has(index));
    this.layers = layers.map(
      (layer) => new ConvolutionLayer(layer.inputs.length === 0 ? shape.channels : sum(layer.inputs), layer),
    );
    this.classifier = new nn.Linear(sum(this.#ends), shape.classes);
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

/** Concatenates feature maps in depth, each centred in zeros up to the greatest height and width among them. */
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

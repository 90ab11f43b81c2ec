import { type nn, randint, type Tensor, zeros } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { asBackbone } from '../networks/backbone.js';
import { type OperatorTrace, traceOperators } from '../networks/operator-trace.js';
import type { InputShape, Space } from '../space/space.js';
import type { NetworkKind } from './network-kind.js';
import { tensorKind } from './tensors.js';

const size = (what: string) => z.int().min(1).max(1_000_000).optional().describe(what);

/**
 * What networks of a space are published for: CIFAR-10, ImageNet, or a crop of Cityscapes as Auto-DeepLab trains on.
 * A space may say so itself in `usualInput`.
 */
function usualImages({ definition, options }: Space): InputShape {
  if (definition.usualInput !== undefined) return definition.usualInput as InputShape;
  return options.layout === 'imagenet'
    ? { channels: 3, height: 224, width: 224, classes: 1000 }
    : { channels: 3, height: 32, width: 32, classes: 10 };
}

function traceWithFeatures(network: nn.Layer, input: InputShape, space: string, batch = 1): OperatorTrace {
  const backbone = asBackbone(network, space);
  const device = network.parameters()[0]?.device;
  const { channels, height, width } = input;
  return traceOperators<string>(
    network,
    () => ({ image: zeros([batch, channels, height, width], { dtype: 'float32', device }) }),
    ({ image }) => {
      const { logits, features } = backbone.forwardWithFeatures(image as Tensor);
      if (features.length === 0)
        throw new InputError(
          `this network of space ${space} has no map of features: it comes to none of the strides 4, 8, 16 and 32`,
        );
      return {
        logits,
        ...Object.fromEntries(features.map(({ stride, map }) => [`features.${stride}`, map])),
      };
    },
  );
}

const classifiers = tensorKind<InputShape>({
  reads: 'images',
  names: { input: 'image', inputs: 'images', output: 'logits' },
  shape: ({ channels, height, width }) => [channels, height, width],
  form: 'an nn.Layer from [N, channels, height, width] to [N, classes]',
  usualInput: usualImages,
  inputOptions: z.strictObject({
    channels: size('colours of the images'),
    height: size('height of the images, in pixels'),
    width: size('width of the images, in pixels'),
    classes: size('classes of the images'),
  }),
  outputs: 'classes',
  flags: { imageSize: ['height', 'width'], imageChannels: ['channels'], classes: ['classes'] },
  randomLoss([count, , ...pixels], { classes }) {
    const labels = randint(0, classes, [count as number, ...pixels], { dtype: 'int64' }).keep();
    return { loss: (logits: Tensor) => logits.crossEntropyLoss(labels), free: () => labels.free() };
  },
});

/** Networks of images: [N, channels, height, width] to the logits [N, classes], or [N, classes, height, width]. */
export const images: NetworkKind<InputShape, nn.Layer> = { ...classifiers, traceWithFeatures };

import { cat, noGrad, scope, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Network } from '../networks/network.js';
import type { InputShape } from '../space/space.js';
import { type Prediction, predictionOf } from './prediction.js';

/** Images at once: what they need in memory has a bound, however many there are. */
const BATCH = 32;

/**
 * What a network in evaluation says of images: no dropout, and batch norm with its running statistics.
 *
 * @param images float32 [N, channels, height, width], standardised as in training
 * @throws InputError for images of another shape than the network's, for a network that gives no logit a class, and
 *   where a logit is not finite
 */
export function classify(network: Network, images: Tensor, shape: InputShape): Prediction {
  const { channels, height, width, classes } = shape;
  const [count = 0, ...size] = images.shape;
  if (count < 1 || size.join() !== [channels, height, width].join())
    throw new InputError(
      `the images are a tensor [${images.shape}]; allowed: [N, ${channels}, ${height}, ${width}], N at least 1`,
    );
  network.eval();
  return scope(() =>
    noGrad(() => {
      const parts: Tensor[] = [];
      for (let first = 0; first < count; first += BATCH) {
        const batch = images.narrow(0, first, Math.min(BATCH, count - first));
        parts.push(scope(() => network.forward(batch.to({ memoryFormat: 'channels_last' }))));
      }
      const logits = cat(parts, 0);
      if (logits.shape.join() !== [count, classes].join())
        throw new InputError(
          `the network makes a tensor [${logits.shape}] of the images [${images.shape}]; ` +
            `to predict their classes it has to be [${count}, ${classes}], a logit for each class`,
        );
      return predictionOf(logits);
    }),
  );
}

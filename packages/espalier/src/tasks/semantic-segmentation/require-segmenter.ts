import { InputError } from '../../input-error.js';
import type { Network } from '../../networks/network.js';
import { traceClassifier } from '../../networks/operator-trace.js';
import type { InputShape } from '../../space/space.js';

/** @throws InputError where a network of a space does not give a logit a class for each pixel of an image */
export function requireSegmenter(network: Network, shape: InputShape, space: string): void {
  const result = traceClassifier(network, shape).calls.at(-1)?.shapes[0] ?? [];
  const { classes, height, width } = shape;
  if (result.join() === [1, classes, height, width].join()) return;
  throw new InputError(
    `space ${space}: for one image its network gives a tensor of shape [${result}]; ` +
      `to be trained as a segmenter it has to be [1, ${classes}, ${height}, ${width}], a logit for each class and pixel`,
  );
}

import { InputError } from '../../input-error.js';
import type { Network } from '../../networks/network.js';
import { traceClassifier } from '../../networks/operator-trace.js';
import type { InputShape } from '../../space/space.js';

/** @throws InputError where a network of a space does not give one logit a class for an image */
export function requireClassifier(network: Network, shape: InputShape, space: string): void {
  const result = traceClassifier(network, shape).calls.at(-1)?.shapes[0] ?? [];
  if (result.length === 2 && result[1] === shape.classes) return;
  throw new InputError(
    `space ${space}: for one image its network gives a tensor of shape [${result}]; ` +
      `to be trained as a classifier it has to be [1, ${shape.classes}], a logit for each class`,
  );
}

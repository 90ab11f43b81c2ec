import { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { InputShape, Space } from '../space/space.js';
import type { Network } from './network.js';

/** The network of an architecture. @throws InputError where the space builds none */
export function buildNetwork(space: Space, architecture: unknown, shape: InputShape): Network {
  const { definition } = space;
  if (definition.network === undefined)
    throw new InputError(
      `space ${space.name} has no network(architecture, input): it can be counted, not trained`,
    );
  if (definition.reads === 'tokens')
    throw new InputError(
      `space ${space.name} is of language models: its networks read the tokens of a text, not images`,
    );
  const network = definition.network(architecture, shape, space.options);
  if (!(network instanceof nn.Layer))
    throw new InputError(
      `space ${space.name}: network() returns ${Object.prototype.toString.call(network)}; ` +
        'allowed: an nn.Layer from [N, channels, height, width] to [N, classes]',
    );
  return network;
}

import { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Space } from '../space/space.js';
import type { Network } from './network.js';
import { DEFAULT_READS, requireReads } from './require-reads.js';

/** What networks that map one tensor to another read, and what `network()` of a space has to return. */
export interface LayerForm {
  readonly reads: string;
  /** For messages: `an nn.Layer from [N, features] to [N, outputs]`. */
  readonly form: string;
}

const CLASSIFIERS: LayerForm = {
  reads: DEFAULT_READS,
  form: 'an nn.Layer from [N, channels, height, width] to [N, classes]',
};

/**
 * The network of an architecture, from one tensor to another.
 *
 * @param input what the space builds it for: of images an `InputShape`
 * @throws InputError where the space builds none, or one that reads something else
 */
export function buildNetwork(
  space: Space,
  architecture: unknown,
  input: object,
  { reads, form }: LayerForm = CLASSIFIERS,
): Network {
  const { definition } = space;
  if (definition.network === undefined)
    throw new InputError(
      `space ${space.name} has no network(architecture, input): it can be counted, not trained`,
    );
  requireReads(space, reads);
  const network: unknown = definition.network(architecture, input, space.options);
  if (!(network instanceof nn.Layer))
    throw new InputError(
      `space ${space.name}: network() returns ${Object.prototype.toString.call(network)}; allowed: ${form}`,
    );
  return network;
}

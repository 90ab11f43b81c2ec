import { InputError } from '../input-error.js';
import { darts } from './darts.js';
import type { AnyWeightSharingDefinition } from './definition.js';
import { gdas } from './gdas.js';
import { randomWeightSharing } from './random-ws.js';

/** The strategies in the box that share weights. */
export const weightSharing: ReadonlyMap<string, AnyWeightSharingDefinition> = new Map(
  [darts, gdas, randomWeightSharing].map((definition) => [
    definition.name,
    definition as AnyWeightSharingDefinition,
  ]),
);

/** @throws InputError for an unknown name */
export function weightSharingNamed(name: string): AnyWeightSharingDefinition {
  const found = weightSharing.get(name);
  if (found === undefined)
    throw new InputError(
      `strategy '${name}' shares no weights; those that do: ${[...weightSharing.keys()].join(', ')}`,
    );
  return found;
}

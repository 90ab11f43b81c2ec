import { InputError } from '../input-error.js';
import { asha } from './asha.js';
import { hyperband } from './hyperband.js';
import { random } from './random.js';
import { reinforce } from './reinforce.js';
import { sha } from './sha.js';
import type { AnyStrategyDefinition } from './strategy.js';

/** The strategies in the box. */
export const strategies: ReadonlyMap<string, AnyStrategyDefinition> = new Map(
  [random, reinforce, asha, sha, hyperband].map((definition) => [
    definition.name,
    definition as AnyStrategyDefinition,
  ]),
);

/** @throws InputError for an unknown name */
export function strategyNamed(name: string): AnyStrategyDefinition {
  const found = strategies.get(name);
  if (found === undefined)
    throw new InputError(`strategy '${name}' is unknown; known: ${[...strategies.keys()].join(', ')}`);
  return found;
}

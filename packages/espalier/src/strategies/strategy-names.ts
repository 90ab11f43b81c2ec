import { asha } from './asha.js';
import { bananas } from './bananas.js';
import { evolution } from './evolution.js';
import { exhaustive } from './exhaustive.js';
import { hyperband } from './hyperband.js';
import { localSearch } from './local-search.js';
import { ppo } from './ppo.js';
import { random } from './random.js';
import { reinforce } from './reinforce.js';
import { sha } from './sha.js';
import type { AnyStrategyDefinition } from './strategy.js';

/** The built-in strategies that train each child on its own. */
export const strategies: ReadonlyMap<string, AnyStrategyDefinition> = new Map(
  [random, reinforce, ppo, evolution, localSearch, bananas, asha, sha, hyperband, exhaustive].map(
    (definition) => [definition.name, definition as AnyStrategyDefinition],
  ),
);

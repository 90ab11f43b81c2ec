import { fileURLToPath } from 'node:url';
// Files of the user import the whole library.
import '../../src/index.js';
import { findStrategy } from '../../src/experiments/find-strategy.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import type { AnyStrategyDefinition } from '../../src/strategies/strategy.js';
import { cell } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';

const file = fileURLToPath(new URL('../../../../examples/own-strategy.ts', import.meta.url));
const { definition } = await findStrategy(file, '.');

describeStrategy(definition as AnyStrategyDefinition, Space.configure(zophCnn, { layers: 4 }));
describeStrategy(definition as AnyStrategyDefinition, Space.configure(cell), {
  options: { restarts: 0.5 },
  objectives: [perplexity],
});

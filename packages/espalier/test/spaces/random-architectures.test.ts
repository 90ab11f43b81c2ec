import { manualSeed, randint, randn, scope, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { LAYER_TYPES } from '../../src/networks/zoph-cnn/architecture.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { spaces } from '../../src/spaces/space-names.js';

setThreads(1);

/** Twenty of each space, or a thousand in the long tests. */
const COUNT =
  process.env.ESPALIER_ARCHITECTURES === undefined ? 20 : Number(process.env.ESPALIER_ARCHITECTURES);

const image = { channels: 3, height: 16, width: 16, classes: 4 };

const small: readonly (readonly [space: string, options: object])[] = [
  ['zoph-cnn', { filters: [2, 3, 5], strides: [1, 2, 3] }],
  ['zoph-cnn', { filters: [2, 3, 5], layerTypes: LAYER_TYPES }],
  ['zoph-rnn', { hidden: 5 }],
  ['zoph-rnn', { hidden: 4, base: 5 }],
  ['nasnet', { channels: 4, cells: 1 }],
  ['darts-cnn', { channels: 4, layers: 3 }],
  ['darts-cnn', { channels: 4, layers: 3, none: true }],
  ['darts-rnn', { hidden: 5 }],
  ['nasbench201', { channels: 4, cells: 1 }],
  ['auto-deeplab', { filterMultiplier: 2, layers: 6 }],
];

describe.each(small)('random architectures of %s, %o', (name, options) => {
  it(`build, run in training mode and survive JSON: ${COUNT} of them`, () => {
    manualSeed(1);
    const space = Space.configure(spaces.get(name)!, options);
    for (let seed = 0; seed < COUNT; seed++) {
      const sequence = space.sample(Random.of(seed, name));
      const architecture = space.decode(sequence);
      expect(space.encode(JSON.parse(JSON.stringify(architecture)))).toEqual(sequence);
      const where = `architecture of seed ${seed}: ${JSON.stringify(architecture)}`;
      scope(() => {
        if (space.definition.reads === 'tokens') {
          const model = buildLanguageModel(space, architecture, { vocabulary: 7 });
          const tokens = randint(0, 7, [3, 2], { dtype: 'int64' });
          const { logits } = model.forward(tokens, model.initialState(2));
          expect(logits.shape, where).toEqual([3, 2, 7]);
          for (const value of logits.toNumbers()) expect(value, where).toSatisfy(Number.isFinite);
          model.free();
          return;
        }
        const network = buildNetwork(space, architecture, image);
        const logits = network.forward(randn([2, 3, image.height, image.width]));
        const expected = name === 'auto-deeplab' ? [2, 4, image.height, image.width] : [2, 4];
        expect(logits.shape, where).toEqual(expected);
        expect(logits.toNumbers().every(Number.isFinite), where).toBe(true);
        network.free();
      });
    }
  });
});

it('are of all spaces', () => {
  const tested = new Set(small.map(([name]) => name));
  expect([...spaces.keys()].filter((name) => !tested.has(name))).toEqual([]);
});

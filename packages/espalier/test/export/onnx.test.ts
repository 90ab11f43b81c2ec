import { manualSeed, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { asBackbone } from '../../src/networks/backbone.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { LAYER_TYPES } from '../../src/networks/zoph-cnn/architecture.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { spaces } from '../../src/spaces/space-names.js';
import { calibrate, strengthen } from './agreement.js';
import {
  expectAgreement,
  expectAgreementOfSizes,
  expectFeatureAgreement,
  expectTokenAgreement,
} from './onnx-runtime.js';

setThreads(1);

/** Odd sides where the space takes them: what halves them pads and cuts. */
const odd = { channels: 3, height: 17, width: 20, classes: 4 };
const even = { ...odd, height: 16, width: 12 };

async function agrees(space: Space, architecture: unknown, shape: typeof odd): Promise<void> {
  manualSeed(1);
  const network = buildNetwork(space, architecture, shape);
  calibrate(network, shape);
  await expectAgreement(network, shape);
  network.free();
}

const readsImages = (space: string) => spaces.get(space)!.reads !== 'tokens';

const small: readonly [space: string, options: object, shape: typeof odd][] = [
  ['zoph-cnn', { layers: 5, filters: [2, 3], strides: [1, 2] }, odd],
  [
    'zoph-cnn',
    { layers: 5, filters: [2, 3], layerTypes: ['max_pool', 'avg_pool', 'batch_norm', 'local_contrast_norm'] },
    odd,
  ],
  ['zoph-cnn', { layers: 8, layerTypes: LAYER_TYPES, filters: [2, 3] }, odd],
  ['darts-cnn', { channels: 4, layers: 3 }, odd],
  [
    'darts-cnn',
    { channels: 4, layers: 3, layout: 'imagenet', none: true },
    { ...odd, height: 33, width: 32 },
  ],
  ['nasnet', { channels: 4, cells: 1 }, odd],
  ['nasnet', { channels: 8, cells: 1, layout: 'imagenet' }, { ...odd, height: 33, width: 32 }],
  ['nasbench201', { channels: 4, cells: 1 }, even],
  ['auto-deeplab', { filterMultiplier: 2, layers: 5, blocks: 3 }, { ...odd, height: 33, width: 28 }],
];

describe('a network in ONNX Runtime gives the same logits', () => {
  for (const [name, options, shape] of small)
    it.each([1, 2, 3])(`of ${name} ${JSON.stringify(options)}, architecture %i`, async (seed) => {
      const space = Space.configure(spaces.get(name)!, options);
      await agrees(space, space.decode(space.sample(Random.of(seed, 'architecture'))), shape);
    });

  it('of all spaces that read images', () => {
    const tested = new Set(small.map(([name]) => name));
    expect([...spaces.keys()].filter((name) => readsImages(name) && !tested.has(name))).toEqual([]);
  });
});

describe('a network in ONNX Runtime gives the same maps of features', () => {
  const of: readonly [space: string, options: object, strides: readonly number[]][] = [
    ['darts-cnn', { channels: 4, layers: 3, layout: 'imagenet' }, [4, 8, 16, 32]],
    ['nasnet', { channels: 8, cells: 1, layout: 'imagenet' }, [4, 8, 16, 32]],
    ['nasbench201', { channels: 4, cells: 1 }, [4]],
  ];
  it.each(of)('of %s %j', async (name, options, strides) => {
    const shape = { channels: 3, height: 64, width: 32, classes: 4 };
    const space = Space.configure(spaces.get(name)!, options);
    const architecture = space.decode(space.sample(Random.of(1, 'architecture')));
    manualSeed(1);
    const network = asBackbone(buildNetwork(space, architecture, shape), name);
    calibrate(network, shape);
    const outputs = await expectFeatureAgreement(network, shape);
    expect(outputs).toEqual(['logits', ...strides.map((stride) => `features.${stride}`)]);
    network.free();
  });
});

describe('a network whose file takes images of any size', () => {
  const shape = { channels: 3, height: 65, width: 65, classes: 4 };

  async function ofAnySize(name: string, options: object, architecture?: unknown): Promise<void> {
    const space = Space.configure(spaces.get(name)!, options);
    manualSeed(1);
    const network = buildNetwork(
      space,
      architecture ?? space.decode(space.sample(Random.of(1, 'architecture'))),
      shape,
    );
    calibrate(network, shape);
    try {
      await expectAgreementOfSizes(network, shape, [
        [65, 65],
        [40, 71],
        [96, 33],
      ]);
    } finally {
      network.free();
    }
  }

  it('gives the same logits, of auto-deeplab with every operation, down to stride 32 and up again', () =>
    ofAnySize(
      'auto-deeplab',
      { filterMultiplier: 1, layers: 6, blocks: 4 },
      {
        path: [0, 1, 2, 3, 2, 1],
        cell: [
          [0, 1, 'atrous_conv_3x3', 'sep_conv_5x5'],
          [1, 2, 'max_pool_3x3', 'skip_connect'],
          [0, 3, 'avg_pool_3x3', 'none'],
          [0, 1, 'skip_connect', 'none'],
        ],
      },
    ));

  it('is refused where what it does depends on the size: nasbench201 rounds up, DARTS pads odd sizes', async () => {
    await expect(ofAnySize('nasbench201', { channels: 4, cells: 1 })).rejects.toThrow(
      /aten::avg_pool2d.*: dimension \d of its shape depends on the size of the batch or of the images$/,
    );
    await expect(ofAnySize('darts-cnn', { channels: 4, layers: 3 })).rejects.toThrow(
      /aten::constant_pad_nd.*: its argument 1 depends on the size of the batch or of the images; what is exported/,
    );
  });
});

describe('a language model in ONNX Runtime, fed with its own state, gives the same log-probabilities', () => {
  // Seeds of architectures that do not multiply the state of zeros with what they read: those would never give anything else.
  const models: readonly [space: string, options: object, seeds: readonly number[]][] = [
    ['darts-rnn', { hidden: 5 }, [1, 2, 3]],
    ['zoph-rnn', { hidden: 5 }, [3, 5, 6]],
    ['zoph-rnn', { hidden: 4, base: 3, layers: 2, tied: false }, [2, 3, 5]],
  ];
  for (const [name, options, seeds] of models)
    it.each(seeds)(`of ${name} ${JSON.stringify(options)}, architecture %i`, async (seed) => {
      const space = Space.configure(spaces.get(name)!, options);
      const architecture = space.decode(space.sample(Random.of(seed, 'architecture')));
      manualSeed(1);
      const model = buildLanguageModel(space, architecture, { vocabulary: 11 });
      strengthen(model);
      await expectTokenAgreement(model);
      model.free();
    });

  it('of all spaces that read tokens', () => {
    const tested = new Set(models.map(([name]) => name));
    expect([...spaces.keys()].filter((name) => !readsImages(name) && !tested.has(name))).toEqual([]);
  });
});

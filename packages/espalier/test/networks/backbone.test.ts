import { backward, manualSeed, nn, noGrad, randn, scope, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { hub } from '../../src/hub/hub.js';
import { images as imageNetworks } from '../../src/network-kinds/images.js';
import { asBackbone, type Backbone } from '../../src/networks/backbone.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { spaces } from '../../src/spaces/space-names.js';

setThreads(1);

const shapesOf = (network: Backbone, images: Tensor) =>
  Object.fromEntries(network.features(images).map(({ stride, map }) => [stride, map.shape]));

function built(
  name: string,
  options: object,
  [height, width]: readonly [number, number],
  given?: unknown,
): Backbone {
  manualSeed(1);
  const space = Space.configure(spaces.get(name)!, options);
  const architecture = given ?? space.decode(space.sample(Random.of(1, 'architecture')));
  return asBackbone(buildNetwork(space, architecture, { channels: 3, height, width, classes: 4 }), name);
}

const darts = { architecture: hub.get('darts-v2')!.architecture, outputs: 4 };
const nasnet = { architecture: hub.get('nasnet-a')!.architecture, outputs: 6 };
const keeps = { normalKeeps: [1], reductionKeeps: [3] };
const layer = (stride: readonly [number, number], filters: number, ...inputs: number[]) => ({
  filterHeight: 3,
  filterWidth: 3,
  filters,
  strideHeight: stride[0],
  strideWidth: stride[1],
  inputs,
});

/** What each network gives of images of 64 x 36 pixels. */
const cases: readonly [
  name: string,
  options: object,
  architecture: unknown,
  maps: Record<number, number[]>,
][] = [
  ['darts-cnn', { channels: 4, layers: 3 }, darts.architecture, { 4: [4 * 16, 16, 9] }],
  [
    'darts-cnn',
    { channels: 4, layers: 6, layout: 'imagenet' },
    darts.architecture,
    { 4: [4, 16, 9], 8: [4 * 4, 8, 5], 16: [4 * 8, 4, 3], 32: [4 * 16, 2, 2] },
  ],
  ['nasnet', { channels: 4, cells: 1, ...keeps }, nasnet.architecture, { 4: [6 * 16, 16, 9] }],
  [
    'nasnet',
    { channels: 8, cells: 1, layout: 'imagenet', ...keeps },
    nasnet.architecture,
    { 4: [4 * 2, 16, 9], 8: [6 * 8, 8, 5], 16: [6 * 16, 4, 3], 32: [6 * 32, 2, 2] },
  ],
  ['nasbench201', { channels: 4, cells: 1 }, undefined, { 4: [16, 16, 9] }],
  [
    'auto-deeplab',
    { filterMultiplier: 2, layers: 5 },
    {
      path: [0, 1, 2, 3, 2],
      cell: [
        [0, 1, 'sep_conv_3x3', 'skip_connect'],
        [0, 2, 'skip_connect', 'skip_connect'],
      ],
    },
    { 4: [2 * 2, 16, 9], 8: [2 * 4, 8, 5], 16: [2 * 8, 4, 3], 32: [2 * 16, 2, 2] },
  ],
  [
    'zoph-cnn',
    { strides: [1, 2, 3] },
    {
      layers: [
        layer([2, 2], 2),
        layer([2, 2], 3, 0),
        layer([2, 1], 4, 1),
        // Reads maps of strides 4 and 2, padded to the larger one.
        layer([2, 2], 5, 0, 1),
        layer([2, 2], 6, 3),
      ],
    },
    { 4: [5, 16, 9], 8: [6, 8, 5] },
  ],
];

describe('the features of a network', () => {
  it.each(cases)('of %s %j are its last maps of strides 4 to 32', (name, options, architecture, maps) => {
    const network = built(name, options, [64, 36], architecture).eval();
    scope(() =>
      noGrad(() =>
        expect(shapesOf(network, randn([2, 3, 64, 36]))).toEqual(
          Object.fromEntries(Object.entries(maps).map(([stride, shape]) => [stride, [2, ...shape]])),
        ),
      ),
    );
    network.free();
  });

  it('are there for all spaces that read images', () => {
    const tested = new Set(cases.map(([name]) => name));
    expect([...spaces.values()].filter(({ name, reads }) => reads !== 'tokens' && !tested.has(name))).toEqual(
      [],
    );
  });

  it('come with the logits in one pass, and are what the logits are made of', () => {
    const options = { channels: 4, layers: 6, layout: 'imagenet' };
    const network = built('darts-cnn', options, [64, 64], darts.architecture).eval();
    scope(() =>
      noGrad(() => {
        const images = randn([2, 3, 64, 64]);
        const { logits, features } = network.forwardWithFeatures(images);
        expect(logits.toNumbers()).toEqual(network.forward(images).toNumbers());
        const alone = network.features(images);
        expect(features.map(({ stride }) => stride)).toEqual([4, 8, 16, 32]);
        for (const [place, { map }] of features.entries())
          expect(map.toNumbers()).toEqual(alone[place]!.map.toNumbers());
        const pooled = features[3]!.map.mean([2, 3]);
        const classifier = Reflect.get(network, 'classifier') as nn.Linear;
        const again = classifier.forward(pooled).sub(logits).abs().amax().item();
        expect(again).toBeLessThan(1e-5);
      }),
    );
    network.free();
  });

  it('pass gradients on to the layers below them, and to no others', () => {
    const options = { channels: 4, layers: 6, layout: 'imagenet' };
    const network = built('darts-cnn', options, [64, 64], darts.architecture);
    scope(() => {
      backward(
        network
          .features(randn([2, 3, 64, 64]))[1]!
          .map.square()
          .sum(),
      );
      const cells = new Set<string>();
      for (const [name, { grad }] of network.namedParameters())
        if (grad !== undefined && grad.abs().sum().item() > 0)
          cells.add(name.split('.').slice(0, 2).join('.'));
      expect([...cells].filter((name) => name.startsWith('cells'))).toEqual(['cells.0', 'cells.1']);
    });
    network.free();
  });

  it('are refused where a network has none', () => {
    expect(() => asBackbone(new nn.Sequential(), 'mine')).toThrow(
      'the networks of space mine give no maps of features; allowed: networks that extend Backbone',
    );
    const shallow = built('zoph-cnn', { layers: 2 }, [8, 8]);
    const input = { channels: 3, height: 8, width: 8, classes: 4 };
    expect(() => imageNetworks.traceWithFeatures?.(shallow, input, 'zoph-cnn')).toThrow(
      'this network of space zoph-cnn has no map of features: it comes to none of the strides 4, 8, 16 and 32',
    );
    shallow.free();
  });
});

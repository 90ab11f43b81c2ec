import { backward, nn, randn, scope, setThreads, type Tensor, zeros } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { segmenters } from '../../src/network-kinds/segmenters.js';
import { Segmenter } from '../../src/networks/segmenter.js';
import { Random } from '../../src/random/random.js';
import { choose } from '../../src/space/language.js';
import { type AnySpaceDefinition, defineSpace, type InputShape, Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';

setThreads(1);

const kind = segmenters('semantic-segmentation');
const shape: InputShape = { channels: 3, height: 40, width: 48, classes: 5 };

function built(definition: AnySpaceDefinition, options: object, input = shape): nn.Layer {
  const space = Space.configure(definition, options);
  return kind.build(space, space.decode(space.sample(Random.of(1, 'segmenter'))), input);
}

describe('a network of images as a segmenter', () => {
  it.each<[string, AnySpaceDefinition, object]>([
    ['darts-cnn', dartsCnn, { layers: 3, channels: 2 }],
    ['darts-cnn, imagenet', dartsCnn, { layers: 3, channels: 4, layout: 'imagenet' }],
    ['nasnet', nasnet, { cells: 1, channels: 2 }],
    ['nasbench201', nasBench201, { channels: 4, cells: 1 }],
  ])(
    'of %s gives a logit for each class and pixel, for images of any size, and all weights learn',
    (_, definition, options) => {
      const network = built(definition, options);
      scope(() => {
        expect(network.eval().forward(zeros([1, 3, 40, 48])).shape).toEqual([1, 5, 40, 48]);
        expect(network.forward(zeros([1, 3, 61, 33])).shape).toEqual([1, 5, 61, 33]);
        const logits = network.train().forward(randn([2, 3, 40, 48]));
        backward(logits.crossEntropyLoss(zeros([2, 40, 48], { dtype: 'int64' })));
        const idle = [...network.namedParameters()]
          .filter(([, { grad }]) => grad === undefined)
          .map(([name]) => name);
        // The head of the classifier, with one class.
        expect(idle.filter((name) => !/^backbone\.(classifier|lastact)/.test(name))).toEqual([]);
      });
      network.free();
    },
  );

  it('has a pyramid as wide as the map that it reads, and at most 256 channels', () => {
    const channels = (one: nn.Layer) => (one as Segmenter).pyramid.projection.conv.weight.shape[0];
    const narrow = built(nasBench201, { channels: 4, cells: 1 });
    expect(channels(narrow)).toBe(16);
    const wide = built(nasBench201, { channels: 80, cells: 1 });
    expect(channels(wide)).toBe(256);
    for (const network of [narrow, wide]) network.free();
  });

  it('passes the maps of its network on, beside its logits and to an export', () => {
    const network = built(dartsCnn, { layers: 6, channels: 4, layout: 'imagenet' }) as Segmenter;
    scope(() => {
      const images = randn([1, 3, 40, 48]);
      const { logits, features } = network.eval().forwardWithFeatures(images);
      expect(logits.shape).toEqual([1, 5, 40, 48]);
      expect(features.map(({ stride, map }) => [stride, ...map.shape.slice(2)])).toEqual([
        [4, 10, 12],
        [8, 5, 6],
        [16, 3, 3],
        [32, 2, 2],
      ]);
      const ours = network.backbone.features(images);
      for (const [place, { map }] of features.entries())
        expect(map.toNumbers()).toEqual(ours[place]!.map.toNumbers());
      expect(Object.keys(kind.traceWithFeatures!(network, shape, 'darts-cnn').outputs)).toEqual([
        'logits',
        ...[4, 8, 16, 32].map((stride) => `features.${stride}`),
      ]);
    });
    network.free();
  });

  it('drops the paths of its network', () => {
    const network = built(dartsCnn, { layers: 3, channels: 2 }) as Segmenter;
    network.dropPathProbability = 0.25;
    expect((network.backbone as unknown as { dropPathProbability: number }).dropPathProbability).toBe(0.25);
    expect(network.dropPathProbability).toBe(0.25);
    network.free();
  });

  it('is refused where it has no map of a stride from 4 to 32', () => {
    expect(() => built(zophCnn, { layers: 1, filters: [4], filterHeights: [3], filterWidths: [3] })).toThrow(
      new InputError(
        'this network of space zoph-cnn has no map of the strides 4, 8, 16 and 32, which the head of a segmenter reads',
      ),
    );
  });
});

class Dense extends nn.Layer {
  readonly classifier: nn.Conv2d;

  constructor({ channels, classes }: InputShape) {
    super();
    this.classifier = new nn.Conv2d(channels, classes, 1);
  }

  forward(images: Tensor): Tensor {
    return this.classifier.forward(images);
  }
}

describe('a network that is a segmenter already', () => {
  it('is taken as it is: that of a space for the task, and one without maps', () => {
    const own = built(autoDeepLab, { layers: 1, blocks: 1, filterMultiplier: 2 });
    expect(own).not.toBeInstanceOf(Segmenter);
    const dense = defineSpace({
      name: 'dense',
      *choices() {
        return { any: yield* choose('any', [1, 2]) };
      },
      network: (_, input) => new Dense(input),
    });
    const network = built(dense, {});
    expect(network).toBeInstanceOf(Dense);
    scope(() => expect(network.forward(zeros([2, 3, 8, 9])).shape).toEqual([2, 5, 8, 9]));
    for (const one of [own, network]) one.free();
  });
});

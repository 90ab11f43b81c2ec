import { fused, grad, manualSeed, noGrad, randn, scope, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import { nasnetA } from '../../src/hub/nasnet-a.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import type { DartsEdges, DartsGenotype } from '../../src/networks/darts/genotype.js';
import { DartsNetwork } from '../../src/networks/darts/network.js';
import type { NasnetNetwork } from '../../src/networks/nasnet/network.js';
import type { Network } from '../../src/networks/network.js';
import { Space } from '../../src/space/space.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { AutoDeepLabSupernet } from '../../src/supernets/auto-deeplab.js';
import { DartsSupernet } from '../../src/supernets/darts-cnn.js';
import { NasBench201Supernet } from '../../src/supernets/nasbench201.js';

setThreads(1);

const shape = { channels: 3, height: 16, width: 16, classes: 4 };
const genotype = dartsV2.architecture as DartsGenotype;
const supernet = () => new DartsSupernet(shape, { channels: 2, layers: 3, nodes: 4 });

/** As NASNet and FairDARTS have them: a state read twice, any number of edges, other operations. */
const further: DartsGenotype<DartsEdges> = {
  normal: [
    [
      ['sep_conv_7x7', 0],
      ['sep_conv_3x3', 0],
      ['conv_7x1_1x7', 1],
    ],
    [['nor_conv_3x3', 2]],
  ],
  normal_concat: [0, 3],
  reduce: [
    [
      ['sep_conv_5x5', 1],
      ['sep_conv_5x5', 1],
    ],
    [
      ['skip_connect', 0],
      ['nor_conv_1x1', 2],
      ['conv_3x3', 1],
    ],
  ],
  reduce_concat: [3, 2],
};

/** Networks whose cells use the kernels in training. */
const networks: Record<
  string,
  () => { network: Network; forward?: (image: Tensor) => Tensor; extra?: Tensor[] }
> = {
  'a network of DARTS': () => ({
    network: new DartsNetwork(genotype, shape, { channels: 4, layers: 3, layout: 'cifar', auxiliary: false }),
  }),
  'a network of DARTS, paths dropped': () => {
    const network = new DartsNetwork(genotype, shape, {
      channels: 4,
      layers: 3,
      layout: 'cifar',
      auxiliary: false,
    });
    network.dropPathProbability = 0.4;
    return { network };
  },
  'a network of cells as other code has them': () => ({
    network: new DartsNetwork(further, shape, { channels: 4, layers: 4, layout: 'cifar', auxiliary: false }),
  }),
  'a network of NASNet, paths dropped': () => {
    const space = Space.configure(nasnet, { channels: 4, cells: 1 });
    const network = buildNetwork(space, nasnetA.architecture, shape) as NasnetNetwork;
    network.dropPathProbability = 0.3;
    return { network };
  },
  'the supernet of DARTS': () => {
    const network = supernet();
    return { network, extra: Object.values(network.architectureParameters()) };
  },
  'the supernet of DARTS with partial channels': () => {
    const network = new DartsSupernet(shape, { channels: 4, layers: 3, nodes: 3, partialChannels: 2 });
    return { network, extra: Object.values(network.architectureParameters()) };
  },
  'one path of it': () => {
    const network = supernet();
    return { network, forward: (image) => network.forwardPath(image, genotype) };
  },
  'the supernet of NAS-Bench-201': () => {
    const network = new NasBench201Supernet(shape, { channels: 4, cells: 1, nodes: 4 });
    return { network, extra: Object.values(network.architectureParameters()) };
  },
  'one path of it with every operation': () => {
    const network = new NasBench201Supernet(shape, { channels: 4, cells: 1, nodes: 4 });
    const cell = '|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|';
    return { network, forward: (image) => network.forwardPath(image, { cell }) };
  },
  'the supernet of Auto-DeepLab': () => {
    const network = new AutoDeepLabSupernet(shape, {
      layers: 3,
      blocks: 3,
      filterMultiplier: 2,
      firstLayerMayHalve: false,
    });
    return { network, extra: Object.values(network.architectureParameters()) };
  },
};

describe('with the kernels, a training step gives the same values, gradients and statistics as libtorch', () => {
  it.each(Object.entries(networks))('%s', (_, make) => {
    scope(() => {
      manualSeed(11);
      const { network, forward = (image: Tensor) => network.forward(image), extra = [] } = make();
      network.to({ dtype: 'float64', memoryFormat: 'channels_last' });
      for (const each of extra) noGrad(() => each.copy_(randn(each.shape, { dtype: 'float64' })));
      const image = randn([4, 3, 16, 16], { dtype: 'float64' });
      const learned = [...network.parameters(), ...extra];
      const start = new Map([...network.namedBuffers()].map(([name, value]) => [name, value.clone()]));
      const step = () => {
        manualSeed(12);
        noGrad(() => {
          for (const [name, value] of network.namedBuffers()) value.copy_(start.get(name) as Tensor);
        });
        const logits = forward(image);
        const gradients = grad(logits.pow(2).sum(), learned, { allowUnused: true });
        return {
          logits: logits.toNumbers(),
          gradients: gradients.map((gradient) => gradient?.toNumbers()),
          statistics: [...network.namedBuffers()].map(([, value]) => value.toNumbers()),
        };
      };
      const ours = step();
      const theirs = fused.withoutKernels(step);
      const close = (own: readonly number[], other: readonly number[], what: string) => {
        const size = Math.max(...other.map(Math.abs), 1);
        const worst = Math.max(...own.map((value, place) => Math.abs(value - (other[place] as number))));
        expect(worst / size, what).toBeLessThan(1e-8);
      };
      close(ours.logits, theirs.logits, 'logits');
      for (const [place, gradient] of ours.gradients.entries()) {
        const other = theirs.gradients[place];
        // Parameters off the path have no gradient, or a gradient of zeros if an operation multiplies by zero.
        if (gradient !== undefined && other !== undefined) close(gradient, other, `gradient ${place}`);
        else expect([...(gradient ?? []), ...(other ?? [])].every((value) => value === 0)).toBe(true);
      }
      for (const [place, values] of ours.statistics.entries())
        close(values, theirs.statistics[place] as number[], `statistic ${place}`);
      network.free();
    });
  });
});

describe('with the kernels, evaluation gives the same values as libtorch', () => {
  it.each(Object.entries(networks))('%s', (_, make) => {
    scope(() =>
      noGrad(() => {
        manualSeed(13);
        const { network, forward = (image: Tensor) => network.forward(image) } = make();
        network.to({ dtype: 'float64', memoryFormat: 'channels_last' });
        const image = randn([4, 3, 16, 16], { dtype: 'float64' });
        // Arbitrary running statistics.
        for (const [name, value] of network.namedBuffers())
          if (name.endsWith('running_var')) value.uniform_(0.5, 2);
          else if (name.endsWith('running_mean')) value.normal_(0, 0.3);
        const before = [...network.namedBuffers()].map(([, value]) => value.toNumbers());
        network.eval();
        const ours = forward(image).toNumbers();
        const theirs = fused.withoutKernels(() => forward(image).toNumbers());
        const size = Math.hypot(...theirs);
        expect(size).toBeGreaterThan(0);
        for (const [i, value] of ours.entries())
          expect(Math.abs(value - theirs[i]!)).toBeLessThan(1e-9 * size);
        // Evaluation must not change the statistics.
        expect([...network.namedBuffers()].map(([, value]) => value.toNumbers())).toEqual(before);
      }),
    );
  });
});

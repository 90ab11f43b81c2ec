import {
  backward,
  cat,
  liveTensors,
  manualSeed,
  noGrad,
  randn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { MixedOperation } from '../../src/cells/mixed-operation.js';
import { ashaCnn } from '../../src/hub/asha-cnn.js';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import {
  DARTS_OPERATIONS,
  type DartsGenotype,
  type DartsOperation,
} from '../../src/networks/darts/genotype.js';
import { makeOperation } from '../../src/networks/darts/operations.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { DartsSupernet } from '../../src/supernets/darts-cnn.js';

setThreads(1);

const CIFAR = { channels: 3, height: 32, width: 32, classes: 10 };
const SMALL = { channels: 3, height: 8, width: 8, classes: 4 };
const small = () => new DartsSupernet(SMALL, { channels: 2, layers: 3, nodes: 4 });
/** The place of an edge in a cell of four nodes, where the edges into node 2 come first. */
const edgeOf = (node: number, state: number) => [0, 2, 5, 9][node]! + state;

/** Raises one operation of each edge so far that the softmax gives it everything. */
function decide(alphas: Tensor, operation: (edge: number) => DartsOperation): void {
  noGrad(() => {
    const values = Array.from({ length: 14 }, (_, edge) =>
      DARTS_OPERATIONS.map((name) => (name === operation(edge) ? 1000 : 0)),
    );
    alphas.copy_(tensor(values));
  });
}

describe('a mixed operation', () => {
  /** Weights of convolutions one, and batch norm that changes nothing in evaluation. */
  const plain = () => {
    const mixed = new MixedOperation(DARTS_OPERATIONS, (name) => makeOperation(name, 1, 1, false)).eval();
    noGrad(() => {
      for (const parameter of mixed.parameters()) parameter.fill_(1);
      for (const [name, buffer] of mixed.namedBuffers())
        if (name.endsWith('running_var')) buffer.fill_(1 - 1e-5);
    });
    return mixed;
  };
  const image = () =>
    tensor([
      [
        [
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ],
      ],
    ]);
  const weights = [64, 32, 16, 8, 4, 2, 1, 0.5].map((weight) => weight / 127.5);

  it('is the sum of its operations, each times its weight', () => {
    scope(() => {
      const sums = plain()
        .mixture(
          image(),
          weights.map((weight) => tensor(weight)),
        )
        .toNumbers();
      // In the middle: none, max 9, mean 5, itself 5, the box sums 12 21 16 27 45 33 24 39 28 = 245, nine times 45,
      // and twice itself alone, since dilation looks beyond the edges.
      const middle = 32 * 9 + 16 * 5 + 8 * 5 + 4 * 245 + 2 * 405 + 1 * 5 + 0.5 * 5;
      // In the corner: max 5, mean 3, itself 1, 12 + 21 + 27 + 45 = 105, 405, and twice the four corners 20.
      const corner = 32 * 5 + 16 * 3 + 8 * 1 + 4 * 105 + 2 * 405 + 1 * 20 + 0.5 * 20;
      expect(sums[4]).toBeCloseTo(middle / 127.5, 3);
      expect(sums[0]).toBeCloseTo(corner / 127.5, 3);
    });
  });

  it('applies each operation alone, and gives zeros for none', () => {
    scope(() => {
      const mixed = plain();
      const middles = DARTS_OPERATIONS.map((name) => mixed.operation(name).forward(image()).toNumbers()[4]!);
      for (const [index, value] of [0, 9, 5, 5, 245, 405, 5, 5].entries())
        expect(middles[index]).toBeCloseTo(value, 2);
    });
  });

  it("gives each weight the operation's output as its gradient", () => {
    scope(() => {
      const alphas = weights.map((weight) => tensor(weight));
      for (const alpha of alphas) alpha.requiresGrad = true;
      backward(plain().mixture(image(), alphas).select(2, 1).select(2, 1).sum());
      expect(alphas.map((alpha) => Math.round(alpha.grad?.item() ?? 0))).toEqual([
        0, 9, 5, 5, 245, 405, 5, 5,
      ]);
    });
  });
});

describe('the supernet of darts-cnn', () => {
  it('has the published size without its 224 architecture parameters', () => {
    const supernet = new DartsSupernet(CIFAR, { channels: 16, layers: 8, nodes: 4 });
    expect(supernet.parameterCount()).toBe(1_930_618);
    expect(multiplyAdds(traceClassifier(supernet, CIFAR).calls)).toBe(300_255_744);
    const { normal, reduce } = supernet.architectureParameters();
    expect([normal.shape, reduce.shape]).toEqual([
      [14, 8],
      [14, 8],
    ]);
    // Only the batch norm of the stem has scale and shift.
    const scales = [...supernet.namedParameters()].filter(([, { shape }]) => shape.length === 1);
    expect(scales.map(([name]) => name)).toEqual(['stem.1.weight', 'stem.1.bias', 'classifier.bias']);
    supernet.free();
  });

  it("has the names of the authors' search network", () => {
    const supernet = small();
    const names = new Set(supernet.stateDict().keys());
    for (const name of [
      'stem.0.weight',
      'cells.0.preprocess0.op.1.weight',
      'cells.0._ops.13._ops.1.1.running_mean',
      'cells.0._ops.13._ops.4.op.6.weight',
      'cells.1._ops.0._ops.3.conv_1.weight',
      'cells.1._ops.2._ops.7.op.3.running_var',
      'cells.2.preprocess0.conv_2.weight',
      'classifier.weight',
    ])
      expect(names.has(name), name).toBe(true);
    supernet.free();
  });

  it('starts near the even mixture', () => {
    const supernet = small();
    const { normal, reduce } = supernet.architectureParameters();
    for (const value of [...normal.toNumbers(), ...reduce.toNumbers()])
      expect(Math.abs(value)).toBeLessThan(0.006);
    expect(new Set(normal.toNumbers()).size).toBeGreaterThan(100);
    supernet.free();
  });

  it('gives gradients to the architecture parameters and to the weights', () => {
    const supernet = small();
    scope(() => {
      const logits = supernet.forward(randn([4, 3, 8, 8], { dtype: 'float32' }));
      expect(logits.shape).toEqual([4, 4]);
      backward(logits.pow(2).sum());
      const { normal, reduce } = supernet.architectureParameters();
      for (const alphas of [normal, reduce])
        expect(alphas.grad!.toNumbers().every((gradient) => gradient !== 0)).toBe(true);
      for (const [name, parameter] of supernet.namedParameters()) expect(parameter.grad, name).toBeDefined();
    });
    supernet.free();
  });

  it.each([
    ['DARTS_V2', dartsV2],
    ['ASHA200, with none', ashaCnn],
  ])('is the sampled path where the softmax has decided for it: %s', (_, { architecture }) => {
    manualSeed(3);
    const genotype = architecture as DartsGenotype;
    const supernet = small();
    scope(() => {
      const image = randn([4, 3, 8, 8], { dtype: 'float32' });
      const { normal, reduce } = supernet.architectureParameters();
      for (const [alphas, edges] of [
        [normal, genotype.normal],
        [reduce, genotype.reduce],
      ] as const) {
        const chosen = new Map(
          edges.map(([operation, state], place) => [edgeOf(Math.floor(place / 2), state), operation]),
        );
        decide(alphas, (edge) => chosen.get(edge) ?? 'none');
      }
      const path = supernet.forwardPath(image, genotype).toNumbers();
      for (const [index, value] of supernet.forward(image).toNumbers().entries())
        expect(value).toBeCloseTo(path[index]!, 4);
      expect(new Set(path).size).toBe(16);
    });
    supernet.free();
  });

  it('trains only the weights of a sampled path', () => {
    const supernet = small();
    scope(() => {
      const genotype = dartsV2.architecture as DartsGenotype;
      backward(
        supernet
          .forwardPath(randn([4, 3, 8, 8], { dtype: 'float32' }), genotype)
          .pow(2)
          .sum(),
      );
      const trained = [...supernet.namedParameters()].flatMap(([name, { grad }]) =>
        grad !== undefined && name.startsWith('cells.0._ops') ? [name.split('.').slice(0, 6).join('.')] : [],
      );
      // sep_conv_3x3 from 0 and 1 into nodes 0 and 1, from 1 into node 2; dil_conv_3x3 from 2 into node 3.
      expect([...new Set(trained)]).toEqual([
        'cells.0._ops.0._ops.4',
        'cells.0._ops.1._ops.4',
        'cells.0._ops.2._ops.4',
        'cells.0._ops.3._ops.4',
        'cells.0._ops.6._ops.4',
        'cells.0._ops.11._ops.6',
      ]);
      expect(supernet.architectureParameters().normal.grad).toBeUndefined();
    });
    supernet.free();
  });

  it('derives the two edges of a node whose best operation but none is strongest, the stronger first', () => {
    const supernet = small();
    const { normal, reduce } = supernet.architectureParameters();
    const favour = (
      alphas: Tensor,
      entries: readonly [edge: number, operation: DartsOperation, value: number][],
    ) =>
      noGrad(() => {
        const values = Array.from({ length: 14 }, () => DARTS_OPERATIONS.map(() => 0));
        for (const [edge, operation, value] of entries)
          values[edge]![(DARTS_OPERATIONS as readonly string[]).indexOf(operation)] = value;
        alphas.copy_(tensor(values));
      });
    favour(normal, [
      [edgeOf(0, 0), 'skip_connect', 1],
      [edgeOf(0, 1), 'sep_conv_3x3', 2],
      [edgeOf(1, 1), 'dil_conv_5x5', 1],
      // The strongest of all, but 'none' takes nearly all the weight of its edge.
      [edgeOf(1, 2), 'none', 9],
      [edgeOf(2, 3), 'avg_pool_3x3', 3],
      [edgeOf(2, 2), 'max_pool_3x3', 2],
      [edgeOf(2, 0), 'max_pool_3x3', 1],
      [edgeOf(3, 4), 'sep_conv_5x5', 1],
      [edgeOf(3, 4), 'dil_conv_3x3', 1.5],
      [edgeOf(3, 0), 'skip_connect', 3],
    ]);
    favour(reduce, []);
    expect(supernet.derive()).toEqual({
      normal: [
        ['sep_conv_3x3', 1],
        ['skip_connect', 0],
        ['dil_conv_5x5', 1],
        ['max_pool_3x3', 0],
        ['avg_pool_3x3', 3],
        ['max_pool_3x3', 2],
        ['skip_connect', 0],
        ['dil_conv_3x3', 4],
      ],
      normal_concat: [2, 3, 4, 5],
      // All equal: the first operation and the first edges.
      reduce: Array.from({ length: 8 }, (_, place) => ['max_pool_3x3', place % 2]),
      reduce_concat: [2, 3, 4, 5],
    });
    supernet.free();
  });

  it('frees its architecture parameters and moves them with its own', () => {
    const supernet = small();
    supernet.to({ dtype: 'float64' });
    const { normal } = supernet.architectureParameters();
    expect(normal.dtype).toBe('float64');
    supernet.free();
    expect(normal.isLive).toBe(false);
  });
});

describe('the supernet with the layout of ImageNet', () => {
  const imagenet = (layers = 3) =>
    new DartsSupernet(SMALL, { channels: 2, layers, nodes: 2, layout: 'imagenet' });

  it('has the stem, the names and the size of the network that PC-DARTS searches with', () => {
    const supernet = new DartsSupernet(
      { channels: 3, height: 224, width: 224, classes: 1000 },
      { channels: 16, layers: 8, nodes: 4, layout: 'imagenet' },
    );
    const shapes = new Map([...supernet.stateDict()].map(([name, { shape }]) => [name, shape]));
    expect(shapes.get('stem0.0.weight')).toEqual([24, 3, 3, 3]);
    expect(shapes.get('stem0.3.weight')).toEqual([48, 24, 3, 3]);
    expect(shapes.get('stem1.1.weight')).toEqual([48, 48, 3, 3]);
    // The first cell halves the map of a quarter of the image.
    expect(shapes.get('cells.0.preprocess0.conv_1.weight')).toEqual([8, 48, 1, 1]);
    expect(shapes.get('cells.0.preprocess1.op.1.weight')).toEqual([16, 48, 1, 1]);
    // The supernet for CIFAR-10 with another stem (1,392 there) and 1,000 classes for 10.
    const stem0 = 3 * 24 * 9 + 2 * 24 + 24 * 48 * 9 + 2 * 48;
    const stem1 = 48 * 48 * 9 + 2 * 48;
    expect(supernet.parameterCount()).toBe(1_930_618 - 1392 + stem0 + stem1 + 990 * 257);
    supernet.free();
  });

  it('reads the image at a quarter of its size and at an eighth', () => {
    const supernet = imagenet().eval();
    scope(() =>
      noGrad(() => {
        const image = randn([1, 3, 64, 64]).to({ memoryFormat: 'channels_last' });
        const first = supernet.stem0!.forward(image);
        const second = supernet.stem1!.forward(first);
        expect([first.shape, second.shape]).toEqual([
          [1, 6, 16, 16],
          [1, 6, 8, 8],
        ]);
        const [one, other] = supernet.cells[0]!.inputs(first, second);
        expect([one.shape, other.shape]).toEqual([
          [1, 2, 8, 8],
          [1, 2, 8, 8],
        ]);
        expect(supernet.forward(image).shape).toEqual([1, 4]);
      }),
    );
    supernet.free();
  });

  it('equals the sampled path when the softmax has decided for it, alone or among many', () => {
    const supernet = imagenet();
    const { normal, reduce } = supernet.architectureParameters();
    const edges = [
      ['sep_conv_3x3', 0],
      ['skip_connect', 1],
      ['dil_conv_5x5', 1],
      ['max_pool_3x3', 2],
    ] as const;
    // The first edge into the second node has no operation.
    const chosen = ['sep_conv_3x3', 'skip_connect', 'none', 'dil_conv_5x5', 'max_pool_3x3'] as const;
    noGrad(() => {
      for (const alphas of [normal, reduce])
        alphas.copy_(
          tensor(chosen.map((name) => DARTS_OPERATIONS.map((operation) => (operation === name ? 1000 : 0)))),
        );
    });
    const genotype: DartsGenotype = {
      normal: edges,
      normal_concat: [2, 3],
      reduce: edges,
      reduce_concat: [2, 3],
    };
    supernet.eval();
    scope(() =>
      noGrad(() => {
        const image = randn([2, 3, 32, 32]).to({ memoryFormat: 'channels_last' });
        const alone = supernet.forwardPath(image, genotype);
        expect(supernet.forward(image).sub(alone).abs().amax().item()).toBeLessThan(1e-5);
        const paths = supernet.pathsOn(image);
        for (let i = 0; i < 2; i++)
          expect(scope(() => paths.run(genotype).toNumbers())).toEqual(alone.toNumbers());
        paths.free();
      }),
    );
    supernet.free();
  });
});

describe('the derivation with few skip connections', () => {
  it('replaces the weakest of them by the next strongest choice, only in the normal cell', () => {
    const supernet = new DartsSupernet(SMALL, { channels: 2, layers: 3, nodes: 2 });
    const { normal, reduce } = supernet.architectureParameters();
    const skip = DARTS_OPERATIONS.indexOf('skip_connect');
    const pool = DARTS_OPERATIONS.indexOf('max_pool_3x3');
    noGrad(() => {
      for (const alphas of [normal, reduce]) alphas.zero_().narrow(1, skip, 1).fill_(3);
      // The edges into the second node, from states 0, 1, 2: the last skips the least.
      for (const [edge, strength] of [5, 4, 3.5, 3.2, 3.1].entries())
        normal.narrow(0, edge, 1).narrow(1, skip, 1).fill_(strength);
      normal.narrow(0, 3, 1).narrow(1, pool, 1).fill_(0.4);
    });
    const edges = (maxSkips?: number) => supernet.derive(maxSkips === undefined ? {} : { maxSkips }).normal;
    expect(edges()).toEqual([
      ['skip_connect', 0],
      ['skip_connect', 1],
      ['skip_connect', 0],
      ['skip_connect', 1],
    ]);
    // Edge 3 (state 1) is the weakest that is derived: edge 4 (state 2) takes its place, which skips too; then that one
    // loses it as well, and the pooling on edge 3 is left.
    expect(edges(3)).toEqual([
      ['skip_connect', 0],
      ['skip_connect', 1],
      ['skip_connect', 0],
      ['max_pool_3x3', 1],
    ]);
    expect(edges(0).filter(([operation]) => operation === 'skip_connect')).toEqual([]);
    expect(supernet.derive({ maxSkips: 0 }).reduce.map(([operation]) => operation)).toEqual(
      new Array(4).fill('skip_connect'),
    );
    supernet.free();
  });
});

describe('the supernet with partial channels', () => {
  const partial = (channels = 4) =>
    new DartsSupernet(SMALL, { channels, layers: 3, nodes: 2, partialChannels: 2 });

  it('has operations of one in K channels, and parameters for its edges', () => {
    const supernet = partial();
    const { normal, normalEdges, reduceEdges } = supernet.architectureParameters();
    expect([normal.shape, normalEdges?.shape, reduceEdges?.shape]).toEqual([
      [5, 8],
      [1, 5],
      [1, 5],
    ]);
    const shapes = new Map([...supernet.stateDict()].map(([name, { shape }]) => [name, shape]));
    // sep_conv_3x3 of the first edge of the first cell: its depthwise filters.
    expect(shapes.get('cells.0._ops.0._ops.4.op.1.weight')).toEqual([2, 1, 3, 3]);
    supernet.free();
  });

  it('lets the other channels bypass the operations, and interleaves both', () => {
    const supernet = partial();
    // With skip connections everywhere, an edge of a normal cell gives its whole input, shuffled, times its weight.
    const { normal, normalEdges, reduce, reduceEdges } = supernet.architectureParameters();
    decideOn(normal, 'skip_connect');
    decideOn(reduce, 'skip_connect');
    supernet.eval();
    const image = randn([1, 3, 8, 8]);
    const cell = supernet.cells[0]!;
    scope(() =>
      noGrad(() => {
        const stem = supernet.stem!.forward(image);
        const weights = (edge: number) => {
          const [first, last] = edge < 2 ? [0, 2] : [2, 3];
          return normalEdges!.select(0, 0).narrow(0, first!, last!).softmax(0).toNumbers()[edge - first!]!;
        };
        // Channels a b | c d become a c b d.
        const shuffled = (value: Tensor) => value.indexSelect(1, tensor([0, 2, 1, 3], 'int64'));
        const states = [cell.preprocess0.forward(stem), cell.preprocess1.forward(stem)];
        const nodes: Tensor[] = [];
        for (const [node, first] of [0, 2].entries()) {
          const inputs = [...states, ...nodes];
          nodes.push(
            Array.from({ length: node + 2 }, (_, i) => shuffled(inputs[i]!).mul(weights(first + i))).reduce(
              (a, b) => a.add(b),
            ),
          );
        }
        const softmax = (alphas: Tensor) => alphas.softmax(-1);
        const leaving = (alphas: Tensor) =>
          [[0, 2], [1, 3], [4]].map((edges) => ({
            values: softmax(alphas).indexSelect(0, tensor(edges, 'int64')),
          }));
        const ofEdges = [0, 1, 2, 3, 4].map((edge) => tensor(weights(edge)));
        const found = cell.mix(stem, stem, leaving(normal), ofEdges);
        const expected = cat(nodes, 1);
        expect(found.sub(expected).abs().amax().item()).toBeLessThan(1e-5);
      }),
    );
    expect(reduceEdges!.requiresGrad).toBe(true);
    supernet.free();
  });

  it('derives with the weights of the edges', () => {
    const supernet = partial();
    const { normal, normalEdges } = supernet.architectureParameters();
    noGrad(() => {
      normal.zero_().narrow(1, 3, 1).fill_(1);
      // Of the three edges into the second node the first is weighted least.
      normalEdges!.copy_(tensor([[0, 0, -2, 0, 1]]));
    });
    expect(supernet.derive().normal).toEqual([
      ['skip_connect', 0],
      ['skip_connect', 1],
      ['skip_connect', 2],
      ['skip_connect', 1],
    ]);
    supernet.free();
  });

  it('gives gradients to everything', () => {
    const supernet = partial();
    const image = randn([2, 3, 8, 8]).to({ memoryFormat: 'channels_last' });
    scope(() => backward(supernet.forward(image).square().mean()));
    for (const [name, alphas] of Object.entries(supernet.architectureParameters()))
      expect([name, alphas.grad!.abs().sum().item() > 0]).toEqual([name, true]);
    supernet.free();
  });

  it('is refused where K does not divide the channels', () => {
    expect(() => new DartsSupernet(SMALL, { channels: 6, layers: 3, nodes: 2, partialChannels: 4 })).toThrow(
      'partialChannels 4: must divide the 6 channels',
    );
  });
});

/** Lets the softmax of every edge decide for one operation. */
function decideOn(alphas: Tensor, name: DartsOperation): void {
  const column = (DARTS_OPERATIONS as readonly string[]).indexOf(name);
  noGrad(() => alphas.zero_().narrow(1, column, 1).fill_(1000));
}

describe('many architectures on the same images', () => {
  it('have the same logits as each alone, and leave no tensors behind', () => {
    const supernet = small();
    supernet.eval();
    const space = Space.configure(dartsCnn, { none: true });
    const random = Random.of(4, 'paths');
    const architectures = Array.from(
      { length: 12 },
      () => space.decode(space.sample(random)) as DartsGenotype,
    );
    const image = randn([3, 3, 8, 8]).to({ memoryFormat: 'channels_last' });
    scope(() =>
      noGrad(() => {
        const alone = architectures.map((genotype) => supernet.forwardPath(image, genotype).toNumbers());
        const before = liveTensors();
        const paths = supernet.pathsOn(image);
        const together = architectures.map((genotype) => scope(() => paths.run(genotype).toNumbers()));
        expect(together).toEqual(alone);
        // The second time, everything that can be remembered is remembered.
        expect(architectures.map((genotype) => scope(() => paths.run(genotype).toNumbers()))).toEqual(alone);
        expect(liveTensors()).toBeGreaterThan(before);
        paths.free();
        expect(liveTensors()).toBe(before);
      }),
    );
    supernet.free();
  });
});

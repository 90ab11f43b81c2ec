import { manualSeed, setThreads } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import type { DartsEdge, DartsEdges, DartsGenotype } from '../../src/networks/darts/genotype.js';
import { edgesByNode } from '../../src/networks/darts/genotype.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { Random } from '../../src/random/random.js';
import { fromArchitectureFile } from '../../src/space/architecture-file.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { readGenotypeText } from '../../src/spaces/genotype-text.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { calibrate } from '../export/agreement.js';
import { expectAgreement } from '../export/onnx-runtime.js';

setThreads(1);

const CIFAR = { channels: 3, height: 32, width: 32, classes: 10 };

type Cells = DartsGenotype<DartsEdges>;

/** What a text comes to: the architecture, and the options that are not the defaults. */
function read(text: string, options: object = {}) {
  const content = readGenotypeText(text, 'cells.txt').content as object;
  const { space, architecture } = fromArchitectureFile(
    { space: 'darts-cnn', ...content, ...options },
    () => dartsCnn,
  );
  const usual = Space.configure(dartsCnn).options;
  const changed = Object.entries(space.options).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(usual[name]),
  );
  return { space, architecture: architecture as Cells, implied: Object.fromEntries(changed) };
}

function sizes(text: string) {
  const { space, architecture } = read(text);
  const network = buildNetwork(space, architecture, CIFAR);
  const found = {
    params: network.parameterCount(),
    macs: multiplyAdds(traceClassifier(network, CIFAR).calls),
  };
  network.free();
  return found;
}

/** A genotype with the normal cell as the reduction cell. */
const twice = (cell: string, concat: string) =>
  `Genotype(normal=${cell}, normal_concat=${concat}, reduce=${cell}, reduce_concat=${concat})`;

const NASNET = `NASNet = Genotype(
  normal = [
    ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), ('avg_pool_3x3', 1),
    ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 1),
  ],
  normal_concat = [2, 3, 4, 5, 6],
  reduce = [
    ('sep_conv_5x5', 1), ('sep_conv_7x7', 0), ('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1),
    ('sep_conv_5x5', 0), ('skip_connect', 3), ('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1),
  ],
  reduce_concat = [4, 5, 6],
)`;

const AMOEBANET = `AmoebaNet = Genotype(
  normal = [
    ('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0),
    ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), ('avg_pool_3x3', 1),
  ],
  normal_concat = [4, 5, 6],
  reduce = [
    ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0),
    ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5),
  ],
  reduce_concat = [3, 4, 6]
)`;

/** FairDARTS (Chu et al. 2020), the authors' genotypes a and c. Node 3 has no edges. */
const FAIR_A = `FairDARTS_a = Genotype(normal=[('sep_conv_3x3', 2, 0), ('sep_conv_5x5', 2, 1), ('max_pool_3x3', 4, 0),
  ('sep_conv_3x3', 5, 0)], normal_concat=range(2, 6), reduce=[('max_pool_3x3', 2, 0), ('avg_pool_3x3', 2, 1),
  ('avg_pool_3x3', 3, 0), ('dil_conv_5x5', 3, 1), ('avg_pool_3x3', 4, 0), ('sep_conv_5x5', 4, 1),
  ('skip_connect', 5, 0), ('skip_connect', 5, 1)], reduce_concat=range(2, 6))`;
const FAIR_C = `FairDARTS_c = Genotype(normal=[('max_pool_3x3', 2, 0), ('sep_conv_5x5', 2, 1), ('dil_conv_3x3', 4, 0),
  ('dil_conv_5x5', 4, 2), ('skip_connect', 5, 3), ('sep_conv_3x3', 5, 0)], normal_concat=range(2, 6),
  reduce=[('dil_conv_3x3', 2, 1), ('dil_conv_5x5', 2, 0), ('dil_conv_3x3', 3, 0), ('sep_conv_3x3', 3, 1),
  ('sep_conv_5x5', 4, 0), ('sep_conv_5x5', 4, 3), ('sep_conv_5x5', 5, 0), ('skip_connect', 5, 1)],
  reduce_concat=range(2, 6))`;

describe('a pair of cells in a text', () => {
  it('has as many nodes as it has', () => {
    const two = "[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 2), ('sep_conv_5x5', 1)]";
    const { architecture, implied } = read(twice(two, 'range(2, 4)'));
    expect(implied).toEqual({ nodes: 2 });
    expect(architecture.normal).toEqual([
      ['sep_conv_3x3', 0],
      ['sep_conv_3x3', 1],
      ['skip_connect', 2],
      ['sep_conv_5x5', 1],
    ]);
    const one = "[('skip_connect', 0), ('skip_connect', 1)]";
    const cells = `Genotype(normal=${two}, normal_concat=[2, 3], reduce=${one}, reduce_concat=[2])`;
    expect(read(cells).implied).toEqual({ nodes: [2, 1] });
  });

  it('concatenates what it says', () => {
    const cell = "[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 2), ('sep_conv_5x5', 1)]";
    expect(read(twice(cell, '[3]')).implied).toEqual({ nodes: 2, concat: { normal: [3], reduce: [3] } });
    expect(read(twice(cell, '(3, 2)')).implied.concat).toEqual({ normal: [3, 2], reduce: [3, 2] });
    const inputs = `Genotype(normal=${cell}, normal_concat=[0, 3], reduce=${cell}, reduce_concat=[2, 3])`;
    expect(read(inputs).implied.concat).toEqual({ normal: [0, 3], reduce: [2, 3] });
  });

  it('can have none', () => {
    const cell = "[('none', 0), ('skip_connect', 1)]";
    expect(read(twice(cell, '[2]')).implied).toEqual({ nodes: 1, none: true });
  });

  it('in a list for each node is the one in a single list', () => {
    const nested = (cell: readonly (readonly [string, number])[], [open, close]: string) =>
      [0, 1, 2, 3]
        .map((node) => {
          const pairs = cell.slice(2 * node, 2 * node + 2).map(([name, state]) => `('${name}', ${state})`);
          return `${open}${pairs.join(', ')}${close}`;
        })
        .join(', ');
    const { normal, reduce } = dartsV2.architecture as DartsGenotype;
    for (const brackets of ['[]', '()'])
      expect(
        read(
          `Genotype(normal=[${nested(normal, brackets)}], normal_concat=range(2, 6), ` +
            `reduce=[${nested(reduce, brackets)}], reduce_concat=range(2, 6))`,
        ),
      ).toMatchObject({ architecture: dartsV2.architecture, implied: {} });
  });

  it('is read as NNI exports it', () => {
    const { normal, reduce } = dartsV2.architecture as DartsGenotype;
    const choices = (kind: string, cell: readonly DartsEdge[]) =>
      cell.flatMap(([operation, state], place) => {
        const edge = `${Math.floor(place / 2) + 2}_${place % 2}`;
        return [
          [`${kind}/op_${edge}`, operation],
          [`${kind}/input_${edge}`, place % 3 === 0 ? state : [state]],
        ];
      });
    const exported = Object.fromEntries([...choices('normal', normal), ...choices('reduce', reduce)]);
    expect(read(JSON.stringify(exported))).toMatchObject({ architecture: dartsV2.architecture, implied: {} });
    const log = `epoch 3: ${JSON.stringify({ ...exported, width: 16, depth: 8 }).replaceAll('"', "'")}`;
    expect(read(log)).toMatchObject({
      architecture: dartsV2.architecture,
      implied: { channels: 16, layers: 8 },
    });
    const { 'normal/op_3_1': _, ...torn } = exported;
    expect(() => read(JSON.stringify(torn))).toThrow("space darts-cnn: 'normal.3.0' is missing; allowed: ");
    // With another number of nodes NNI's spaces concatenate different states.
    expect(() =>
      read(JSON.stringify({ ...exported, 'normal/op_6_0': 'none', 'normal/input_6_0': 0 })),
    ).toThrow("space darts-cnn: 'normal_concat' is missing; allowed: different states, 0 to 6");
  });

  it('loses the weights of its edges, and has the usual names', () => {
    // GDAS (Dong & Yang 2019), as AutoDL-Projects prints it.
    const text = twice("[(('dua_sepc_5x5', 0, 0.125), ('dil_sepc_3x3', 1, 1.0))]", '[2]').replace(
      /\)$/,
      ', connectN=None, connects=None)',
    );
    const { architecture, implied } = read(text);
    expect(architecture.normal).toEqual([
      ['sep_conv_5x5', 0],
      ['dil_conv_3x3', 1],
    ]);
    expect(architecture).not.toHaveProperty('connectN');
    expect(implied).toEqual({ nodes: 1 });
  });

  it('of NASNet and AmoebaNet reads states twice and has their operations', () => {
    const usual = ['max_pool_3x3', 'avg_pool_3x3', 'skip_connect', 'sep_conv_3x3', 'sep_conv_5x5'];
    const operations = [...usual, 'dil_conv_3x3', 'dil_conv_5x5', 'sep_conv_7x7'];
    expect(read(NASNET).implied).toEqual({
      nodes: 5,
      distinct: false,
      operations,
      concat: { normal: [2, 3, 4, 5, 6], reduce: [4, 5, 6] },
    });
    expect(read(AMOEBANET).implied).toEqual({
      nodes: 5,
      distinct: false,
      operations: [...operations, 'conv_7x1_1x7'],
      concat: { normal: [4, 5, 6], reduce: [3, 4, 6] },
    });
  });

  it('of FairDARTS has a list for each node that something enters', () => {
    const { architecture, implied } = read(FAIR_A);
    expect(implied).toEqual({ nodes: [3, 4], edges: [1, 2] });
    expect(architecture.normal_concat).toEqual([2, 3, 4]);
    expect(architecture.normal).toEqual([
      [
        ['sep_conv_3x3', 0],
        ['sep_conv_5x5', 1],
      ],
      [['max_pool_3x3', 0]],
      [['sep_conv_3x3', 0]],
    ]);
    // The edge from node 3, which nothing enters, goes with it; node 4 is the second of three now.
    expect(read(FAIR_C).architecture.normal).toEqual([
      [
        ['max_pool_3x3', 0],
        ['sep_conv_5x5', 1],
      ],
      [
        ['dil_conv_3x3', 0],
        ['dil_conv_5x5', 2],
      ],
      [['sep_conv_3x3', 0]],
    ]);
  });

  it('has the published size', () => {
    // The table of FairDARTS' authors: NASNet 3.83M, FairDARTS-c 2.59M and 400M (truncated), FairDARTS-a with its head 2.83M.
    expect(sizes(NASNET).params / 1e6).toBeCloseTo(3.83, 2);
    expect(sizes(FAIR_C)).toEqual({ params: 2_598_814, macs: 399_987_936 });
    const { space, architecture } = read(FAIR_A, { options: { auxiliary: true } });
    const network = buildNetwork(space, architecture, CIFAR);
    expect(network.parameterCount()).toBe(2_837_208);
    network.free();
  });

  it.each([
    ['sep_conv_7x7', (c: number) => 2 * (49 * c + c * c + 2 * c)],
    ['conv_7x1_1x7', (c: number) => 2 * 7 * c * c + 2 * c],
    ['conv_3x1_1x3', (c: number) => 2 * 3 * c * c + 2 * c],
    ['conv_1x1', (c: number) => c * c + 2 * c],
    ['conv_3x3', (c: number) => 9 * c * c + 2 * c],
    ['nor_conv_1x1', (c: number) => c * c + 2 * c],
    ['nor_conv_3x3', (c: number) => 9 * c * c + 2 * c],
    ['nor_conv_5x5', (c: number) => 25 * c * c + 2 * c],
    ['nor_conv_7x7', (c: number) => 49 * c * c + 2 * c],
  ])('is built with %s', (name, ownParams) => {
    // A node with the operation on both inputs, in cells of 4, 8 and 16 channels, the latter two reductions.
    const text = twice(`[('${name}', 0), ('${name}', 1)]`, '[2]');
    const { space, architecture } = read(text, { options: { layers: 3, channels: 4 } });
    const network = buildNetwork(space, architecture, { ...CIFAR, height: 8, width: 8, classes: 2 });
    const oneByOne = (from: number, to: number) => from * to + 2 * to;
    // What the cells read: the stem's 12 channels twice, then the outputs of the last two.
    const cells = [
      oneByOne(12, 4) + oneByOne(12, 4) + 2 * ownParams(4),
      oneByOne(12, 8) + oneByOne(4, 8) + 2 * ownParams(8),
      oneByOne(4, 16) + oneByOne(8, 16) + 2 * ownParams(16),
    ];
    const stem = 27 * 12 + 2 * 12;
    const all = cells.reduce((sum, own) => sum + own, stem + (16 * 2 + 2));
    expect(network.parameterCount()).toBe(all);
    // Height and width are halved twice, whatever the operation.
    const { calls } = traceClassifier(network, { ...CIFAR, height: 8, width: 8, classes: 2 });
    expect(multiplyAdds(calls)).toBeGreaterThan(0);
    network.free();
  });

  it.each([
    ['AmoebaNet', AMOEBANET],
    ['FairDARTS', FAIR_A],
  ])('makes a network that agrees with ONNX Runtime: %s', async (_, text) => {
    const { space, architecture } = read(text, { options: { layers: 3, channels: 4 } });
    const image = { channels: 3, height: 9, width: 12, classes: 4 };
    manualSeed(1);
    const network = buildNetwork(space, architecture, image);
    calibrate(network, image);
    await expectAgreement(network, image);
    network.free();
  });

  it('is read back from what is written of any architecture', () => {
    const spaces = fc.record({
      nodes: fc.oneof(
        fc.integer({ min: 1, max: 3 }),
        fc.tuple(fc.constant(1), fc.integer({ min: 2, max: 3 })),
      ),
      edges: fc.constantFrom(1, 2, 3, [1, 3] as [number, number]),
      distinct: fc.boolean(),
      none: fc.boolean(),
    });
    fc.assert(
      fc.property(spaces, fc.integer({ min: 0, max: 1e9 }), fc.boolean(), (options, seed, triples) => {
        const space = Space.configure(dartsCnn, options);
        const cells = space.decode(space.sample(Random.of(seed, 'sample'))) as Cells;
        const edge = ([name, state]: DartsEdge) => `('${name}', ${state}${triples ? ', 0.5' : ''})`;
        const cell = (edges: DartsEdges) =>
          `[${edgesByNode(edges).map((own) => `[${own.map(edge).join(', ')}]`)}]`;
        const text =
          `Genotype(normal=${cell(cells.normal)}, normal_concat=[${cells.normal_concat}], ` +
          `reduce=${cell(cells.reduce)}, reduce_concat=[${cells.reduce_concat}])`;
        expect(read(text).architecture).toEqual(cells);
      }),
    );
  });

  const usual = "[('skip_connect', 0), ('skip_connect', 1)]";

  it.each([
    [
      twice("[('sharp_conv_3x3', 0), ('none', 1)]", '[2]'),
      '\'normal.0.0\' is "sharp_conv_3x3"; allowed: "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", ',
    ],
    [twice(usual, '[2, 5]'), "'normal_concat' is [2,5]; allowed: different states, 0 to 2, as [2]"],
    [
      `Genotype(normal=${usual}, normal_concat=[2], reduce=${usual}, reduce_concat=[1, 2])`,
      "'reduce_concat' is [1,2]; allowed: different states, 2 to 2, as [2]",
    ],
    [twice("[('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 1)]", '[2]'), "'normal' is [["],
    [
      twice("[('skip_connect', 0), ('skip_connect', 3)]", '[2]'),
      "'normal.1.1' is 3; allowed: a state before the node, 0 to 1",
    ],
    [twice(usual, '[2]').replace(')', ", 'x')"), "'normal.0' is "],
    [`Genotype(normal=${usual}, normal_concat=[2])`, "'reduce' is missing; allowed: a list of "],
    [`${twice(usual, '[2]').slice(0, -1)}, step=5)`, "'step' is 5, but nothing may stand there"],
  ])('says what is wrong with %#', (text, message) => {
    expect(() => read(text)).toThrow(`space darts-cnn: ${message}`);
  });

  it('whose file says the options has those', () => {
    const text = twice("[('none', 0), ('skip_connect', 1)]", '[2]');
    expect(() => read(text, { options: { none: false } })).toThrow(
      '\'normal.0.0\' is "none"; allowed: "max_pool',
    );
    expect(() => read(text, { options: { nodes: 4 } })).toThrow("'normal' is [[");
  });
});

describe('a space that a published genotype implies', () => {
  it('is checked against its cells', () => {
    expect(() => Space.configure(dartsCnn, { concat: { normal: [9], reduce: [2] } }).size()).toThrow(
      "space darts-cnn: option 'concat' has [9] for 'normal'; allowed: different states, 0 to 5",
    );
    expect(() => Space.configure(dartsCnn, { edges: [2, 1] })).toThrow(
      "space darts-cnn: option 'edges' is [2,1]: allowed: a whole number from 1 to 100, or two: [fewest, most]",
    );
    expect(() => Space.configure(dartsCnn, { nodes: 0 })).toThrow("space darts-cnn: option 'nodes' is 0: ");
  });

  it.each([
    [{ nodes: [2, 3] }, 'nodes = [2,3]; allowed: one number for both cells'],
    [{ edges: 1 }, 'edges = 1; allowed: 2'],
    [{ distinct: false }, 'distinct = false; allowed: true'],
    [{ concat: { normal: [2], reduce: [3] } }, 'concat = {"normal":[2],"reduce":[3]}; allowed: "all"'],
  ])('has no supernet with %j', (options, message) => {
    const { definition, options: all } = Space.configure(dartsCnn, options);
    expect(() => definition.supernet!(CIFAR, all, { partialChannels: 1 })).toThrow(
      `space darts-cnn has no supernet with ${message}`,
    );
  });
});

describe('a recurrent cell in a text', () => {
  const readCell = (text: string) => {
    const content = readGenotypeText(text, 'cell.txt').content as object;
    return fromArchitectureFile({ space: 'darts-rnn', ...content }, () => dartsRnn).space.options;
  };

  it('has as many nodes as it has, and gives the mean of what it says', () => {
    const pairs = "[('tanh', 0), ('relu', 1), ('sigmoid', 1)]";
    expect(readCell(`Genotype(recurrent=${pairs}, concat=range(1, 4))`)).toMatchObject({
      nodes: 3,
      output: 'all',
    });
    expect(readCell(`Genotype(recurrent=${pairs}, concat=[2, 3])`)).toMatchObject({
      nodes: 3,
      output: 'ends',
    });
    expect(readCell(`Genotype(recurrent=${pairs}, concat=[1, 3])`)).toMatchObject({ output: [1, 3] });
    expect(() => readCell(`Genotype(recurrent=${pairs}, concat=[4])`)).toThrow(
      "space darts-rnn: 'concat' is [4]; allowed: different states, 0 to 3, as [1,2,3]",
    );
    expect(() => Space.configure(dartsRnn, { nodes: 2, output: [3] }).decode([[], [0], 0, [0], 0])).toThrow(
      "space darts-rnn: option 'output' is [3]; allowed with 2 nodes: different states, 0 to 2",
    );
  });
});

describe('a cell of NAS-Bench-201 in a text', () => {
  it('has as many nodes as it has', () => {
    const cell =
      '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|+|none~0|none~1|none~2|avg_pool_3x3~3|';
    const content = readGenotypeText(`"${cell}"`, 'cell.json').content as object;
    const { space, architecture } = fromArchitectureFile(
      { space: 'nasbench201', ...content },
      () => nasBench201,
    );
    expect(space.options.nodes).toBe(5);
    expect(architecture).toEqual({ cell });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dartsV1 } from '../../src/hub/darts-v1.js';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import type { DartsEdge, DartsGenotype } from '../../src/networks/darts/genotype.js';
import { Random } from '../../src/random/random.js';
import { fromArchitectureFile, toArchitectureFile } from '../../src/space/architecture-file.js';
import { type AnySpaceDefinition, Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { describeSpace } from './conformance.js';

/** The space without its genotype: the suite finds the answers at the paths of the questions. */
const { genotype: _, ...asked } = dartsCnn;
const CELL = 1_037_664_180n;

describeSpace(
  asked as AnySpaceDefinition,
  {},
  {
    size: CELL ** 2n,
    // One node: one pair of inputs, two of 7 operations, in both cells.
    small: { nodes: 1 },
    smallSize: 7n ** 4n,
  },
);
describeSpace(
  asked as AnySpaceDefinition,
  { none: true, nodes: 2 },
  {
    // Node 1 has one pair of inputs, node 2 three.
    size: (8n ** 2n * (3n * 8n ** 2n)) ** 2n,
    small: { nodes: 1, none: true },
    smallSize: 8n ** 4n,
  },
);

describeSpace(
  asked as AnySpaceDefinition,
  { nodes: [1, 2], edges: [1, 3] },
  {
    // Into node 1 one edge, 2 x 7, or two, 7^2; into node 2 one, 3 x 7, two, 3 x 7^2, or three, 7^3.
    size: 63n * (63n * (21n + 147n + 343n)),
    small: { nodes: 1, edges: [1, 2], operations: ['skip_connect', 'conv_7x1_1x7'] },
    smallSize: (2n * 2n + 2n ** 2n) ** 2n,
  },
);
describeSpace(
  asked as AnySpaceDefinition,
  { nodes: 2, distinct: false, concat: { normal: [0, 3], reduce: [3] } },
  {
    // Each of two edges comes from any of two states, and of three.
    size: ((2n * 7n) ** 2n * (3n * 7n) ** 2n) ** 2n,
    small: { nodes: 1, distinct: false, edges: 1 },
    smallSize: 14n ** 2n,
  },
);

/** A genotype to break. */
type Editable = Record<string, unknown> & Record<'normal' | 'reduce', unknown[][]>;

const space = Space.configure(dartsCnn);

describe('darts-cnn', () => {
  it('has the published sizes', () => {
    // Pairs of inputs of the four nodes: 1, 3, 6, 10; two of 7 operations each.
    expect(1n * 3n * 6n * 10n * 7n ** 8n).toBe(CELL);
    expect(space.size()).toBe(1_076_746_950_455_072_400n);
  });

  it('writes genotypes that read back to the same answers, through a file too', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
        const sequence = space.sample(Random.of(seed, 'sequence'));
        const genotype = space.decode(sequence);
        expect(space.encode(genotype)).toEqual(sequence);
        const file = JSON.parse(JSON.stringify(toArchitectureFile(space, genotype)));
        const read = fromArchitectureFile(file, () => dartsCnn);
        expect(read.architecture).toEqual(genotype);
        expect(read.space.options).toEqual(space.options);
      }),
    );
  });

  it('decodes every sequence to a different genotype', () => {
    const small = Space.configure(dartsCnn, { nodes: 1 });
    const genotypes = new Set(
      [...small.enumerate()].map((sequence) => JSON.stringify(small.decode(sequence))),
    );
    expect(genotypes.size).toBe(7 ** 4);
  });

  it('asks for the two inputs of a node, then for their operations, and writes the pairs of a genotype', () => {
    const paths = space.trace(space.sample(Random.of(1, 'sequence'))).map(({ question }) => question.path);
    expect(paths.slice(0, 8)).toEqual([
      'normal.inputs.0',
      'normal.inputs.1',
      'normal.nodes.0.inputs',
      'normal.nodes.0.operations.0',
      'normal.nodes.0.operations.1',
      'normal.nodes.1.inputs',
      'normal.nodes.1.operations.0',
      'normal.nodes.1.operations.1',
    ]);
    const one = Space.configure(dartsCnn, { nodes: 2 });
    const cell = (...answers: number[]) => [[], [], [0, 1], answers[0]!, answers[1]!, [0, 2], 6, 2];
    expect(one.decode([...cell(0, 3), ...cell(1, 5)])).toEqual({
      normal: [
        ['max_pool_3x3', 0],
        ['sep_conv_3x3', 1],
        ['dil_conv_5x5', 0],
        ['skip_connect', 2],
      ],
      normal_concat: [2, 3],
      reduce: [
        ['avg_pool_3x3', 0],
        ['dil_conv_3x3', 1],
        ['dil_conv_5x5', 0],
        ['skip_connect', 2],
      ],
      reduce_concat: [2, 3],
    });
  });

  it('reads the pairs of a node in any order, and keeps the order of the genotype', () => {
    const published = dartsV1.architecture as DartsGenotype;
    const [first, second, ...rest] = published.normal as [DartsEdge, DartsEdge, ...DartsEdge[]];
    const swapped = { ...published, normal: [second, first, ...rest] };
    expect(published.normal[0]).toEqual(['sep_conv_3x3', 1]);
    expect(space.encode(swapped)).toEqual(space.encode(published));
    expect(space.validate(published)).toEqual(published);
    expect(space.encode(dartsV2.architecture as DartsGenotype)).not.toEqual(space.encode(published));
  });

  const edit = (change: (genotype: Editable) => void) => {
    const genotype = structuredClone(dartsV2.architecture) as Editable;
    change(genotype);
    return genotype;
  };

  it.each([
    [
      edit((g) => {
        g.normal[3]![0] = 'sep_conv_7x7';
      }),
      '\'normal.3.0\' is "sep_conv_7x7"; allowed: "max_pool_3x3", "avg_pool_3x3", "skip_connect", ',
    ],
    [
      edit((g) => {
        g.reduce[0]![0] = 'none';
      }),
      '\'reduce.0.0\' is "none"; allowed: "max_pool_3x3", ',
    ],
    [
      edit((g) => {
        g.reduce[5]![1] = 4;
      }),
      "'reduce.5.1' is 4; allowed: a state before the node, 0 to 3",
    ],
    [
      edit((g) => {
        g.normal[0]![1] = -1;
      }),
      "'normal.0.1' is -1; allowed: a state before the node, 0 to 1",
    ],
    [
      edit((g) => {
        g.normal[7]![1] = 0;
      }),
      "'normal.7.1' is 0; allowed: a state other than that of 'normal.6.1'",
    ],
    [
      edit((g) => {
        g.normal.pop();
      }),
      '\'normal\' is [["sep_conv_3x3",0],',
    ],
    [
      edit((g) => {
        g.normal[2] = 'skip_connect' as never;
      }),
      '\'normal.2\' is "skip_connect"; allowed: a pair [operation, state]',
    ],
    [
      edit((g) => {
        g.normal_concat = [3, 4, 5];
      }),
      "'normal_concat' is [3,4,5]; allowed: [2,3,4,5]",
    ],
    [
      edit((g) => {
        delete g.reduce_concat;
      }),
      "'reduce_concat' is missing; allowed: different states, 2 to 5, as [2,3,4,5]",
    ],
    [
      edit((g) => {
        g.reduces = [];
      }),
      "'reduces' is [], but nothing may stand there",
    ],
    [[], 'the architecture is []; allowed: an object with the keys normal, '],
  ])('names the place where a genotype does not fit: %#', (genotype, message) => {
    expect(() => space.validate(genotype)).toThrow(`space darts-cnn: ${message}`);
  });

  it.each([
    [{ channels: 35 }, "option 'channels' is 35: "],
    [{ layers: 0 }, "option 'layers' is 0: "],
    [{ layers: 1001 }, "option 'layers' is 1001: "],
    [{ channels: 100_002 }, "option 'channels' is 100002: "],
    [{ nodes: 101 }, "option 'nodes' is 101: "],
    [{ layout: 'mnist' }, `option 'layout' is "mnist": `],
  ])('rejects the options %j', (options, message) => {
    expect(() => Space.configure(dartsCnn, options)).toThrow(message);
  });
});

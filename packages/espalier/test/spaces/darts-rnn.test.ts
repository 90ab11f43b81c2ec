import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dartsV2Rnn } from '../../src/hub/darts-v2-rnn.js';
import { enasRnn } from '../../src/hub/enas-rnn.js';
import { Random } from '../../src/random/random.js';
import { fromArchitectureFile, toArchitectureFile } from '../../src/space/architecture-file.js';
import { type AnySpaceDefinition, Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { readGenotypeText } from '../../src/spaces/genotype-text.js';
import { describeSpace } from './conformance.js';

/** The space without its genotype: the suite finds the answers at the paths of the questions. */
const { genotype: _, ...asked } = dartsRnn;

// Node i reads one of i states, with one of 4 activations.
describeSpace(
  asked as AnySpaceDefinition,
  {},
  { size: 40_320n * 4n ** 8n, small: { nodes: 3 }, smallSize: 6n * 4n ** 3n },
);
describeSpace(
  asked as AnySpaceDefinition,
  { nodes: 11, output: 'ends' },
  { size: 39_916_800n * 4n ** 11n, small: { nodes: 2, output: 'ends' }, smallSize: 2n * 4n ** 2n },
);

/** A genotype to break. */
interface Editable {
  recurrent: unknown[][];
  concat?: unknown;
  normal?: unknown;
}

const space = Space.configure(dartsRnn);

describe('darts-rnn', () => {
  it('has the published size', () => {
    expect(space.size()).toBe(2_642_411_520n);
  });

  it.each([{}, { nodes: 11, output: 'ends' }])(
    'writes genotypes that read back to the same answers, through a file too: %j',
    (options) => {
      const own = Space.configure(dartsRnn, options);
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
          const sequence = own.sample(Random.of(seed, 'sequence'));
          const genotype = own.decode(sequence);
          expect(own.encode(genotype)).toEqual(sequence);
          const file = JSON.parse(JSON.stringify(toArchitectureFile(own, genotype)));
          const read = fromArchitectureFile(file, () => dartsRnn);
          expect(read.architecture).toEqual(genotype);
          expect(read.space.options).toEqual(own.options);
        }),
      );
    },
  );

  it('decodes every sequence to a different genotype', () => {
    const small = Space.configure(dartsRnn, { nodes: 3, output: 'ends' });
    const genotypes = new Set(
      [...small.enumerate()].map((sequence) => JSON.stringify(small.decode(sequence))),
    );
    expect(genotypes.size).toBe(384);
  });

  it('asks for the state that a node reads, then for its activation', () => {
    const two = Space.configure(dartsRnn, { nodes: 2 });
    const sequence = [[], [0], 2, [1], 3];
    expect(two.trace(sequence).map(({ question }) => question.path)).toEqual([
      'input',
      'nodes.0.input',
      'nodes.0.activation',
      'nodes.1.input',
      'nodes.1.activation',
    ]);
    const recurrent = [
      ['sigmoid', 0],
      ['identity', 1],
    ];
    expect(two.decode(sequence)).toEqual({ recurrent, concat: [1, 2] });
    const ends = Space.configure(dartsRnn, { nodes: 2, output: 'ends' });
    expect(ends.decode(sequence)).toEqual({ recurrent, concat: [2] });
  });

  it('reads what the published code prints', () => {
    const text =
      "DARTS_V2 = Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2), " +
      "('sigmoid', 5), ('tanh', 3), ('relu', 5)], concat=range(1, 9))";
    expect(space.validate(readGenotypeText(text, 'genotypes.py').content)).toEqual(dartsV2Rnn.architecture);
  });

  it('can return the mean of the states that no other reads, as ENAS does', () => {
    const own = Space.configure(dartsRnn, enasRnn.options);
    expect(own.decode(own.encode(own.validate(enasRnn.architecture)))).toEqual(enasRnn.architecture);
  });

  const edit = (change: (genotype: Editable) => void) => {
    const genotype = structuredClone(dartsV2Rnn.architecture) as Editable;
    change(genotype);
    return genotype;
  };

  it.each([
    [
      edit((g) => {
        g.recurrent[3]![0] = 'none';
      }),
      `'recurrent.3.0' is "none"; allowed: "tanh", "relu", "sigmoid", "identity"`,
    ],
    [
      edit((g) => {
        g.recurrent[2]![1] = 3;
      }),
      "'recurrent.2.1' is 3; allowed: a state before the node, 0 to 2",
    ],
    [
      edit((g) => {
        g.recurrent[2]![1] = 0.5;
      }),
      "'recurrent.2.1' is 0.5; allowed: ",
    ],
    [
      edit((g) => {
        g.recurrent[0] = ['relu'];
      }),
      '\'recurrent.0\' is ["relu"]; allowed: a pair [activation, state]',
    ],
    [
      edit((g) => {
        g.recurrent.pop();
      }),
      '\'recurrent\' is [["sigmoid",0],',
    ],
    [
      edit((g) => {
        g.concat = [8];
      }),
      "'concat' is [8]; allowed: [1,2,3,4,5,6,7,8]",
    ],
    [
      edit((g) => {
        delete g.concat;
      }),
      "'concat' is missing; allowed: ",
    ],
    [
      edit((g) => {
        g.normal = [];
      }),
      "'normal' is [], but nothing may stand there",
    ],
    [null, 'the architecture is null; allowed: an object with the keys recurrent, concat'],
    [enasRnn.architecture, "'recurrent' is "],
  ])('names the place where a genotype does not fit: %#', (genotype, message) => {
    expect(() => space.validate(genotype)).toThrow(`space darts-rnn: ${message}`);
  });

  it.each([
    [{ hidden: 0 }, "option 'hidden' is 0: "],
    [{ hidden: 100_001 }, "option 'hidden' is 100001: "],
    [{ nodes: 101 }, "option 'nodes' is 101: "],
    [{ output: 'last' }, `option 'output' is "last": `],
    [{ dropoutOutput: -0.1 }, "option 'dropoutOutput' is -0.1: "],
  ])('rejects the options %j', (options, message) => {
    expect(() => Space.configure(dartsRnn, options)).toThrow(message);
  });
});

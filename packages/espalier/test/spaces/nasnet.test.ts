import { describe, expect, it } from 'vitest';
import { Space } from '../../src/space/space.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { describeSpace } from './conformance.js';

// Block i of a cell has i + 2 hidden states to choose two from, 13 operations for each and two combinations:
// (2 * 3 * 4 * 5 * 6)^2 * (13^2 * 2)^5 cells, and the two cells are independent.
const CELL = 720n ** 2n * 338n ** 5n;

describeSpace(
  nasnet,
  {},
  {
    size: CELL ** 2n,
    small: { blocks: 1, operations: ['skip_connect', 'conv_3x3'] },
    smallSize: (2n ** 2n * 2n ** 2n * 2n) ** 2n,
  },
);
describeSpace(
  nasnet,
  { blocks: 3, combinations: ['add'], normalKeeps: [1], reductionKeeps: [3, 0] },
  {
    size: (24n ** 2n * 169n ** 3n) ** 2n,
    small: { blocks: 2, operations: ['conv_1x1'], combinations: ['add'], normalKeeps: [2] },
    smallSize: ((2n * 3n) ** 2n) ** 2n,
  },
);

describe('nasnet', () => {
  it('counts its pairs of cells exactly', () => {
    expect(Space.configure(nasnet).size().toString()).toBe('5229943396058757337940161399357440000');
  });

  it('asks a block as the controller does: two hidden states, two operations, their combination', () => {
    const space = Space.configure(nasnet, { blocks: 2 });
    const sequence = [0, 1, 11, 10, 0, 2, 1, 0, 4, 1, 1, 1, 7, 4, 0, 0, 2, 5, 6, 0];
    expect(space.trace(sequence).map(({ question }) => question.path)).toEqual(
      ['normal', 'reduction'].flatMap((cell) =>
        [0, 1].flatMap((block) =>
          ['inputs.0', 'inputs.1', 'operations.0', 'operations.1', 'combine'].map(
            (name) => `${cell}.blocks.${block}.${name}`,
          ),
        ),
      ),
    );
    expect(space.decode(sequence)).toEqual({
      normal: {
        blocks: [
          { inputs: [0, 1], operations: ['sep_conv_5x5', 'sep_conv_3x3'], combine: 'add' },
          { inputs: [2, 1], operations: ['skip_connect', 'avg_pool_3x3'], combine: 'concat' },
        ],
        concat: [3],
      },
      reduction: {
        blocks: [
          { inputs: [1, 1], operations: ['max_pool_7x7', 'avg_pool_3x3'], combine: 'add' },
          { inputs: [0, 2], operations: ['max_pool_3x3', 'max_pool_5x5'], combine: 'add' },
        ],
        concat: [3],
      },
    });
  });

  it('concatenates the hidden states that no block reads, the inputs of the cell among them', () => {
    const space = Space.configure(nasnet, { blocks: 3, reductionKeeps: [0, 2] });
    // Both cells read the input 0 in every block.
    const cell = Array.from({ length: 3 }, () => [0, 0, 0, 0, 0]).flat();
    const { normal, reduction } = space.decode([...cell, ...cell]);
    expect(normal.concat).toEqual([1, 2, 3, 4]);
    expect(reduction.concat).toEqual([0, 1, 2, 3, 4]);
  });

  it('rejects a concatenation that the cell does not have, and says what it has', () => {
    const space = Space.configure(nasnet, { blocks: 1 });
    const architecture = space.decode([0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect(architecture.normal.concat).toEqual([1, 2]);
    const wrong = { ...architecture, normal: { ...architecture.normal, concat: [0, 2] } };
    expect(() => space.encode(wrong)).toThrow("space nasnet: 'normal.concat.0' is 0; allowed: 1");
  });

  it('rejects options that no cell or network can have', () => {
    const configure = (options: object) => Space.configure(nasnet, options);
    expect(() => configure({ blocks: 2, normalKeeps: [1, 4] }).decode([])).toThrow(
      "space nasnet: option 'normalKeeps' holds 4; allowed: hidden states, 0 to 3",
    );
    expect(() => configure({ reductionKeeps: [3, 3] })).toThrow(
      `space nasnet: option 'reductionKeeps' is [3,3]: the list has a value twice`,
    );
    expect(() => configure({ normalKeeps: [102] })).toThrow("option 'normalKeeps.0' is 102: ");
    expect(() => configure({ blocks: 101 })).toThrow("option 'blocks' is 101: ");
    expect(() => configure({ cells: 1001 })).toThrow("option 'cells' is 1001: ");
    for (const name of ['channels', 'filters', 'stemFilters'])
      expect(() => configure({ [name]: 100_001 })).toThrow(`option '${name}' is 100001: `);
    expect(() => configure({ operations: [] })).toThrow(`option 'operations' is []`);
    expect(() => configure({ layout: 'mnist' })).toThrow(`option 'layout' is "mnist"`);
  });
});

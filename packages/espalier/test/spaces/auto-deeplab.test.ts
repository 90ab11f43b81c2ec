import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';
import { describeSpace } from './conformance.js';

/** Cells of the paper: block i takes two of 2 + i inputs and two of 8 operations. */
const CELLS = 556_627_761_561_600n;

describeSpace(
  autoDeepLab,
  {},
  {
    size: 28_657n * CELLS,
    // Paths 0-0-0, 0-0-1, 0-1-0, 0-1-1, 0-1-2 and one block.
    small: { layers: 3, blocks: 1 },
    smallSize: 5n * 2n ** 2n * 8n ** 2n,
  },
);
describeSpace(
  autoDeepLab,
  { layers: 3, blocks: 2, firstLayerMayHalve: true },
  {
    // From 0: 5 paths. From 1: 1-0 (2), 1-1 (3), 1-2 (3).
    size: 13n * (2n ** 2n * 64n) * (3n ** 2n * 64n),
    small: { layers: 2, blocks: 1, firstLayerMayHalve: true },
    smallSize: 5n * 256n,
  },
);

/** Every list of levels that a trellis of four strides allows, found by trying all lists. */
function bruteForcePaths(layers: number, first: readonly number[]): number[][] {
  const lists = Array.from({ length: 4 ** layers }, (_, code) =>
    Array.from({ length: layers }, (_, layer) => Math.floor(code / 4 ** (layers - 1 - layer)) % 4),
  );
  return lists.filter(
    (list) =>
      first.includes(list[0]!) && list.every((level, i) => i === 0 || Math.abs(level - list[i - 1]!) < 2),
  );
}

describe('auto-deeplab', () => {
  it.each([
    [1, false, [0]],
    [2, false, [0]],
    [5, false, [0]],
    [1, true, [0, 1]],
    [5, true, [0, 1]],
  ])(
    'decodes to every path over the trellis and no other: %i layers, halving first: %s',
    (layers, free, first) => {
      const space = Space.configure(autoDeepLab, { layers, blocks: 1, firstLayerMayHalve: free });
      const found = new Set<string>();
      // One block has two inputs and two operations: the last four answers.
      for (const sequence of space.enumerate()) {
        if (sequence.slice(-4).every((answer) => answer === 0))
          found.add(JSON.stringify(space.decode(sequence).path));
      }
      const expected = bruteForcePaths(layers, first);
      expect([...found]).toEqual(expected.map((path) => JSON.stringify(path)));
    },
  );

  it('accepts a path if and only if the trellis has it', () => {
    const space = Space.configure(autoDeepLab, { layers: 6, blocks: 1 });
    const allowed = new Set(bruteForcePaths(6, [0]).map((path) => path.join()));
    const cell = [[0, 1, 'none', 'none']];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 6, maxLength: 6 }), (steps) => {
        let level = 0;
        const path = steps.map((step, i) => (level += i === 0 ? Math.trunc(step / 2) : step));
        if (allowed.has(path.join())) expect(space.validate({ path, cell }).path).toEqual(path);
        else
          expect(() => space.validate({ path, cell })).toThrow(
            /space auto-deeplab: 'path\.\d' is -?\d; allowed: /,
          );
      }),
    );
  });

  it("has the paper's numbers of paths and of cells", () => {
    const oneCell = 2n ** 2n * 64n;
    const paths = (given: object) => Space.configure(autoDeepLab, { blocks: 1, ...given }).size() / oneCell;
    expect(paths({})).toBe(28_657n);
    expect(paths({ firstLayerMayHalve: true })).toBe(75_025n);
    expect(Space.configure(autoDeepLab, { layers: 1 }).size()).toBe(CELLS);
  });

  it('asks for the path layer by layer, then for the inputs and the operations of each block', () => {
    const space = Space.configure(autoDeepLab, { layers: 3, blocks: 2, firstLayerMayHalve: true });
    // Level 1 offers 0, 1, 2; level 2 offers 1, 2, 3.
    const sequence = [1, 2, 2, 1, 0, 7, 4, 2, 2, 0, 3];
    const asked = space.trace(sequence);
    expect(asked.map(({ question }) => question.path)).toEqual([
      'path.0',
      'path.1',
      'path.2',
      'cell.0.0',
      'cell.0.1',
      'cell.0.2',
      'cell.0.3',
      'cell.1.0',
      'cell.1.1',
      'cell.1.2',
      'cell.1.3',
    ]);
    expect(space.decode(sequence)).toEqual({
      path: [1, 2, 3],
      cell: [
        [1, 0, 'atrous_conv_5x5', 'sep_conv_3x3'],
        [2, 2, 'none', 'skip_connect'],
      ],
    });
  });

  it('asks nothing for a first layer that is fixed at stride 4', () => {
    const space = Space.configure(autoDeepLab, { layers: 2 });
    expect(space.trace(space.sample(Random.of(1, 'sequence')))[0]?.question.path).toBe('path.1');
  });

  const path = [0, 1];
  const cell = [[0, 1, 'none', 'none']];
  it.each([
    [{ path: [1, 1], cell }, "'path.0' is 1; allowed: 0"],
    [{ path: [0, 2], cell }, "'path.1' is 2; allowed: 0, 1"],
    [{ path: [0, 1, 0], cell }, "'path.2' is 0, but nothing may stand there"],
    [{ path: [0], cell }, "'path.1' is missing; allowed: 0, 1"],
    [{ path, cell: [[0, 2, 'none', 'none']] }, "'cell.0.1' is 2; allowed: 0, 1"],
    [
      { path, cell: [[0, 1, 'none', 'dil_conv_3x3']] },
      `'cell.0.3' is "dil_conv_3x3"; allowed: "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", ` +
        '"sep_conv_3x3", "sep_conv_5x5", "atrous_conv_3x3", "atrous_conv_5x5"',
    ],
    [{ path, cell: [[0, 1, 'none', 'none', 0]] }, "'cell.0.4' is 0, but nothing may stand there"],
    [{ path, cell: [...cell, ...cell] }, '\'cell.1\' is [0,1,"none","none"], but nothing may stand there'],
    [{ cell }, "'path.1' is missing; allowed: 0, 1"],
  ])('rejects %j, with the place that does not fit', (architecture, message) => {
    const space = Space.configure(autoDeepLab, { layers: 2, blocks: 1 });
    expect(() => space.validate(architecture)).toThrow(`space auto-deeplab: ${message}`);
  });

  it("has the paper's numbers as defaults", () => {
    expect(Space.configure(autoDeepLab).options).toEqual({
      layers: 12,
      blocks: 5,
      filterMultiplier: 20,
      stemChannels: 64,
      headChannels: 256,
      firstLayerMayHalve: false,
      cellPerLayer: false,
    });
  });

  it.each([
    [{ layers: 0 }, "option 'layers' is 0: "],
    [{ blocks: 0 }, "option 'blocks' is 0: "],
    [{ layers: 1001 }, "option 'layers' is 1001: "],
    [{ blocks: 101 }, "option 'blocks' is 101: "],
    [{ filterMultiplier: 100_001 }, "option 'filterMultiplier' is 100001: "],
    [{ filterMultiplier: 1.5 }, "option 'filterMultiplier' is 1.5: "],
    [{ firstLayerMayHalve: 1 }, "option 'firstLayerMayHalve' is 1: "],
  ])('rejects the options %j', (options, message) => {
    expect(() => Space.configure(autoDeepLab, options)).toThrow(message);
  });
});

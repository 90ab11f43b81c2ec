import { describe, expect, it } from 'vitest';
import { fromArchitectureFile, toArchitectureFile } from '../../src/space/architecture-file.js';
import { type AnySpaceDefinition, Space } from '../../src/space/space.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { describeSpace } from './conformance.js';

/** The space without its genotype: the suite finds the answers at the paths of the questions. */
const { genotype: _, ...asked } = nasBench201;

describeSpace(asked as AnySpaceDefinition, {}, { size: 15_625n, small: { nodes: 3 }, smallSize: 5n ** 3n });

const space = Space.configure(nasBench201);
const CELL = '|nor_conv_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|';

describe('nasbench201', () => {
  it('has the five operations on six edges', () => {
    expect(space.size()).toBe(15_625n);
    expect(Space.configure(nasBench201, { nodes: 6 }).size()).toBe(5n ** 15n);
  });

  it("writes the benchmark's text: node by node, each operation with the node it reads", () => {
    // none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3.
    expect(space.decode([3, 1, 0, 2, 4, 3])).toEqual({ cell: CELL });
    expect(space.encode({ cell: CELL })).toEqual([3, 1, 0, 2, 4, 3]);
  });

  it('writes every sequence as a different text, which reads back', () => {
    const texts = new Set<string>();
    for (const sequence of space.enumerate()) {
      const architecture = space.decode(sequence);
      texts.add(architecture.cell);
      if (texts.size % 25 === 0) expect(space.encode(architecture)).toEqual(sequence);
    }
    expect(texts.size).toBe(15_625);
  });

  it('survives a file', () => {
    const file = JSON.parse(JSON.stringify(toArchitectureFile(space, { cell: CELL })));
    expect(file).toEqual({ space: 'nasbench201', options: space.options, cell: CELL });
    expect(fromArchitectureFile(file, () => nasBench201).architecture).toEqual({ cell: CELL });
  });

  it.each([
    [{ cell: CELL.replace('none~1', 'sep_conv~1') }, `node 2 of 'cell' is "sep_conv~1"; allowed: none~1, `],
    [{ cell: CELL.replace('none~1', 'none~0') }, `node 2 of 'cell' is "none~0"; allowed: none~1, `],
    [
      { cell: CELL.replace('none~1|', '') },
      `node 2 of 'cell' is "|skip_connect~0|"; allowed: 2 edges delimited by bars, as in |skip_connect~0|skip_connect~1|`,
    ],
    [{ cell: CELL.slice(1) }, `node 1 of 'cell' is "nor_conv_3x3~0|"; allowed: 1 edge delimited by bars, `],
    [
      { cell: '|none~0|' },
      `'cell' is "|none~0|"; allowed: a string such as |skip_connect~0|+|skip_connect~0|`,
    ],
    [{}, `'cell' is missing; allowed: a string such as `],
    [{ cell: CELL, surplus: 1 }, "'surplus' is 1, but nothing may stand there"],
    [CELL, 'the architecture is '],
  ])('names the place where a text does not fit: %#', (architecture, message) => {
    expect(() => space.validate(architecture)).toThrow(`space nasbench201: ${message}`);
  });
});

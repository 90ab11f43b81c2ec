import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type AnySpaceDefinition, Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { Table } from '../../src/tables/table.js';

const fileOf = (name: string) => fileURLToPath(new URL(`../../../../docs/tables/${name}`, import.meta.url));

/** The tables of docs/tables.md, with the options of their spaces. */
const kept: readonly [string, AnySpaceDefinition, object, { measure: string; optimum: number }][] = [
  [
    'zoph-cnn-cifar10.jsonl.gz',
    zophCnn,
    { layers: 3, filterHeights: [1, 3, 5], filterWidths: [1, 3], filters: [8], strides: [2] },
    { measure: 'accuracy', optimum: 0.33 },
  ],
  ['darts-rnn-letters.jsonl.gz', dartsRnn, { nodes: 3 }, { measure: 'perplexity', optimum: 13.109 }],
];

describe('the tables of the documentation', () => {
  it.each(kept)(
    '%s has every architecture of its space',
    (name, definition, options, { measure, optimum }) => {
      const space = Space.configure(definition, options);
      const table = Table.open(fileOf(name), space, {});
      expect(table.objectives.map((one) => one.name)).toEqual([measure]);
      expect(BigInt(table.size)).toBe(space.size());
      for (const answers of space.enumerate()) expect(table.look({ answers }).cost).toBe(3);
      expect(table.optimum).toBeCloseTo(optimum, 2);
      // A strategy of several fidelities sees what was seen on the way, and pays the rest.
      const [answers] = space.enumerate();
      expect(table.look({ answers: answers!, epochs: 2, epochsDone: 1 }).cost).toBeCloseTo(1, 12);
    },
  );
});

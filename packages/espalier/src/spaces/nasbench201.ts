import { z } from 'zod';
import { InputError } from '../input-error.js';
import { NasBench201Network } from '../networks/nasbench201.js';
import {
  NASBENCH201_OPERATIONS,
  type NasBench201Architecture,
  type NasBench201Cell,
  type NasBench201Operation,
  readCell,
  writeCell,
} from '../networks/nasbench201-cell.js';
import { block, choose, type Program } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { NasBench201Supernet } from '../supernets/nasbench201.js';
import { MOST_CHANNELS, MOST_LAYERS, MOST_NODES } from './size-limits.js';

const options = z.strictObject({
  channels: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .default(16)
    .describe('C, channels of the first of the three stages (2.1)'),
  cells: z
    .int()
    .min(1)
    .max(MOST_LAYERS)
    .default(5)
    .describe('N, number of cells in each of the three stages (2.1)'),
  nodes: z
    .int()
    .min(2)
    .max(MOST_NODES)
    .default(4)
    .describe('V, number of nodes in a cell, including its input and its output (2.1)'),
});

/**
 * The cells of NAS-Bench-201 (Dong & Yang 2020, section 2.1): one of five operations on each of the six edges between four
 * nodes. There are 15,625, so few that the authors trained them all.
 */
export const nasBench201 = defineSpace({
  name: 'nasbench201',
  options,
  small: { channels: 8, cells: 1 },
  *choices({ nodes }): Program<{ cell: NasBench201Cell }> {
    const cell: NasBench201Operation[][] = [];
    for (let node = 1; node < nodes; node++)
      cell.push(yield* block(`cell.${node - 1}`, () => edgesInto(node)));
    return { cell };
  },
  genotype: {
    published: (content) => {
      const { cell } = content;
      if (typeof cell !== 'string') return undefined;
      const nodes = cell.split('+').length + 1;
      return { architecture: content, options: nodes <= MOST_NODES ? { nodes } : {} };
    },
    write: ({ cell }): NasBench201Architecture => ({ cell: writeCell(cell) }),
    read: (published, { nodes }) => {
      if (typeof published !== 'object' || published === null || Array.isArray(published))
        throw new InputError(
          `space nasbench201: the architecture is ${JSON.stringify(published)}; allowed: an object with the key 'cell'`,
        );
      const { cell, ...rest } = published as { cell?: unknown };
      return { ...rest, cell: readCell(cell, nodes) };
    },
  },
  network: ({ cell }: NasBench201Architecture, shape, { channels, cells, nodes }) =>
    new NasBench201Network(readCell(cell, nodes), shape, { channels, cells }),
  supernet: (shape, { channels, cells, nodes }) => new NasBench201Supernet(shape, { channels, cells, nodes }),
});

/** The operations on the edges into a node, in the order of the nodes that they come from. */
function* edgesInto(node: number): Program<NasBench201Operation[]> {
  const edges: NasBench201Operation[] = [];
  for (let from = 0; from < node; from++) edges.push(yield* choose(String(from), NASBENCH201_OPERATIONS));
  return edges;
}

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { DARTS_OPERATIONS, type DartsGenotype, type DartsOperation } from '../networks/darts/genotype.js';
import { DartsNetwork } from '../networks/darts/network.js';
import { type Anchor, block, choose, type Program, subset } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { DartsSupernet } from '../supernets/darts-cnn.js';
import { MOST_CHANNELS, MOST_LAYERS, MOST_NODES } from './size-limits.js';

const options = z.strictObject({
  channels: z
    .int()
    .min(2)
    .max(MOST_CHANNELS)
    .multipleOf(2)
    .default(36)
    .describe('C, channels of a node in the first cells: 16 during the search, 36 afterwards (A.1)'),
  layers: z
    .int()
    .min(1)
    .max(MOST_LAYERS)
    .default(20)
    .describe('L, number of cells: 8 during the search, 20 afterwards (A.1)'),
  layout: z
    .enum(['cifar', 'imagenet'])
    .default('cifar')
    .describe(
      "stem: one convolution (cifar), or three with stride 2 (imagenet), as in the authors' NetworkCIFAR and NetworkImageNet",
    ),
  auxiliary: z
    .boolean()
    .default(false)
    .describe(
      'auxiliary head after the second reduction cell, for training; the paper weights its loss by 0.4 (A.2)',
    ),
  nodes: z
    .int()
    .min(1)
    .max(MOST_NODES)
    .default(4)
    .describe('number of intermediate nodes in a cell, between its inputs and its output (3.1.1)'),
  none: z
    .boolean()
    .default(false)
    .describe(
      "whether an edge can be 'none': DARTS excludes it from derived cells (2.4), Li & Talwalkar 2019 sample it too",
    ),
});

/** A cell in the form of the questions: for each node two different states, ascending, and an operation on each. */
interface AskedCell {
  readonly inputs: readonly (readonly number[])[];
  readonly nodes: readonly { readonly inputs: readonly number[]; readonly operations: readonly unknown[] }[];
}

interface AskedCells {
  readonly normal: AskedCell;
  readonly reduce: AskedCell;
}

/**
 * The convolutional cells of DARTS (Liu, Simonyan & Yang 2018, section 3.1.1): a normal and a reduction cell with four
 * nodes each. A node is the sum of two operations, on two different earlier states.
 */
export const dartsCnn = defineSpace({
  name: 'darts-cnn',
  options,
  small: { channels: 8, layers: 5 },
  searched: { channels: 16, layers: 8 },
  *choices({ nodes, none }): Program<AskedCells> {
    const operations = none ? DARTS_OPERATIONS : DERIVED;
    const normal = yield* block('normal', () => cell(nodes, operations));
    const reduce = yield* block('reduce', () => cell(nodes, operations));
    return { normal, reduce };
  },
  genotype: {
    write: ({ normal, reduce }, { nodes }): DartsGenotype => ({
      normal: writeEdges(normal),
      normal_concat: allNodes(nodes),
      reduce: writeEdges(reduce),
      reduce_concat: allNodes(nodes),
    }),
    read: (published, { nodes, none }): AskedCells => {
      if (typeof published !== 'object' || published === null || Array.isArray(published))
        refuse('the architecture', published, `an object with the keys ${KEYS.join(', ')}`);
      const genotype = published as Record<string, unknown>;
      const surplus = Object.keys(genotype).find((key) => !KEYS.includes(key));
      if (surplus !== undefined)
        throw new InputError(
          `space darts-cnn: '${surplus}' is ${show(genotype[surplus])}, but nothing may stand there`,
        );
      const operations = none ? DARTS_OPERATIONS : DERIVED;
      const read = (kind: 'normal' | 'reduce') => {
        const cell = readCell(kind, genotype[kind], nodes, operations);
        const concat = genotype[`${kind}_concat`];
        if (!isDeepStrictEqual(concat, allNodes(nodes)))
          refuse(`'${kind}_concat'`, concat, show(allNodes(nodes)));
        return cell;
      };
      return { normal: read('normal'), reduce: read('reduce') };
    },
  },
  network: (genotype: DartsGenotype, shape, { channels, layers, layout, auxiliary }) =>
    new DartsNetwork(genotype, shape, { channels, layers, layout, auxiliary }),
  supernet: (shape, { channels, layers, nodes, layout }, { partialChannels }) =>
    new DartsSupernet(shape, { channels, layers, nodes, layout, partialChannels }),
  partialChannels: true,
});

const DERIVED = DARTS_OPERATIONS.filter((operation) => operation !== 'none');

function* cell(nodes: number, operations: readonly DartsOperation[]): Program<AskedCell> {
  const states: Anchor[] = [];
  for (const input of [0, 1]) states.push(yield* subset(`inputs.${input}`, []));
  const asked: AskedCell['nodes'][number][] = [];
  for (let node = 0; node < nodes; node++) {
    const inputs = yield* block(`nodes.${node}`, function* () {
      const inputs = yield* subset('inputs', states, 2);
      const first = yield* choose('operations.0', operations);
      const second = yield* choose('operations.1', operations);
      asked.push({ inputs: inputs.chosen, operations: [first, second] });
      return inputs;
    });
    states.push(inputs);
  }
  return { inputs: [[], []], nodes: asked };
}

const KEYS = ['normal', 'normal_concat', 'reduce', 'reduce_concat'];

/** The states that a DARTS cell concatenates. */
function allNodes(nodes: number): number[] {
  return Array.from({ length: nodes }, (_, node) => node + 2);
}

function writeEdges({ nodes }: AskedCell): DartsGenotype['normal'] {
  return nodes.flatMap(({ inputs, operations }) =>
    inputs.map((state, i) => [operations[i] as DartsOperation, state] as const),
  );
}

/** Accepts the edges of a node in any order: the authors' code sorts them by their weights. */
function readCell(
  kind: string,
  edges: unknown,
  nodes: number,
  operations: readonly DartsOperation[],
): AskedCell {
  if (!Array.isArray(edges) || edges.length !== 2 * nodes)
    refuse(
      `'${kind}'`,
      edges,
      `a list of ${2 * nodes} pairs [operation, state], two for each of the ${nodes} nodes`,
    );
  const read = (edges as unknown[]).map((edge, place) => {
    if (!Array.isArray(edge) || edge.length !== 2)
      refuse(`'${kind}.${place}'`, edge, 'a pair [operation, state]');
    const [operation, state] = edge as [unknown, unknown];
    if (!operations.includes(operation as DartsOperation))
      refuse(`'${kind}.${place}.0'`, operation, operations.map(show).join(', '));
    const last = 1 + Math.floor(place / 2);
    if (!(Number.isInteger(state) && (state as number) >= 0 && (state as number) <= last))
      refuse(`'${kind}.${place}.1'`, state, `a state before the node, 0 to ${last}`);
    return { operation, state: state as number };
  });
  return {
    inputs: [[], []],
    nodes: Array.from({ length: nodes }, (_, node) => {
      const pair = read.slice(2 * node, 2 * node + 2);
      if (pair[0]?.state === pair[1]?.state)
        refuse(
          `'${kind}.${2 * node + 1}.1'`,
          pair[1]?.state,
          `a state other than that of '${kind}.${2 * node}.1'`,
        );
      pair.sort((a, b) => a.state - b.state);
      return {
        inputs: pair.map(({ state }) => state),
        operations: pair.map(({ operation }) => operation),
      };
    }),
  };
}

function refuse(where: string, value: unknown, allowed: string): never {
  throw new InputError(`space darts-cnn: ${where} is ${show(value)}; allowed: ${allowed}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'missing';
}

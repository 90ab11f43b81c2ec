import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import {
  CELL_OPERATIONS,
  type DartsEdges,
  type DartsGenotype,
  type DartsOperation,
  edgesOf,
  USUAL_EDGES,
} from '../networks/darts/genotype.js';
import { DartsNetwork } from '../networks/darts/network.js';
import { type Anchor, block, choose, type Program, subset } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { DartsSupernet } from '../supernets/darts-cnn.js';
import {
  allNodes,
  DERIVED_OPERATIONS,
  firstConcatenated,
  isConcatenation,
  readPublishedCells,
} from './darts-cnn-text.js';
import { MOST_CHANNELS, MOST_LAYERS, MOST_NODES } from './size-limits.js';

const nodeCount = z.int().min(1).max(MOST_NODES);
const edgeCount = z.int().min(1).max(MOST_NODES);
const EDGES_ALLOWED = `allowed: a whole number from 1 to ${MOST_NODES}, or two: [fewest, most]`;
const states = z
  .array(
    z
      .int()
      .min(0)
      .max(MOST_NODES + 1),
  )
  .nonempty();

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
    .union([nodeCount, z.tuple([nodeCount, nodeCount])], {
      error: `allowed: a whole number from 1 to ${MOST_NODES}, or two: [normal, reduction]`,
    })
    .default(4)
    .describe(
      'number of intermediate nodes in a cell, between its inputs and its output (3.1.1); [normal, reduction] where the ' +
        'cells differ',
    ),
  edges: z
    .union(
      [edgeCount, z.tuple([edgeCount, edgeCount]).refine(([fewest, most]) => fewest <= most, EDGES_ALLOWED)],
      { error: EDGES_ALLOWED },
    )
    .default(USUAL_EDGES)
    .describe('number of edges into a node (2.4); [fewest, most] where nodes differ, as in FairDARTS'),
  distinct: z
    .boolean()
    .default(true)
    .describe(
      'whether the edges into a node come from different states; in NASNet and AmoebaNet they need not',
    ),
  operations: z
    .array(z.enum(CELL_OPERATIONS).exclude(['none']))
    .nonempty()
    .refine((list) => new Set(list).size === list.length, 'the list has a value twice')
    .default([...DERIVED_OPERATIONS])
    .describe('operations to choose from (3.1.1)'),
  none: z
    .boolean()
    .default(false)
    .describe(
      "whether an edge can be 'none': DARTS excludes it from derived cells (2.4), Li & Talwalkar 2019 sample it too",
    ),
  concat: z
    .union([z.literal('all'), z.strictObject({ normal: states, reduce: states })], {
      error: 'allowed: "all", or the states of both cells: {"normal": [2, 3], "reduce": [3]}',
    })
    .default('all')
    .describe(
      'states that the output of a cell concatenates: all nodes (3.1.1), or those given for each kind of cell',
    ),
});

type Options = z.infer<typeof options>;
type Kind = 'normal' | 'reduce';

/** A cell in the form of the questions: for each node the states that its edges come from, and an operation on each. */
interface AskedCell {
  /** The inputs are anchors where subsets of the states are asked for; they offer nothing to choose. */
  readonly inputs?: readonly (readonly number[])[];
  readonly nodes: readonly AskedNode[];
}

interface AskedNode {
  /** How many edges there are, where this is a question. */
  readonly edges?: number;
  /** Ascending where they are different. */
  readonly inputs: readonly number[];
  readonly operations: readonly unknown[];
}

interface AskedCells {
  readonly normal: AskedCell;
  readonly reduce: AskedCell;
}

/**
 * The convolutional cells of DARTS (Liu, Simonyan & Yang 2018, section 3.1.1): a normal and a reduction cell with four
 * nodes each. A node is the sum of two operations, on two different earlier states. Other options make the cells of its
 * successors and relatives; a published genotype implies its own.
 */
export const dartsCnn = defineSpace({
  name: 'darts-cnn',
  options,
  small: { channels: 8, layers: 5 },
  searched: { channels: 16, layers: 8 },
  *choices(options): Program<AskedCells> {
    for (const kind of KINDS) concatenated(kind, options);
    const normal = yield* block('normal', () => cell('normal', options));
    const reduce = yield* block('reduce', () => cell('reduce', options));
    return { normal, reduce };
  },
  genotype: {
    published: readPublishedCells,
    write: ({ normal, reduce }, options): DartsGenotype<DartsEdges> => ({
      normal: writeEdges(normal),
      normal_concat: concatenated('normal', options),
      reduce: writeEdges(reduce),
      reduce_concat: concatenated('reduce', options),
    }),
    read: (published, options): AskedCells => {
      if (typeof published !== 'object' || published === null || Array.isArray(published))
        refuse('the architecture', published, `an object with the keys ${KEYS.join(', ')}`);
      const genotype = published as Record<string, unknown>;
      const surplus = Object.keys(genotype).find((key) => !KEYS.includes(key));
      if (surplus !== undefined)
        throw new InputError(
          `space darts-cnn: '${surplus}' is ${show(genotype[surplus])}, but nothing may stand there`,
        );
      const read = (kind: Kind) => {
        const cell = readCell(kind, genotype[kind], options);
        const concat = genotype[`${kind}_concat`];
        const nodes = nodesOf(kind, options);
        const own = concatenated(kind, options);
        if (!isConcatenation(concat, kind, nodes))
          refuse(
            `'${kind}_concat'`,
            concat,
            `different states, ${firstConcatenated(kind)} to ${nodes + 1}, as ${show(own)}`,
          );
        if (!isDeepStrictEqual(concat, own)) refuse(`'${kind}_concat'`, concat, show(own));
        return cell;
      };
      return { normal: read('normal'), reduce: read('reduce') };
    },
  },
  network: (genotype: DartsGenotype<DartsEdges>, shape, { channels, layers, layout, auxiliary }) =>
    new DartsNetwork(genotype, shape, { channels, layers, layout, auxiliary }),
  supernetOptions: z.strictObject({
    partialChannels: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'K: the operations see one channel in K, and edges get weights of their own; 1 shows them all channels ' +
          '(PC-DARTS, Xu et al. 2020: 4). Its authors also set, on CIFAR-10, batchSize 256, learningRate 0.1, ' +
          'alphaLearningRate 6e-4 and warmUp 15; on ImageNet K = 2, batchSize 1024, learningRate 0.5, finalLearningRate 0, ' +
          'alphaLearningRate 6e-3 and warmUp 35, a learning rate that rises over the first 5 epochs, and alphas whose ' +
          'gradient is clipped to 5 (the last two do not exist here)',
      ),
  }),
  supernet: (shape, options, { partialChannels }: { readonly partialChannels: number }) => {
    const { channels, layers, layout } = options;
    return new DartsSupernet(shape, {
      channels,
      layers,
      nodes: searchedNodes(options),
      layout,
      partialChannels,
    });
  },
});

const KINDS = ['normal', 'reduce'] as const;
const KEYS = ['normal', 'normal_concat', 'reduce', 'reduce_concat'];

function nodesOf(kind: Kind, { nodes }: Options): number {
  if (typeof nodes === 'number') return nodes;
  return nodes[kind === 'normal' ? 0 : 1];
}

/** The states that a cell concatenates. @throws InputError for states that it does not have */
function concatenated(kind: Kind, options: Options): readonly number[] {
  const nodes = nodesOf(kind, options);
  const { concat } = options;
  if (concat === 'all') return allNodes(nodes);
  const own = concat[kind];
  if (!isConcatenation(own, kind, nodes))
    throw new InputError(
      `space darts-cnn: option 'concat' has ${show(own)} for '${kind}'; allowed: different states, ` +
        `${firstConcatenated(kind)} to ${nodes + 1}`,
    );
  return own;
}

/** The number of edges that a node can have, of which there are states before it. */
function edgesInto(states: number, { edges, distinct }: Options): readonly [fewest: number, most: number] {
  const [fewest, most] = typeof edges === 'number' ? [edges, edges] : edges;
  return distinct ? [Math.min(fewest, states), Math.min(most, states)] : [fewest, most];
}

function operationsOf({ operations, none }: Options): readonly DartsOperation[] {
  return none ? ['none', ...operations] : operations;
}

/** The number of nodes in the cells of a supernet. @throws InputError where there is no supernet with these options */
function searchedNodes(searched: Options): number {
  const usual = options.parse({});
  for (const name of ['edges', 'distinct', 'operations', 'concat'] as const)
    if (!isDeepStrictEqual(searched[name], usual[name]))
      refuseSupernet(name, searched[name], show(usual[name]));
  const { nodes } = searched;
  if (typeof nodes !== 'number') refuseSupernet('nodes', nodes, 'one number for both cells');
  return nodes;
}

function refuseSupernet(name: string, value: unknown, allowed: string): never {
  throw new InputError(`space darts-cnn has no supernet with ${name} = ${show(value)}; allowed: ${allowed}`);
}

function* cell(kind: Kind, options: Options): Program<AskedCell> {
  const count = nodesOf(kind, options);
  return options.distinct ? yield* distinctCell(count, options) : yield* freeCell(count, options);
}

/** The edges into a node come from different states. */
function* distinctCell(count: number, options: Options): Program<AskedCell> {
  const states: Anchor[] = [];
  for (const input of [0, 1]) states.push(yield* subset(`inputs.${input}`, []));
  const nodes: AskedNode[] = [];
  for (let node = 0; node < count; node++) {
    const inputs = yield* block(`nodes.${node}`, function* () {
      const { edges, asked } = yield* edgeQuestion(states.length, options);
      const inputs = yield* subset('inputs', states, edges);
      nodes.push({ ...asked, inputs: inputs.chosen, operations: yield* operationQuestions(edges, options) });
      return inputs;
    });
    states.push(inputs);
  }
  return { inputs: [[], []], nodes };
}

/** Each edge comes from any earlier state. */
function* freeCell(count: number, options: Options): Program<AskedCell> {
  const nodes: AskedNode[] = [];
  for (let node = 0; node < count; node++)
    nodes.push(
      yield* block(`nodes.${node}`, function* () {
        const states = Array.from({ length: node + 2 }, (_, state) => state);
        const { edges, asked } = yield* edgeQuestion(states.length, options);
        const inputs: number[] = [];
        for (let edge = 0; edge < edges; edge++) inputs.push(yield* choose(`inputs.${edge}`, states));
        return { ...asked, inputs, operations: yield* operationQuestions(edges, options) };
      }),
    );
  return { nodes };
}

/** How many edges enter a node. It is a question only where there is a choice. */
function* edgeQuestion(
  states: number,
  options: Options,
): Program<{ readonly edges: number; readonly asked: { readonly edges?: number } }> {
  const [fewest, most] = edgesInto(states, options);
  if (fewest === most) return { edges: most, asked: {} };
  const edges = yield* choose(
    'edges',
    Array.from({ length: most - fewest + 1 }, (_, more) => fewest + more),
  );
  return { edges, asked: { edges } };
}

function* operationQuestions(edges: number, options: Options): Program<DartsOperation[]> {
  const operations: DartsOperation[] = [];
  for (let edge = 0; edge < edges; edge++)
    operations.push(yield* choose(`operations.${edge}`, operationsOf(options)));
  return operations;
}

function writeEdges({ nodes }: AskedCell): DartsEdges {
  return edgesOf(
    nodes.map(({ inputs, operations }) =>
      inputs.map((state, edge) => [operations[edge] as DartsOperation, state] as const),
    ),
  );
}

/** Accepts the edges of a node in any order: the authors' code sorts them by their weights. */
function readCell(kind: Kind, given: unknown, options: Options): AskedCell {
  const count = nodesOf(kind, options);
  const nodes = readNodes(kind, given, count);
  const asked = nodes.map((edges, node): AskedNode => {
    const [fewest, most] = edgesInto(node + 2, options);
    if (edges.length < fewest || edges.length > most)
      refuse(
        `the number of edges into node ${node} of '${kind}'`,
        edges.length,
        fewest === most ? String(most) : `${fewest} to ${most}`,
      );
    const read = edges.map(({ edge, where }) => readEdge(edge, where, node, options));
    if (options.distinct) {
      requireDistinct(read);
      read.sort((a, b) => a.state - b.state);
    }
    return {
      ...(fewest === most ? {} : { edges: edges.length }),
      inputs: read.map(({ state }) => state),
      operations: read.map(({ operation }) => operation),
    };
  });
  return options.distinct ? { inputs: [[], []], nodes: asked } : { nodes: asked };
}

/** An edge that is to be read, and its place for messages. */
interface GivenEdge {
  readonly edge: unknown;
  readonly where: string;
}

interface ReadEdge {
  readonly operation: DartsOperation;
  readonly state: number;
  readonly where: string;
}

/** The edges of each node: pairs in one list, two for each node, or a list for each node. */
function readNodes(kind: Kind, given: unknown, count: number): GivenEdge[][] {
  const list = Array.isArray(given) ? (given as unknown[]) : [];
  const isNested = list.length > 0 && list.every((node) => Array.isArray(node) && Array.isArray(node[0]));
  if (list.length !== (isNested ? count : USUAL_EDGES * count))
    refuse(
      `'${kind}'`,
      given,
      `a list of ${USUAL_EDGES * count} pairs [operation, state], two for each of the ${count} nodes, or ${count} lists of pairs`,
    );
  if (isNested)
    return (list as unknown[][]).map((edges, node) =>
      edges.map((edge, place) => ({ edge, where: `${kind}.${node}.${place}` })),
    );
  const flat = list.map((edge, place) => ({ edge, where: `${kind}.${place}` }));
  return Array.from({ length: count }, (_, node) => flat.slice(USUAL_EDGES * node, USUAL_EDGES * (node + 1)));
}

function readEdge(edge: unknown, where: string, node: number, options: Options): ReadEdge {
  if (!Array.isArray(edge) || edge.length !== 2) refuse(`'${where}'`, edge, 'a pair [operation, state]');
  const [operation, state] = edge as [unknown, unknown];
  const allowed = operationsOf(options);
  if (!allowed.includes(operation as DartsOperation)) {
    const isKnown = (CELL_OPERATIONS as readonly unknown[]).includes(operation);
    refuse(`'${where}.0'`, operation, (isKnown ? allowed : CELL_OPERATIONS).map(show).join(', '));
  }
  if (!(Number.isInteger(state) && (state as number) >= 0 && (state as number) <= node + 1))
    refuse(`'${where}.1'`, state, `a state before the node, 0 to ${node + 1}`);
  return { operation: operation as DartsOperation, state: state as number, where };
}

function requireDistinct(edges: readonly ReadEdge[]): void {
  for (const [place, { state, where }] of edges.entries()) {
    const twin = edges.slice(0, place).find((earlier) => earlier.state === state);
    if (twin !== undefined) refuse(`'${where}.1'`, state, `a state other than that of '${twin.where}.1'`);
  }
}

function refuse(where: string, value: unknown, allowed: string): never {
  throw new InputError(`space darts-cnn: ${where} is ${show(value)}; allowed: ${allowed}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'missing';
}

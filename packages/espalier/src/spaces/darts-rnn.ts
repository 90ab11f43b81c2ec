import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { DartsRecurrentCell } from '../networks/recurrent/darts-cell.js';
import {
  DARTS_ACTIVATIONS,
  type DartsActivation,
  type DartsRecurrentGenotype,
} from '../networks/recurrent/darts-genotype.js';
import { RecurrentLanguageModel } from '../networks/recurrent/recurrent-language-model.js';
import { type Anchor, block, choose, type Program, subset } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { DartsRnnSupernet } from '../supernets/darts-rnn.js';
import { MOST_CHANNELS, MOST_NODES } from './size-limits.js';
import { variationalDropout, variationalDropoutOptions } from './variational-dropout-options.js';

const options = z.strictObject({
  hidden: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .default(850)
    .describe(
      'hidden units, and size of the embedding: 300 during the search, 850 afterwards (A.1.2, A.2.2)',
    ),
  nodes: z
    .int()
    .min(1)
    .max(MOST_NODES)
    .default(8)
    .describe(
      'number of nodes in the cell after its first state, which combines the input and the previous hidden state (3.1.2)',
    ),
  output: z
    .union([z.enum(['all', 'ends']), z.array(z.int().min(0).max(MOST_NODES)).nonempty()], {
      error: 'allowed: "all", "ends", or a list of states such as [1, 2]',
    })
    .default('all')
    .describe(
      "the cell's output is the mean of all nodes (DARTS, 3.1.2), of the ends, which no other node reads (ENAS, 2.1), or of " +
        'the states in a list; 0 is the first state, 1 the first node',
    ),
  ...variationalDropoutOptions,
});

/** A cell in the form of the questions; its first state is an anchor that offers nothing to choose. */
interface AskedCell {
  readonly input: readonly [];
  readonly nodes: readonly { readonly input: readonly number[]; readonly activation: DartsActivation }[];
}

/**
 * The recurrent cells of DARTS (Liu, Simonyan & Yang 2018, section 3.1.2): eight nodes. A node is a highway unit that reads
 * one earlier state and has one of four activations.
 */
export const dartsRnn = defineSpace({
  name: 'darts-rnn',
  reads: 'tokens',
  options,
  small: { hidden: 64 },
  /** As in the authors' rnn/train_search.py. */
  searched: { hidden: 300, dropoutEmbedding: 0 },
  *choices({ nodes }): Program<AskedCell> {
    const states: Anchor[] = [yield* subset('input', [])];
    const asked: AskedCell['nodes'][number][] = [];
    for (let node = 0; node < nodes; node++) {
      const state = yield* block(`nodes.${node}`, function* () {
        const input = yield* subset('input', states, 1);
        asked.push({ input: input.chosen, activation: yield* choose('activation', DARTS_ACTIVATIONS) });
        return input;
      });
      states.push(state);
    }
    return { input: [], nodes: asked };
  },
  genotype: {
    published: (content) => {
      if (!('recurrent' in content)) return undefined;
      return { architecture: content, options: impliedOptions(content.recurrent, content.concat) };
    },
    write: ({ nodes }, { output }): DartsRecurrentGenotype => {
      const recurrent = nodes.map(({ input, activation }) => [activation, input[0] as number] as const);
      return { recurrent, concat: outputStates(recurrent, output) };
    },
    read: (published, { nodes, output }): AskedCell => {
      if (typeof published !== 'object' || published === null || Array.isArray(published))
        refuse('the architecture', published, 'an object with the keys recurrent, concat');
      const { recurrent, concat, ...rest } = published as Record<string, unknown>;
      for (const [key, value] of Object.entries(rest))
        throw new InputError(`space darts-rnn: '${key}' is ${show(value)}, but nothing may stand there`);
      const pairs = readPairs(recurrent, nodes);
      const given = outputStates(pairs, output);
      if (!isOutput(concat, nodes))
        refuse("'concat'", concat, `different states, 0 to ${nodes}, as ${show(given)}`);
      if (!isDeepStrictEqual(concat, given)) refuse("'concat'", concat, show(given));
      return {
        input: [],
        nodes: pairs.map(([activation, state]) => ({ input: [state], activation })),
      };
    },
  },
  network: (genotype: DartsRecurrentGenotype, { vocabulary }, { hidden, ...rest }) =>
    new RecurrentLanguageModel([new DartsRecurrentCell(genotype, hidden, hidden)], {
      vocabulary,
      tied: true,
      dropout: variationalDropout(rest),
    }),
  supernet: (input, { hidden, nodes, output, ...rest }) => {
    if (output !== 'all')
      throw new InputError(
        `space darts-rnn has no supernet with output = ${show(output)}: in the mixture, all later nodes read every state`,
      );
    return new DartsRnnSupernet(input, { hidden, nodes, dropout: variationalDropout(rest) });
  },
});

type Pairs = DartsRecurrentGenotype['recurrent'];
type Output = z.infer<typeof options>['output'];

/** The states whose mean is the output. @throws InputError for states that the cell does not have */
function outputStates(pairs: Pairs, output: Output): readonly number[] {
  if (typeof output !== 'string') {
    if (!isOutput(output, pairs.length))
      throw new InputError(
        `space darts-rnn: option 'output' is ${show(output)}; allowed with ${pairs.length} nodes: different states, ` +
          `0 to ${pairs.length}`,
      );
    return output;
  }
  const read = new Set(pairs.map(([, state]) => state));
  return pairs.map((_, node) => node + 1).filter((state) => output === 'all' || !read.has(state));
}

/** Whether a value lists different states of a cell. */
function isOutput(value: unknown, nodes: number): value is number[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((state) => Number.isInteger(state) && state >= 0 && state <= nodes)
  );
}

/** The options that a published cell implies; none where it has another form. */
function impliedOptions(recurrent: unknown, concat: unknown): Record<string, Json> {
  if (!Array.isArray(recurrent) || recurrent.length === 0 || !recurrent.every(Array.isArray)) return {};
  const pairs = recurrent as unknown as Pairs;
  const nodes = pairs.length;
  if (!isOutput(concat, nodes)) return { nodes };
  const named = (['all', 'ends'] as const).find((output) =>
    isDeepStrictEqual(concat, outputStates(pairs, output)),
  );
  return { nodes, output: named ?? concat };
}

function readPairs(pairs: unknown, nodes: number): Pairs {
  if (!Array.isArray(pairs) || pairs.length !== nodes)
    refuse("'recurrent'", pairs, `a list of ${nodes} pairs [activation, state], one for each of the nodes`);
  return (pairs as unknown[]).map((pair, node) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      refuse(`'recurrent.${node}'`, pair, 'a pair [activation, state]');
    const [activation, state] = pair as [unknown, unknown];
    if (!DARTS_ACTIVATIONS.includes(activation as DartsActivation))
      refuse(`'recurrent.${node}.0'`, activation, DARTS_ACTIVATIONS.map(show).join(', '));
    if (!(Number.isInteger(state) && (state as number) >= 0 && (state as number) <= node))
      refuse(`'recurrent.${node}.1'`, state, `a state before the node, 0 to ${node}`);
    return [activation as DartsActivation, state as number];
  });
}

function refuse(where: string, value: unknown, allowed: string): never {
  throw new InputError(`space darts-rnn: ${where} is ${show(value)}; allowed: ${allowed}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'missing';
}

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../input-error.js';
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
    .enum(['all', 'ends'])
    .default('all')
    .describe(
      "the cell's output is the mean of all nodes (DARTS, 3.1.2), or of the ends, which no other node reads (ENAS, 2.1)",
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
        `space darts-rnn has no supernet with output = "${output}": in the mixture, all later nodes read every state`,
      );
    return new DartsRnnSupernet(input, { hidden, nodes, dropout: variationalDropout(rest) });
  },
});

type Pairs = DartsRecurrentGenotype['recurrent'];

function outputStates(pairs: Pairs, output: 'all' | 'ends'): number[] {
  const read = new Set(pairs.map(([, state]) => state));
  return pairs.map((_, node) => node + 1).filter((state) => output === 'all' || !read.has(state));
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

import { noGrad } from '@espalier/torch';
import { z } from 'zod';
import { RecurrentLanguageModel } from '../networks/recurrent/recurrent-language-model.js';
import { ZophRecurrentCell } from '../networks/recurrent/zoph-cell.js';
import { ACTIVATIONS, COMBINATIONS, type TreeNode, type ZophRnn } from '../networks/recurrent/zoph-tree.js';
import { block, choose, type Program } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { MOST_CHANNELS, MOST_LAYERS, MOST_NODES } from './size-limits.js';
import { variationalDropout, variationalDropoutOptions } from './variational-dropout-options.js';

const options = z.strictObject({
  base: z
    .int()
    .min(1)
    .max(MOST_NODES)
    .default(8)
    .describe('base number: the leaves of the tree, 2 in the example (3.4), 8 in the experiments (4.2)'),
  maxAndSin: z
    .boolean()
    .default(false)
    .describe('whether max and sin can be chosen as well, as in the control experiment (4.2)'),
  hidden: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .default(740)
    .describe(
      'hidden units of a layer; the paper gives only totals (4.2): with base 8 and tied weights, 740 units make 25 million ' +
        'parameters',
    ),
  layers: z
    .int()
    .min(1)
    .max(MOST_LAYERS)
    .default(2)
    .describe('number of recurrent layers, all with the same cell; the paper has two (4.2)'),
  tied: z
    .boolean()
    .default(true)
    .describe('whether the embedding and the decoder share their weights ("shared embeddings", table 2)'),
  initialRange: z
    .number()
    .positive()
    .max(1)
    .nullable()
    .default(null)
    .describe(
      'all parameters start uniformly within +- this; in the grid after the search (4.2), which publishes no value. null: ' +
        'the embedding within +- 0.04, the cells by their fan-in',
    ),
  ...variationalDropoutOptions,
});

/**
 * The recurrent cells of Zoph & Le 2016 (section 3.4): a tree whose leaves read the input and the previous hidden state.
 *
 * The questions, in the order of figure 5: for each node of the tree, leaves first, `nodes.I.combination` and
 * `nodes.I.activation`; `cellInject.combination` and `cellInject.activation`, how the previous cell state enters;
 * `cellIndex.next`, the node whose value before its activation is the next cell state; `cellIndex.previous`, the node where
 * the previous cell state enters. Both can be any node, including the root, so base N makes 8^(2N) (2N-1)^2 cells: for
 * N = 8, the paper's "approximately 6 x 10^16".
 */
export const zophRnn = defineSpace({
  name: 'zoph-rnn',
  reads: 'tokens',
  options,
  small: { base: 4, hidden: 64, layers: 1 },
  // "Approximately match the medium baselines" (4.2), which have 20 million parameters: so do 650 units with base 8, tied
  // weights and the 10,000 words of Penn Treebank.
  children: { hidden: 650 },
  *choices({ base, maxAndSin }): Program<ZophRnn> {
    const indices = Array.from({ length: 2 * base - 1 }, (_, index) => index);
    const nodes: TreeNode[] = [];
    for (const index of indices) nodes.push(yield* block(`nodes.${index}`, () => treeNode(maxAndSin)));
    const cellInject = yield* block('cellInject', () => treeNode(maxAndSin));
    const cellIndex = yield* block('cellIndex', function* () {
      const next = yield* choose('next', indices);
      const previous = yield* choose('previous', indices);
      return { next, previous };
    });
    return { nodes, cellInject, cellIndex };
  },
  network: (tree: ZophRnn, { vocabulary }, { hidden, layers, tied, initialRange, ...rest }) => {
    const cell = () => new ZophRecurrentCell(tree, hidden, hidden);
    const model = new RecurrentLanguageModel([cell(), ...Array.from({ length: layers - 1 }, cell)], {
      vocabulary,
      tied,
      dropout: variationalDropout(rest),
    });
    if (initialRange !== null)
      noGrad(() => {
        for (const parameter of model.parameters()) parameter.uniform_(-initialRange, initialRange);
      });
    return model;
  },
});

const PLAIN_COMBINATIONS = COMBINATIONS.filter((combination) => combination !== 'max');
const PLAIN_ACTIVATIONS = ACTIVATIONS.filter((activation) => activation !== 'sin');

function* treeNode(maxAndSin: boolean): Program<TreeNode> {
  const combination = yield* choose('combination', maxAndSin ? COMBINATIONS : PLAIN_COMBINATIONS);
  const activation = yield* choose('activation', maxAndSin ? ACTIVATIONS : PLAIN_ACTIVATIONS);
  return { combination, activation };
}

import type { PublishedArchitecture } from './published-architecture.js';

export const dartsV2Rnn: PublishedArchitecture = {
  name: 'darts-v2-rnn',
  space: 'darts-rnn',
  options: { hidden: 850 },
  architecture: {
    recurrent: [
      ['sigmoid', 0],
      ['relu', 1],
      ['relu', 1],
      ['identity', 1],
      ['tanh', 2],
      ['sigmoid', 5],
      ['tanh', 3],
      ['relu', 5],
    ],
    concat: [1, 2, 3, 4, 5, 6, 7, 8],
  },
  source:
    'Liu, Simonyan & Yang 2018, DARTS: Differentiable Architecture Search (arXiv 1806.09055), second order, table 2' +
    ', figure 6; genotype: DARTS_V2 in rnn/genotypes.py of github.com/quark0/darts',
  figures: {
    // With the 10,000 words of Penn Treebank.
    params: 22960000,
    published: 'Penn Treebank: perplexity 58.1 on the validation set, 55.7 on the test set, 23M parameters',
  },
};

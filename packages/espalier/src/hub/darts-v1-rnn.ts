import type { PublishedArchitecture } from './published-architecture.js';

export const dartsV1Rnn: PublishedArchitecture = {
  name: 'darts-v1-rnn',
  space: 'darts-rnn',
  options: { hidden: 850 },
  architecture: {
    recurrent: [
      ['relu', 0],
      ['relu', 1],
      ['tanh', 2],
      ['relu', 3],
      ['relu', 4],
      ['identity', 1],
      ['relu', 5],
      ['relu', 1],
    ],
    concat: [1, 2, 3, 4, 5, 6, 7, 8],
  },
  source:
    'Liu, Simonyan & Yang 2018, DARTS: Differentiable Architecture Search (arXiv 1806.09055), first order, table 2' +
    '; genotype: DARTS_V1 in rnn/genotypes.py of github.com/quark0/darts',
  figures: {
    // With the 10,000 words of Penn Treebank.
    params: 22960000,
    published: 'Penn Treebank: perplexity 60.2 on the validation set, 57.6 on the test set, 23M parameters',
  },
};

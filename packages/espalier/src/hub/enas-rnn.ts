import type { PublishedArchitecture } from './published-architecture.js';

export const enasRnn: PublishedArchitecture = {
  name: 'enas-rnn',
  space: 'darts-rnn',
  options: { hidden: 748, nodes: 11, output: 'ends' },
  architecture: {
    recurrent: [
      ['tanh', 0],
      ['tanh', 1],
      ['relu', 1],
      ['tanh', 3],
      ['tanh', 3],
      ['relu', 3],
      ['relu', 4],
      ['relu', 7],
      ['relu', 8],
      ['relu', 8],
      ['relu', 8],
    ],
    concat: [2, 5, 6, 9, 10, 11],
  },
  source:
    'Pham, Guan, Zoph, Le & Dean 2018, Efficient Neural Architecture Search via Parameter Sharing (arXiv 1802.03268), ' +
    'section 3.1; the genotype is ENAS in rnn/genotypes.py of github.com/quark0/darts, the units are those of ' +
    'scripts/ptb_final.sh of github.com/melodyguan/enas',
  figures: {
    // With the 10,000 words of Penn Treebank.
    params: 22037104,
    published: 'Penn Treebank: perplexity 55.8 on the test set, 24M parameters',
  },
};

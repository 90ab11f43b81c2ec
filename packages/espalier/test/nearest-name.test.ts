import { expect, test } from 'vitest';
import { didYouMean } from '../src/nearest-name.js';

const SPACES = ['zoph-cnn', 'zoph-rnn', 'darts-cnn', 'darts-rnn', 'nasnet', 'nasbench201'];

test.each([
  ['a letter is missing', 'zoph-cn', 'zoph-cnn'],
  ['a letter is too many', 'nassnet', 'nasnet'],
  ['a letter is another', 'darts-cmn', 'darts-cnn'],
  ['two letters are exchanged', 'nasnte', 'nasnet'],
  ['the case is another', 'ZOPH-RNN', 'zoph-rnn'],
  ['two are as near: the first', 'zoph-xnn', 'zoph-cnn'],
])('a name is guessed where %s', (_, typed, meant) => {
  expect(didYouMean(typed, SPACES)).toBe(` did you mean '${meant}'?`);
});

test.each(['nope', 'n', '', 'auto-deeplab', 'resnet50x', 'ant', 'nest201'])(
  'nothing is guessed for %j',
  (typed) => {
    expect(didYouMean(typed, SPACES)).toBe('');
  },
);

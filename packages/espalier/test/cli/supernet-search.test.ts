import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addInspect } from '../../src/cli/inspect.js';
import { addSearch } from '../../src/cli/search.js';
import { addStatus } from '../../src/cli/status.js';
import { addTrain } from '../../src/cli/train.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';
import { writeTinyText } from './tiny-text.js';

const folder = suiteFolder();
const images = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;
const text = `text:${writeTinyText(join(folder, 'text'))}`;

/** Three cells of two channels on 32 images, or a cell of eight nodes and four units on 300 tokens. */
const small = (strategy: string, reads: 'images' | 'tokens', out: string, ...more: string[]) => [
  'search',
  ...[
    '--strategy',
    strategy,
    '--out',
    out,
    '--seed',
    '5',
    '--threads',
    '1',
    '--epochs',
    '3',
    '--batch-size',
    '8',
  ],
  ...(reads === 'images'
    ? ['--space', 'darts-cnn', '--data', images, '--limit', '32', '--channels', '2', '--layers', '3']
    : ['--space', 'darts-rnn', '--data', text, '--limit', '300', '--hidden', '4', '--set', 'learningRate=1']),
  ...more,
];

describe('a search with shared weights', () => {
  it.each([
    // The first epoch is journaled; the second is under way.
    ['DARTS', 'images', 2, 5, ['darts']],
    ['DARTS of second order', 'images', 2, 5, ['darts', '--set', 'order=2']],
    ['DARTS on a text', 'tokens', 2, 5, ['darts']],
    // All three epochs and the first round of the choice are journaled.
    [
      'random search with weight sharing',
      'images',
      5,
      8,
      ['random-ws', '--set', 'candidates=20', '--set', 'finalists=2', '--set', 'rounds=3'],
    ],
  ] as const)(
    '%s, killed with -9 and resumed, has the journal of a run that was left alone',
    async (name, reads, lines, all, [strategy, ...more]) => {
      const [whole, killed] = [`${name} whole`, `${name} killed`];
      const left = await run(small(strategy, reads, whole, ...more), folder);
      expect([left.code, left.stderr]).toEqual([0, expect.stringContaining('epoch 3: training loss')]);

      const { child, ended } = start(small(strategy, reads, killed, ...more), folder);
      await journalReaches(join(folder, killed), lines, child);
      kill(child);
      expect((await ended).signal).toBe('SIGKILL');
      const resumed = await run(['resume', killed], folder);
      expect([resumed.code, resumed.stderr]).toEqual([
        0,
        expect.stringMatching(/killed: going on after [123] epochs?/),
      ]);
      expect(journalOf(join(folder, killed))).toEqual(journalOf(join(folder, whole)));
      // Three epochs, and the rounds of a choice, between the header and the end.
      expect(journalOf(join(folder, whole))).toHaveLength(all);
      for (const file of ['best.json', 'best.svg', 'report.html'])
        expect(readFileSync(join(folder, killed, file), 'utf8')).toBe(
          readFileSync(join(folder, whole, file), 'utf8'),
        );
    },
  );

  it('finds an architecture that is inspected and trained as the paper does, in the size that is asked for', async () => {
    const found = join(folder, 'DARTS whole');
    const sizes = JSON.parse(await printed(addInspect, ['inspect', found, '--json'])) as { params: number };
    // 36 channels and 20 cells, not the network of the search.
    expect(sizes.params).toBeGreaterThan(1e6);
    const trained = JSON.parse(
      await printed(addTrain, [
        ...['train', found, '--data', images, '--out', join(folder, 'trained'), '--limit', '40', '--json'],
        ...['--channels', '4', '--layers', '3', '--epochs', '1', '--batch-size', '20', '--threads', '1'],
      ]),
    ) as { status: string; testAccuracy: number };
    expect(trained.status).toBe('finished');
    expect(trained.testAccuracy).toBeGreaterThanOrEqual(0);
    const [begin] = journalOf(join(folder, 'trained')).map((line) => JSON.parse(line));
    expect(begin.training).toMatchObject({
      cutout: 16,
      dropPath: 0.2,
      auxiliaryWeight: 0.4,
      nesterov: false,
    });
    expect(begin.architecture.options).toMatchObject({ channels: 4, layers: 3, auxiliary: true });
  });

  it('on a text finds a cell that is trained to a perplexity', async () => {
    const out = join(folder, 'language');
    const trained = JSON.parse(
      await printed(addTrain, [
        ...['train', join(folder, 'DARTS on a text whole'), '--data', text, '--out', out, '--json'],
        ...['--hidden', '8', '--epochs', '2', '--batch-size', '8', '--threads', '1'],
      ]),
    ) as { testPerplexity: number };
    const events = journalOf(out).map((line) => JSON.parse(line));
    expect(events.map(({ event }) => event)).toEqual(['train', 'epoch', 'epoch', 'end']);
    expect(events[3].measures.perplexity).toBe(trained.testPerplexity);
    expect(events[1].measures.perplexity).toBeGreaterThan(1);
    expect(events[0].training).toMatchObject({ weightDecay: 8e-7, nonMonotone: 5 });
  });

  it('says its status', async () => {
    const status = JSON.parse(await printed(addStatus, ['status', join(folder, 'DARTS whole'), '--json']));
    expect(status).toMatchObject({ status: 'finished', strategy: 'darts', epochs: 3, measure: 'accuracy' });
    expect(status.architecture.space).toBe('darts-cnn');
  });

  it.each([
    [['--trials', '5'], '--trials 5: strategy darts trains one supernet, and no children'],
    [['--set', 'order=3'], "strategy darts: option 'order' is 3"],
    [['--set', 'candidates=3'], '--set candidates: there is no such option'],
    [['--set', 'supernet.partialChannels=3'], 'partialChannels 3: must divide the 2 channels'],
    [
      ['--space', 'zoph-cnn', '--layers', '3'],
      'space zoph-cnn has no supernet: its architectures share no weights',
    ],
    [
      ['--space', 'auto-deeplab', '--layers', '3', '--task', 'image-classification'],
      'space auto-deeplab: for one image its network gives a tensor of shape [1,10,32,32]; to be trained as a classifier',
    ],
    [
      ['--data', text],
      `data "${text}": the kind "text" is not images; allowed here: mnist, cifar10:DIR, images:DIR`,
    ],
    [['--preset', 'large'], "--preset 'large': allowed: paper, small"],
  ])('is refused with %j', async (more, message) => {
    const args = ['--out', join(folder, 'refused'), '--limit', '64', '--threads', '1', ...more];
    const given = more.includes('--space')
      ? []
      : ['--space', 'darts-cnn', '--channels', '2', '--layers', '3'];
    const data = more.includes('--data') ? [] : ['--data', images];
    const said = await refusal(addSearch, ['search', '--strategy', 'darts', ...given, ...data, ...args]);
    expect(said).toContain(message);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });

  it('of an unknown strategy names all that there are', async () => {
    const said = await refusal(addSearch, [
      ...['search', '--space', 'darts-cnn', '--strategy', 'annealing', '--data', images],
    ]);
    expect(said).toMatch(
      /^strategy 'annealing' is unknown; known: random, reinforce.*darts, gdas, random-ws, auto-deeplab, or the path of a file /,
    );
  });
});

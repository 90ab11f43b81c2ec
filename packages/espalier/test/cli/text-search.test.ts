import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addSearch } from '../../src/cli/search.js';
import { addStatus } from '../../src/cli/status.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyText } from './tiny-text.js';

const folder = suiteFolder();
const text = `text:${writeTinyText(join(folder, 'text'))}`;
const small = [
  ...['--data', text, '--limit', '300', '--seed', '5', '--workers', '1', '--batch-size', '8'],
  ...['--set', 'space.hidden=4', '--set', 'training.learningRate=1', '--set', 'bptt=10'],
];

describe('a search for language models', () => {
  it('by asha, killed with -9 and resumed, has the journal of a run that was left alone', async () => {
    const search = (out: string) => [
      ...['search', '--space', 'darts-rnn', '--strategy', 'asha', '--out', out, ...small],
      ...['--epochs', '4', '--set', 'eta=2', '--trials', '4', '--deterministic'],
    ];
    const whole = await run(search('whole'), folder);
    expect([whole.code, whole.stderr, whole.stdout]).toEqual([
      0,
      expect.stringMatching(/child 1 after 1 epoch: perplexity \d+\.\d\d, /),
      expect.stringMatching(/best: child .*, perplexity \d+\.\d\d, [\d,]+ parameters/),
    ]);
    const { child, ended } = start(search('killed'), folder);
    await journalReaches(join(folder, 'killed'), 5, child);
    kill(child);
    expect((await ended).signal).toBe('SIGKILL');
    expect((await run(['resume', 'killed'], folder)).code).toBe(0);
    expect(journalOf(join(folder, 'killed'))).toEqual(journalOf(join(folder, 'whole')));
    // The cell as the paper draws it.
    expect(readFileSync(join(folder, 'killed', 'best.svg'), 'utf8')).toBe(
      readFileSync(join(folder, 'whole', 'best.svg'), 'utf8'),
    );
  });

  it('by reinforce over the trees of Zoph & Le rewards a low perplexity', async () => {
    const { code, stdout } = await run(
      [
        ...['search', '--space', 'zoph-rnn', '--strategy', 'reinforce', '--out', 'trees', ...small],
        ...['--set', 'base=2', '--set', 'children=2', '--trials', '2', '--epochs', '1', '--json'],
      ],
      folder,
    );
    expect(code).toBe(0);
    const { best } = JSON.parse(stdout);
    const events = journalOf(join(folder, 'trees')).map((line) => JSON.parse(line));
    const perplexities = events
      .filter(({ event }) => event === 'result')
      .map(({ measures }) => measures.perplexity);
    expect(best.perplexity).toBe(Math.min(...perplexities));
    const [first, second] = perplexities.map((perplexity) => 80 / perplexity ** 2) as [number, number];
    expect(events.find(({ event }) => event === 'update').meanReward).toBeCloseTo((first + second) / 2, 12);
    expect(events[0].estimation.options.training).toMatchObject({ epochs: 1, bptt: 10, clip: 5 / 35 });
    const status = JSON.parse(await printed(addStatus, ['status', join(folder, 'trees'), '--json']));
    expect(status.best).toMatchObject({ trial: best.trial, perplexity: best.perplexity });
  });

  it.each([
    [['--data', 'mnist'], 'data "mnist": the kind "mnist" is not a text; allowed here: text:DIR'],
    [['--set', 'cutout=16'], '--set cutout: there is no such option'],
  ])('is refused with %j', async (more, message) => {
    const said = await refusal(addSearch, [
      ...['search', '--space', 'darts-rnn', '--strategy', 'random', ...small, ...more],
      ...['--out', join(folder, 'refused')],
    ]);
    expect(said).toContain(message);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });
});

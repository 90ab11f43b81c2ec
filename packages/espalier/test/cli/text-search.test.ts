import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromTypedArray, saveTensors, scope } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { addPredict } from '../../src/cli/predict.js';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addSearch } from '../../src/cli/search.js';
import { addStatus } from '../../src/cli/status.js';
import { addTrain } from '../../src/cli/train.js';
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

/** A text of two words that take turns. */
function writeOtherText(path: string): void {
  mkdirSync(path);
  for (const part of ['train', 'valid', 'test'])
    writeFileSync(join(path, `${part}.txt`), 'a bb\n'.repeat(200));
}

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

  it('of characters is judged by bits per character, and its cell moves to another text, and back to words', async () => {
    const here = (name: string) => join(folder, name);
    const searched = await run(
      [
        ...['search', '--space', 'zoph-rnn', '--strategy', 'random', '--out', here('characters'), ...small],
        ...['--set', 'base=2', '--trials', '1', '--epochs', '1', '--level', 'character'],
      ],
      folder,
    );
    expect([searched.code, searched.stdout]).toEqual([
      0,
      expect.stringMatching(/best: child 1, bpc \d\.\d+, /),
    ]);
    const found = JSON.parse(await printed(addStatus, ['status', here('characters'), '--json']));
    const [header] = journalOf(here('characters')).map((line) => JSON.parse(line));
    expect(header.objectives[0]).toEqual({ name: 'bpc', better: 'lower', least: 0 });
    expect(header.estimation.options.task.level).toBe('character');
    expect(header.estimation.input.vocabulary).toBe(13);
    // Of about thirteen characters that it knows nothing of.
    expect(found.best.bpc).toBeCloseTo(found.best.loss / Math.LN2, 12);

    const brief = ['--epochs', '1', '--batch-size', '8', '--threads', '1', '--limit', '300', '--json'];
    const train = async (...args: string[]) =>
      JSON.parse(await printed(addTrain, ['train', here('characters'), ...args, ...brief]));
    writeOtherText(here('other'));
    const moved = await train('--data', `text:${here('other')}`, '--out', here('moved'));
    expect(moved.measures.bpc).toBeCloseTo(moved.measures.loss / Math.LN2, 12);
    const signature = JSON.parse(readFileSync(here('moved/signature.json'), 'utf8'));
    expect(signature).toEqual({ level: 'character', vocabulary: ['a', ' ', 'b', '<eos>'] });
    const words = await train('--level', 'word', '--out', here('words'));
    expect(Object.keys(words.measures)).toEqual(['perplexity', 'loss']);
    const [onCharacters, onWords] = ['moved', 'words'].map((one) => JSON.parse(journalOf(here(one))[0]!));
    expect(onWords.architecture.nodes).toEqual(onCharacters.architecture.nodes);
    // The preset of the level, and the settings of the search.
    expect([onCharacters.architecture.options.hidden, onCharacters.training.optimiser]).toEqual([
      452,
      'adam',
    ]);
    expect([onWords.architecture.options.hidden, onWords.training.optimiser]).toEqual([4, 'sgd']);

    const again = await printed(addReproduce, ['reproduce', here('moved'), '--out', here('again')]);
    expect(again).toContain('and the same weights');
    const input = here('input.safetensors');
    scope(() => saveTensors(input, new Map([['tokens', fromTypedArray(BigInt64Array.of(0n, 1n), [2])]])));
    const next = JSON.parse(
      await printed(addPredict, ['predict', here('moved'), '--input', input, '--json']),
    );
    expect(next.logits[0]).toHaveLength(4);
    expect(next.bpc).toHaveLength(1);
    expect(['a', ' ', 'b', '<eos>']).toContain(next.names[0]);
  });

  it('refuses a level that there is not, and one where there is no text', async () => {
    const args = ['search', '--strategy', 'random', '--out', join(folder, 'refused')];
    expect(await refusal(addSearch, [...args, '--space', 'darts-rnn', ...small, '--level', 'byte'])).toBe(
      "error: option '--level <word|character>' argument 'byte' is invalid. Allowed: word, character.",
    );
    expect(
      await refusal(addSearch, [...args, '--space', 'zoph-cnn', '--data', 'mnist', '--level', 'character']),
    ).toBe('--level character: task image-classification reads no text as words or characters');
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

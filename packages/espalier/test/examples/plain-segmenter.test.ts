import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { addPredict } from '../../src/cli/predict.js';
import { addTrain } from '../../src/cli/train.js';
import { run } from '../cli/command.js';
import { copyExamples } from '../cli/own-parts.js';
import { printed } from '../cli/printed.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeTinyCamvid } from '../data/tiny-masks.js';

const folder = suiteFolder();

beforeAll(async () => {
  process.chdir(folder);
  copyExamples(folder, 'plain-segmenter.ts');
  await writeTinyCamvid('camvid', { train: 6, val: 2, test: 2 });
});

describe('a space of your own whose networks give a score for each pixel', () => {
  it('is searched, and its best architecture trained and used, on images with masks', async () => {
    const small = ['--data', 'camvid:camvid', '--threads', '1', '--batch-size', '3', '--json'];
    const { code, stdout } = await run(
      [
        ...[
          'search',
          '--space',
          './plain-segmenter.ts',
          '--strategy',
          'random',
          '--trials',
          '2',
          '--epochs',
          '1',
        ],
        ...['--workers', '1', '--seed', '1', '--out', 'searched', ...small],
      ],
      folder,
    );
    expect(code).toBe(0);
    const found = JSON.parse(stdout);
    expect(found.measure).toBe('miou');
    await printed(addTrain, [
      'train',
      'searched',
      '--preset',
      'small',
      '--epochs',
      '1',
      '--out',
      'trained',
      ...small,
    ]);
    const said = await printed(addPredict, [
      ...['predict', 'trained', '--input', 'camvid/test/0.png', '--out', 'mask.png', '--json'],
    ]);
    expect(JSON.parse(said)).toMatchObject({ space: 'plain-segmenter', width: 16, height: 12 });
    expect(existsSync('mask-overlay.png')).toBe(true);
  }, 120_000);
});

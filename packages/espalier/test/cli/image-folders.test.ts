import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeImageFolders } from '../data/image-files.js';
import { journalOf, run } from './command.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();
const images = 'images:folders';
const small = ['--channels', '2', '--layers', '3', '--threads', '1'];

beforeAll(() => writeImageFolders(join(folder, 'folders'), [8, 8, 8]));

describe('images in folders', () => {
  it('are searched on in the size asked for', async () => {
    const { code, stderr } = await run(
      [
        ...['search', '--space', 'darts-cnn', '--strategy', 'darts', '--data', images, '--image-size', '16'],
        ...[...small, '--batch-size', '4', '--epochs', '1', '--out', 'searched'],
      ],
      folder,
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('epoch 1: training loss')]);
    expect(JSON.parse(journalOf(join(folder, 'searched'))[0]!).task).toMatchObject({ imageSize: 16 });
  });

  it('are trained on and tested at 224 pixels as the paper does on ImageNet, and predicted as they were tested', async () => {
    const trained = await run(
      [
        ...['train', 'searched', '--data', images, '--layout', 'imagenet', '--out', 'trained'],
        ...[...small, '--layers', '6', '--batch-size', '8', '--epochs', '1'],
      ],
      folder,
    );
    expect([trained.code, trained.stderr]).toEqual([0, expect.stringContaining('epoch 1 of 1')]);
    const [begin] = journalOf(join(folder, 'trained')).map((line) => JSON.parse(line));
    expect(begin.training).toMatchObject({ colourJitter: 0.4, labelSmoothing: 0.1, auxiliaryWeight: 0.4 });
    const { code, stdout, stderr } = await run(
      ['predict', 'trained', '--input', 'folders/val/bee/only.jpeg', '--json'],
      folder,
    );
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(
        /standardised by mean 0\.485, 0\.456, 0\.406 and standard deviation .* \(from the training\)/,
      ),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      input: { channels: 3, height: 224, width: 224, classes: 3 },
      names: ['ant', 'bee', 'cat'],
    });
  });

  it('where one is damaged, end a training with its name', async () => {
    const broken = join(folder, 'folders', 'train', 'cat', '7.png');
    writeFileSync(broken, 'no image');
    const { code, stderr } = await run(
      [
        ...['train', 'searched', '--data', images, '--image-size', '16', '--out', 'failed', ...small],
        ...['--epochs', '1', '--batch-size', '8', '--set', 'auxiliaryWeight=0'],
      ],
      folder,
    );
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /folders\/train\/cat\/7\.png: has no known image format; expected an image \(PNG/,
      ),
    ]);
  });
});

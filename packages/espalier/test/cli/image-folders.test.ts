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

  it("are what a cell of NASNet moves to: the network and the training of its authors' large network", async () => {
    const { code, stdout, stderr } = await run(
      [
        ...['train', 'nasnet-a', '--preset', 'imagenet-large', '--cells', '1', '--filters', '192', '--json'],
        ...['--data', images, '--image-size', '75', '--threads', '1', '--batch-size', '8', '--epochs', '1'],
        ...['--set', 'learningRate=0.01', '--out', 'large'],
      ],
      folder,
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('epoch 1 of 1')]);
    const [begin] = journalOf(join(folder, 'large')).map((line) => JSON.parse(line));
    expect(begin.architecture.options).toMatchObject({
      ...{ layout: 'imagenet', cells: 1, filters: 192, stemFilters: 96, skipReductionInput: true },
      ...{ dropout: 0.5, auxiliary: true },
    });
    expect(begin.training).toMatchObject({
      ...{ optimiser: 'rmsprop-tf', squareDecay: 0.9, epsilon: 1, momentum: 0.9, learningRate: 0.01 },
      ...{ labelSmoothing: 0.1, auxiliaryWeight: 0.4, dropPath: 0.3, dropPathGrowsBy: 'step' },
      ...{ averageDecay: 0.9999, colourJitter: 0.4, augment: true, epochs: 1, batchSize: 8 },
    });
    expect(begin.task.imageSize).toBe(75);
    const { measures } = JSON.parse(stdout);
    expect(measures.accuracy).toBeGreaterThanOrEqual(0);
    expect(measures.loss).toBeGreaterThan(0);
  });

  it('say which presets there are, and which filters fit a cell', async () => {
    const refused = await run(
      [
        ...['train', 'nasnet-a', '--preset', 'imagenet-large', '--cells', '1', '--filters', '190'],
        ...['--data', images, '--threads', '1', '--out', 'never'],
      ],
      folder,
    );
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('multiples of 24')]);
    const other = await run(
      ['train', 'nasnet-a', '--preset', 'imagenet', '--data', images, '--out', 'no'],
      folder,
    );
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringContaining("--preset 'imagenet': allowed: paper, small, imagenet-mobile, imagenet-large"),
    ]);
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

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addPredict } from '../../src/cli/predict.js';
import { addSearch } from '../../src/cli/search.js';
import { addTrain } from '../../src/cli/train.js';
import { journalOf, run } from '../cli/command.js';
import { copyExamples } from '../cli/own-parts.js';
import { printed, refusal } from '../cli/printed.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeMask, writePixels } from '../data/tiny-masks.js';

const folder = suiteFolder();
const SIZE = { height: 17, width: 17 };
const COUNT = 10;

/** What is bright is far away; the depth of the first row is unknown. */
function pair(index: number): { pixels: Uint8Array; depth: Uint8Array } {
  const { height, width } = SIZE;
  const pixels = new Uint8Array(3 * height * width);
  const depth = new Uint8Array(height * width);
  for (let at = 0; at < depth.length; at++) {
    const [row, column] = [Math.floor(at / width), at % width];
    const grey = 40 + ((row * 11 + column * 3 + index * 17) % 200);
    pixels.fill(grey, 3 * at, 3 * at + 3);
    depth[at] = row === 0 ? 0 : Math.round(grey / 10);
  }
  return { pixels, depth };
}

const small = [
  ...['--set', 'layers=2', '--set', 'blocks=1', '--filter-multiplier', '2', '--epochs', '2'],
  ...['--batch-size', '2', '--threads', '1', '--seed', '1', '--json'],
];
const asked = ['--space', 'auto-deeplab', '--task', './depth-task.ts', '--data', 'depth:pairs'];

describe('a dense task of your own', () => {
  let found: { measure: string; architecture: { path: number[]; cell: unknown[] } };

  beforeAll(async () => {
    process.chdir(folder);
    copyExamples(folder, 'depth-task.ts');
    for (let index = 0; index < COUNT; index++) {
      const { pixels, depth } = pair(index);
      await writePixels(join('pairs', 'images', `${index}.png`), pixels, SIZE);
      await writeMask(join('pairs', 'depth', `${index}.png`), depth, SIZE);
    }
    found = JSON.parse(
      await printed(addSearch, [
        ...['search', ...asked, '--strategy', 'auto-deeplab', '--out', 'found', ...small],
        ...['--set', 'space.stemChannels=4', '--set', 'warmUp=0'],
      ]),
    );
  });

  it('is searched for cells and paths', () => {
    expect(found.measure).toBe('rmse');
    expect([found.architecture.path.length, found.architecture.cell.length]).toEqual([2, 1]);
    const [begin, first, second] = journalOf('found').map((line) => JSON.parse(line));
    expect(begin.input).toEqual({ channels: 3, ...SIZE, classes: 1 });
    expect(Object.keys(first.entropy)).toEqual(['cell', 'trellis']);
    expect(second.measures.rmse).toBeGreaterThan(0);
    expect(second.measures.rmse).toBeLessThan(5);
  });

  it('is trained and predicted: a depth in metres for each pixel', async () => {
    const trained = JSON.parse(
      await printed(addTrain, [
        ...['train', 'found', '--data', 'depth:pairs', '--out', 'trained', '--epochs', '2'],
        ...['--batch-size', '2', '--filter-multiplier', '2', '--threads', '1', '--json'],
      ]),
    );
    expect(trained.testRmse).toBeGreaterThan(0);
    const predicted = JSON.parse(
      await printed(addPredict, [
        'predict',
        'trained',
        '--input',
        join('pairs', 'images', '4.png'),
        '--json',
      ]),
    );
    expect([predicted.height, predicted.width]).toEqual([17, 17]);
    // The test measure by hand, over the pixels of both test images whose depth is known.
    let [squares, known] = [0, 0];
    for (const index of [4, 9]) {
      const { metres } = JSON.parse(
        await printed(addPredict, [
          ...['predict', 'trained', '--input', join('pairs', 'images', `${index}.png`), '--json'],
        ]),
      ) as { metres: number[][] };
      for (const [at, steps] of pair(index).depth.entries()) {
        if (steps === 0) continue;
        squares += (metres.flat()[at]! - steps / 10) ** 2;
        known++;
      }
    }
    expect(known).toBe(2 * 16 * 17);
    expect(Math.sqrt(squares / known)).toBeCloseTo(trained.testRmse, 4);
  });

  it('is searched by strategies that train children, too', async () => {
    const { stdout } = await run(
      [
        ...['search', ...asked, '--strategy', 'random', '--trials', '2', '--workers', '1', '--out', 'random'],
        ...small,
      ],
      folder,
    );
    const best = JSON.parse(stdout);
    expect(best.best.rmse).toBeGreaterThan(0);
  });

  it('is refused where a depth is missing', async () => {
    rmSync(join('pairs', 'depth', '3.png'));
    expect(
      await refusal(addSearch, ['search', ...asked, '--strategy', 'auto-deeplab', '--out', 'no', ...small]),
    ).toBe(`${join(process.cwd(), 'pairs', 'depth', '3.png')}: missing; 3.png is in images`);
  });
});

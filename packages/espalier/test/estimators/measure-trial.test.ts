import { nn, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { measureTrial } from '../../src/estimators/measure-trial.js';
import type { Json } from '../../src/json.js';
import { images } from '../../src/network-kinds/images.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { FolderStore } from '../../src/runs/checkpoint-store.js';
import type { Success } from '../../src/runs/outcome.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import type { OpenedTraining } from '../../src/training/opened-training.js';
import { trainChild } from '../../src/training/train-child.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { classify, settingsOf, tinyTask } from '../training/tiny-task.js';

setThreads(1);

const space = Space.configure(zophCnn, {
  layers: 1,
  filters: [2, 3],
  filterHeights: [1, 3],
  filterWidths: [1, 3],
});

const settings = settingsOf({ epochs: 3 });

/** A training on the tiny images, open in this process. */
const opened = {
  definition: imageClassification,
  task: classify(settings),
  settings,
  build: (of: Space, architecture: unknown) => images.build(of, architecture, tinyTask.shape),
  multiplyAdds: (network: Parameters<typeof images.trace>[0]) =>
    multiplyAdds(images.trace(network, tinyTask.shape).calls),
} as unknown as OpenedTraining;

const request = { trial: 4, answers: [1, 0, 1, []], seed: 9 };

describe('a trial', () => {
  it('is the training of its architecture, with its seed', async () => {
    const architecture = space.decode(request.answers);
    const child = { ...opened, build: () => opened.build(space, architecture) };
    const expected = await trainChild(child as never, { seed: 9, report: async () => {} });
    const outcome = await measureTrial(opened, space, request, () => {});
    expect(outcome).toEqual(expected);
    expect(outcome.epochs).toHaveLength(3);
    // A 3x1 convolution of 3 filters on 4x4 pixels, its batch norm, and the classifier.
    const { params, macs } = (outcome as Success).measures;
    expect(params).toBe(3 * 3 + 2 * 3 + (3 * 3 + 3));
    expect(macs).toBe(16 * 3 * 3 + 3 * 3);
  });

  it('of another depth is of the space at that depth', async () => {
    const deep = { ...request, answers: [1, 0, 1, [], 0, 0, 0, [0]], depth: 2 };
    const outcome = await measureTrial(opened, space, deep, () => {});
    // One more convolution, 1x1 of 2 filters, and a classifier of two features.
    expect((outcome as Success).measures.params).toBe(3 * 3 + 2 * 3 + (3 * 2 + 2 * 2) + (2 * 3 + 3));
    await expect(async () => measureTrial(opened, space, { ...deep, depth: 3 }, () => {})).rejects.toThrow();
  });

  it('fails with one line where its network takes more memory than there is, or cannot be run', async () => {
    const large = { ...opened, build: () => new nn.Linear(10_000_000, 10_000_000) };
    expect(await measureTrial(large, space, request, () => {})).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(
        /^space zoph-cnn: the 100,000,010,000,000 weights of this network and their gradients take at least 745,058\.1 GiB of memory, and [\d.]+ GiB are free; choose fewer channels, units or layers$/,
      ),
    });
    const wrong = { ...opened, build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(3, 2)) };
    expect(await measureTrial(wrong as typeof opened, space, request, () => {})).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/^[^\n]+, in its layer '1'$/),
      clock: { stack: expect.any(String) },
    });
  });

  it('with epochs of its own goes on from the trial before, with what the store at its address keeps', async () => {
    const store = new FolderStore(temporaryFolder());
    const checkpoints = store.address;
    const first = { ...request, trial: 0, epochs: 1, checkpoints };
    expect((await measureTrial(opened, space, first, () => {})).epochs).toHaveLength(1);
    expect(store.load(0)).toBeDefined();
    const reports: Json[] = [];
    const second = { ...request, trial: 1, epochs: 2, continues: 0, epochsDone: 1, checkpoints };
    const outcome = await measureTrial(opened, space, second, (progress) => reports.push(progress));
    expect(outcome.epochs).toHaveLength(2);
    const whole = { ...request, trial: 2, epochs: 2, checkpoints };
    expect(await measureTrial(opened, space, whole, () => {})).toEqual(outcome);
    // It began with the second epoch, and says of how many.
    expect(reports[0]).toMatchObject({ epoch: 2, epochs: 2, stepsPerEpoch: 5 });
  });

  it('does not take the checkpoint of other answers, another seed or another depth', async () => {
    const store = new FolderStore(temporaryFolder());
    const checkpoints = store.address;
    const second = { ...request, trial: 1, epochs: 2, continues: 0, epochsDone: 1, checkpoints };
    const fresh = await measureTrial(opened, space, { ...second, trial: 5 }, () => {});
    for (const other of [{ seed: 10 }, { answers: [0, 0, 1, []] }, { depth: 1 }]) {
      await measureTrial(opened, space, { ...request, ...other, trial: 0, epochs: 1, checkpoints }, () => {});
      expect(await measureTrial(opened, space, second, () => {})).toEqual(fresh);
    }
  });

  it('says at once how far it is, then five times a second at most', async () => {
    const reports: Json[] = [];
    const begun = performance.now();
    await measureTrial(opened, space, request, (progress) => reports.push(progress));
    const seconds = (performance.now() - begun) / 1000;
    expect(reports[0]).toEqual({ epoch: 1, epochs: 3, step: 1, stepsPerEpoch: 5, loss: expect.any(Number) });
    expect(reports.length).toBeLessThanOrEqual(1 + seconds * 5);
  });
});

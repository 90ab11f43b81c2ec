import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { weightSharingSearch } from '../../src/kinds/weight-sharing.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { epochCourses } from '../../src/reports/epoch-courses.js';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { version } from '../../src/version.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { writeRun } from './journals.js';

const epochs = [2.5, 1.5, 0.5].map(
  (loss, index): JournalEvent => ({
    event: 'epoch',
    epoch: index + 1,
    loss,
    measures: { accuracy: index / 4 },
  }),
);

describe('the course of epochs', () => {
  test('has a line for the loss, and one for the deciding measure where it was validated', () => {
    expect(epochCourses(epochs, accuracy)).toEqual([
      '  training loss 2.5000 █▅▁ 0.5000',
      '  validation accuracy 0.00% ▁▅█ 50.00%',
    ]);
    expect(
      epochCourses(
        epochs.map(({ measures: _, ...event }) => event as JournalEvent),
        accuracy,
      ),
    ).toEqual(['  training loss 2.5000 █▅▁ 0.5000']);
    expect(epochCourses([], accuracy)).toEqual([]);
  });

  test('is told by the status of a search with shared weights', async () => {
    const begin = {
      event: 'supernet',
      version,
      space: 'nasbench201',
      spaceOptions: {},
      supernetOptions: {},
      strategy: 'darts',
      strategyOptions: { epochs: 50 },
      task: { name: 'image-classification', data: 'mnist', seed: 1 },
      dataChecksum: 'ab12',
      input: { channels: 1, height: 28, width: 28, classes: 10 },
      objectives: [{ ...accuracy }],
      seed: 1,
      threads: 1,
      clock: { cwd: process.cwd() },
    } as unknown as JournalEvent;
    const run = writeRun(join(temporaryFolder(), 'run'), [begin, ...epochs]);
    const { text, json } = await weightSharingSearch.status(run);
    expect(text).toBe(
      `${run}: darts with mnist, stopped: 3 of 50 epochs\n` +
        '  training loss 2.5000 █▅▁ 0.5000\n' +
        '  validation accuracy 0.00% ▁▅█ 50.00%',
    );
    expect(json).toMatchObject({ status: 'stopped', epochs: 3, value: 0.5, pid: null });
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accuracy } from '../../src/measures/accuracy.js';
import { loss } from '../../src/measures/loss.js';
import type { Objectives } from '../../src/measures/measure.js';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { version } from '../../src/version.js';

/** Writes a run folder with a journal of these events. */
export function writeRun(folder: string, events: readonly JournalEvent[]): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'journal.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  return folder;
}

/** What a classifier is judged by, as a header has it. */
const CLASSIFIER = [{ ...accuracy }, { ...loss }];

/** The task and the data in the header of a training or of a search with shared weights. */
const DATA = {
  task: { name: 'image-classification', data: 'mnist', seed: 1 },
  dataChecksum: 'ab12',
  objectives: CLASSIFIER,
};

/** The header of a training for so many epochs. */
export const trainingEvent = (
  architecture: JournalEvent[string],
  { epochs = 1, device = 'cpu', ...more }: Readonly<Record<string, unknown>> = {},
): JournalEvent =>
  ({
    event: 'train',
    version,
    architecture,
    ...DATA,
    input: { channels: 1, height: 28, width: 28, classes: 10 },
    signature: 'ef56',
    training: { epochs, device },
    seed: 1,
    threads: 1,
    ...more,
    clock: { cwd: process.cwd() },
  }) as JournalEvent;

interface SearchOf {
  readonly strategy: string;
  readonly seed: number;
  /** Of each child, its value after each epoch; null is a child that failed. Each takes 1,800 seconds. */
  readonly children: readonly (readonly number[] | null)[];
  readonly settings?: object;
  readonly finished?: boolean;
  /** What children are judged by. */
  readonly objectives?: Objectives;
}

/**
 * The journal of a search on 2 threads; child n is one layer, whose filters have the height of number n modulo 3. A child is
 * as good as the best of its epochs.
 */
export function searchEvents({
  strategy,
  seed,
  children,
  settings = {},
  finished = true,
  objectives = [accuracy],
}: SearchOf): JournalEvent[] {
  const epochs = Math.max(...children.map((child) => child?.length ?? 0));
  const [{ name, better }] = objectives;
  return [
    {
      event: 'run',
      version,
      space: 'zoph-cnn',
      spaceOptions: { layers: 1 },
      strategy,
      strategyOptions: {},
      estimation: {
        estimator: 'training',
        options: { task: DATA.task, training: { epochs, device: 'cpu' }, threads: 2 },
        source: { name: 'mnist', checksum: DATA.dataChecksum },
        input: { channels: 1, height: 28, width: 28, classes: 10 },
        costUnit: 'epochs',
      },
      objectives: objectives.map((one) => ({ ...one })),
      order: 'virtual',
      seed,
      trials: children.length,
      workers: 1,
      ...settings,
      clock: { cwd: process.cwd() },
    },
    ...children.flatMap((child, trial): JournalEvent[] => [
      { event: 'trial', trial, answers: [trial % 3, 0, 0, []], seed: trial },
      {
        event: 'result',
        trial,
        cost: epochs,
        ...(child === null
          ? { status: 'failed', reason: 'diverged' }
          : {
              status: 'ok',
              measures: { [name]: better === 'higher' ? Math.max(...child) : Math.min(...child) },
              epochs: child.map((value, index) => ({ epoch: index + 1, measures: { [name]: value } })),
            }),
        clock: { seconds: 1800 },
      },
    ]),
    ...(finished ? [{ event: 'end' }] : []),
  ];
}

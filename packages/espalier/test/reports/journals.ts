import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEvent } from '../../src/runs/journal-event.js';

/** Writes a run folder with a journal of these events. */
export function writeRun(folder: string, events: readonly JournalEvent[]): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'journal.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  return folder;
}

export const DATA = { task: { data: 'mnist', seed: 1 }, dataChecksum: 'ab12' };

interface SearchOf {
  readonly strategy: string;
  readonly seed: number;
  /** Of each child, its accuracy after each epoch; null is a child that failed. Each takes 1,800 seconds. */
  readonly children: readonly (readonly number[] | null)[];
  readonly settings?: object;
  readonly finished?: boolean;
}

/** The journal of a search on 2 threads; child n is one layer, whose filters have the height of number n modulo 3. */
export function searchEvents({
  strategy,
  seed,
  children,
  settings = {},
  finished = true,
}: SearchOf): JournalEvent[] {
  const epochs = Math.max(...children.map((child) => child?.length ?? 0));
  return [
    {
      event: 'run',
      version: '0.1.0',
      space: 'zoph-cnn',
      spaceOptions: { layers: 1 },
      strategy,
      strategyOptions: {},
      ...DATA,
      training: { epochs, device: 'cpu' },
      seed,
      trials: children.length,
      workers: 1,
      threads: 2,
      ...settings,
      clock: { cwd: process.cwd() },
    },
    ...children.flatMap((child, trial): JournalEvent[] => [
      { event: 'trial', trial, answers: [trial % 3, 0, 0, []], seed: trial },
      {
        event: 'result',
        trial,
        ...(child === null
          ? { status: 'failed', reason: 'diverged' }
          : {
              status: 'ok',
              accuracy: Math.max(...child),
              epochs: child.map((accuracy, index) => ({ epoch: index + 1, accuracy })),
            }),
        clock: { seconds: 1800 },
      },
    ]),
    ...(finished ? [{ event: 'end' }] : []),
  ];
}

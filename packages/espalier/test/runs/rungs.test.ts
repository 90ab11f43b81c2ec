import { expect, test } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import type { Measure, Measures } from '../../src/measures/measure.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { childName, countedIn } from '../../src/reports/child-name.js';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { RunState } from '../../src/runs/run-state.js';
import { rungsOf } from '../../src/runs/rungs.js';

const begin = (objective: Measure): JournalEvent => ({
  event: 'run',
  seed: 3,
  trials: 9,
  workers: 2,
  order: 'virtual',
  objectives: [{ ...objective }],
});
const RUN = begin(accuracy);
const trial = (trial: number, epochs: number, more = {}) => ({
  event: 'trial',
  trial,
  answers: [0],
  epochs,
  seed: 1,
  ...more,
});
const result = (trial: number, measures: Measures) => ({ event: 'result', trial, status: 'ok', measures });
const ok = (trial: number, value: number) => result(trial, { accuracy: value });

test('the rungs of a search say how many children reached them, failed and were promoted', () => {
  const state = RunState.of(
    [
      RUN,
      trial(0, 1),
      trial(1, 1),
      ok(0, 0.25),
      trial(2, 1),
      { event: 'result', trial: 1, status: 'failed', reason: 'diverged' },
      trial(3, 4, { continues: 0 }),
      ok(2, 0.125),
      trial(4, 1),
      ok(4, 0.5),
    ],
    'journal.jsonl',
  );
  expect(rungsOf(state)).toEqual([
    { epochs: 1, asked: 4, told: 4, failed: 1, promoted: 1, best: 0.5 },
    { epochs: 4, asked: 1, told: 0, failed: 0, promoted: 0, best: null },
  ]);
  expect([childName(state, 2), childName(state, 3)]).toEqual([
    'child 3 after 1 epoch',
    'child 1 after 4 epochs',
  ]);
  expect(countedIn(state)).toBe('trainings');
});

test('the best of a rung of language models has the lowest perplexity', () => {
  const of = (trial: number, value: number) => result(trial, { perplexity: value });
  const state = RunState.of(
    [begin(perplexity), ...[0, 1, 2].map((number) => trial(number, 1)), of(0, 60), of(1, 50), of(2, 70)],
    'journal.jsonl',
  );
  expect(rungsOf(state)).toMatchObject([{ epochs: 1, best: 50 }]);
  expect(state.best).toEqual({ trial: 1, value: 50, measures: { perplexity: 50 } });
});

test('a search that trains all children equally long has no rungs', () => {
  const state = RunState.of(
    [RUN, { event: 'trial', trial: 0, answers: [0], seed: 1 }, ok(0, 1)],
    'journal.jsonl',
  );
  expect(rungsOf(state)).toEqual([]);
  expect(childName(state, 0)).toBe('child 1');
  expect(countedIn(state)).toBe('children');
});

import { describe, expect, test } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { macs } from '../../src/measures/macs.js';
import type { Measure, Objectives } from '../../src/measures/measure.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { failureOf } from '../../src/runs/failure.js';
import { parseOutcome } from '../../src/runs/outcome.js';

const judged = (value: unknown, ...objectives: Measure[]) =>
  parseOutcome(value, (objectives.length === 0 ? [accuracy] : objectives) as unknown as Objectives);

const good = { status: 'ok', measures: { accuracy: 1 } };

describe('an outcome', () => {
  test('keeps any JSON that it holds', () => {
    const outcome = {
      status: 'ok',
      measures: { accuracy: 1, params: 12 },
      epochs: [{ loss: 0.25 }],
      cost: 2.5,
      clock: { seconds: 3 },
    };
    expect(judged(outcome)).toEqual(outcome);
    const failed = { status: 'failed', reason: 'diverged', step: 4, cost: 0 };
    expect(judged(failed)).toEqual(failed);
  });

  test('is ok if it has measures and no status', () => {
    expect(judged({ measures: { accuracy: 0.5 }, cost: 3, clock: { seconds: 1 } })).toEqual({
      status: 'ok',
      measures: { accuracy: 0.5 },
      cost: 3,
      clock: { seconds: 1 },
    });
  });

  test('may have measures that are no objectives, and lack objectives other than the first', () => {
    const outcome = { status: 'ok', measures: { perplexity: 60, accuracy: 84.2 } };
    expect(judged(outcome, perplexity, macs)).toEqual(outcome);
  });

  test('is what JSON gives back', () => {
    const parsed = judged({ status: 'ok', measures: { accuracy: -0 }, none: undefined });
    expect(parsed).toStrictEqual({ status: 'ok', measures: { accuracy: 0 } });
    expect(Object.is((parsed.measures as { accuracy: number }).accuracy, 0)).toBe(true);
  });

  test('is a copy, which its estimator cannot change any more', () => {
    const measures = { accuracy: 0.5 };
    const parsed = judged({ measures });
    measures.accuracy = 1;
    expect(parsed.measures).toEqual({ accuracy: 0.5 });
  });

  const missing = (found: string) =>
    `the measures are ${found}; the search is judged by 'accuracy', which is missing`;
  test.each([
    [undefined, 'the outcome is undefined'],
    [null, 'the outcome is null'],
    ['done', 'the outcome is done'],
    [0.9, 'the outcome is 0.9'],
    [{}, "status is neither 'ok' nor 'failed'"],
    [{ status: 'OK', measures: { accuracy: 1 } }, "status is neither 'ok' nor 'failed'"],
    [{ accuracy: 0.5 }, "status is neither 'ok' nor 'failed'"],
    [{ status: 'ok' }, 'measures'],
    [{ status: 'ok', measures: { accuracy: '0.5' } }, 'accuracy'],
    [{ measures: [0.5] }, 'measures'],
    [{ measures: {} }, missing('none')],
    [{ measures: { loss: 2, Accuracy: 0.5 } }, missing('loss, Accuracy')],
    [{ measures: { accuracy: Number.NaN } }, 'measures.accuracy is NaN, not plain JSON'],
    [{ measures: { accuracy: 1, loss: Number.NaN } }, 'measures.loss is NaN, not plain JSON'],
    [{ measures: { accuracy: 84.2 } }, 'the accuracy is 84.2; allowed: 0 to 1'],
    [{ measures: { accuracy: 1.01 } }, 'the accuracy is 1.01; allowed: 0 to 1'],
    [{ measures: { accuracy: -0.01 } }, 'the accuracy is -0.01; allowed: 0 to 1'],
    [{ status: 'failed' }, 'reason'],
    [{ ...good, cost: -1 }, 'cost'],
    [{ ...good, epochs: [{ loss: Number.POSITIVE_INFINITY }] }, 'epochs.0.loss is Infinity'],
    [{ ...good, curve: new Float32Array(1) }, 'curve is a Float32Array, not plain JSON'],
    [{ ...good, trial: 3 }, "the outcome has the key 'trial', which the journal uses"],
    [{ ...good, event: 'result' }, "the outcome has the key 'event', which the journal uses"],
  ])('is not %j', (value, message) => {
    expect(() => judged(value)).toThrow(TypeError);
    expect(() => judged(value)).toThrow(message);
  });

  test.each([
    [perplexity, 0.9, 'the perplexity is 0.9; allowed: 1 and above'],
    [{ name: 'regret', better: 'lower', most: 0 } as const, 0.5, 'the regret is 0.5; allowed: 0 and below'],
  ])('of objective $name may not be %f', (objective, value, message) => {
    expect(() => judged({ measures: { [objective.name]: value } }, objective)).toThrow(message);
    const limit = objective === perplexity ? 1 : 0;
    expect(judged({ measures: { [objective.name]: limit } }, objective).status).toBe('ok');
  });

  test('does not depend on the contents of its clock', () => {
    expect(judged({ ...good, clock: { speed: Number.POSITIVE_INFINITY } })).toEqual({
      ...good,
      clock: { speed: null },
    });
  });

  test('of an error has its message, and the stack under the clock', () => {
    const error = new TypeError('bad layer');
    expect(failureOf(error)).toEqual({
      status: 'failed',
      reason: 'bad layer',
      clock: { stack: error.stack },
    });
    expect(failureOf(new RangeError())).toMatchObject({ reason: 'RangeError' });
    expect(failureOf('odd')).toEqual({ status: 'failed', reason: 'odd' });
  });
});

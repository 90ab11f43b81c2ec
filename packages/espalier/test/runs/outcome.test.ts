import { describe, expect, test } from 'vitest';
import { failureOf } from '../../src/runs/failure.js';
import { parseOutcome } from '../../src/runs/outcome.js';

describe('an outcome', () => {
  test('keeps whatever JSON it holds', () => {
    const outcome = {
      status: 'ok',
      accuracy: 1,
      epochs: [{ loss: 0.25 }],
      params: 12,
      clock: { seconds: 3 },
    };
    expect(parseOutcome(outcome)).toEqual(outcome);
    expect(parseOutcome({ status: 'failed', reason: 'diverged', step: 4 })).toEqual({
      status: 'failed',
      reason: 'diverged',
      step: 4,
    });
  });

  test('is what JSON gives back', () => {
    const parsed = parseOutcome({ status: 'ok', accuracy: -0, none: undefined });
    expect(parsed).toStrictEqual({ status: 'ok', accuracy: 0 });
    expect(Object.is(parsed.accuracy, 0)).toBe(true);
  });

  test.each([
    [undefined, 'the outcome is undefined'],
    ['done', 'the outcome is done'],
    [{}, "status is neither 'ok' nor 'failed'"],
    [{ status: 'ok' }, 'a trial is measured by an accuracy or a perplexity, one of them'],
    [{ status: 'ok', accuracy: 1, perplexity: 9 }, 'by an accuracy or a perplexity, one of them'],
    [{ status: 'ok', perplexity: 0.9 }, 'perplexity'],
    [{ status: 'ok', perplexity: Number.POSITIVE_INFINITY }, 'perplexity is Infinity, not plain JSON'],
    [{ status: 'ok', accuracy: Number.NaN }, 'accuracy is NaN, not plain JSON'],
    [{ status: 'ok', accuracy: 1.01 }, 'accuracy'],
    [{ status: 'ok', accuracy: -0.01 }, 'accuracy'],
    [{ status: 'failed' }, 'reason'],
    [
      { status: 'ok', accuracy: 1, epochs: [{ loss: Number.POSITIVE_INFINITY }] },
      'epochs.0.loss is Infinity',
    ],
    [{ status: 'ok', accuracy: 1, curve: new Float32Array(1) }, 'curve is a Float32Array, not plain JSON'],
    [{ status: 'ok', accuracy: 1, trial: 3 }, "the outcome has the key 'trial', which the journal uses"],
  ])('is not %j', (value, message) => {
    expect(() => parseOutcome(value)).toThrow(message);
  });

  test('does not depend on what its clock holds', () => {
    expect(parseOutcome({ status: 'ok', accuracy: 1, clock: { speed: Number.POSITIVE_INFINITY } })).toEqual({
      status: 'ok',
      accuracy: 1,
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

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bestSoFar, type CurveChart, movingAverage } from '../../src/drawing/curve-series.js';
import { drawCurves } from '../../src/drawing/curve-svg.js';
import { anyText } from './network-graphs.js';
import { allElements, parseXml, type XmlElement } from './xml.js';

function chart(searches: CurveChart['searches'], window = 2): CurveChart {
  const title = 'Reward by trial';
  return { title, trialAxis: 'trial', rewardAxis: 'reward', better: 'higher', window, searches };
}

/** A search with the trials 1, 2, and so on. A failed trial has the reward null. */
function search(name: string, rewards: readonly (number | null)[]): CurveChart['searches'][number] {
  return { name, trials: rewards.map((reward, index) => ({ trial: index + 1, reward })) };
}

function elementsOf(input: CurveChart): XmlElement[] {
  return allElements(parseXml(drawCurves(input)));
}

function pathOf(elements: readonly XmlElement[], measure: string, name = 'search'): string | undefined {
  return elements.find(
    ({ attributes }) => attributes['data-measure'] === measure && attributes['data-search'] === name,
  )?.attributes.d;
}

function textsOf(elements: readonly XmlElement[]): string[] {
  return elements.filter(({ name }) => name === 'text').map(({ text }) => text);
}

function numberedTexts(elements: readonly XmlElement[], anchor: string): [string, number, number][] {
  return elements
    .filter(
      ({ name, attributes, text }) =>
        name === 'text' && attributes['text-anchor'] === anchor && /^[-−.,\d]+$/.test(text),
    )
    .map(({ text, attributes }) => [text, Number(attributes.x), Number(attributes.y)]);
}

describe('a reward curve', () => {
  // '0.0' takes 2 x 637 + 318 thousandths of 11.5 px: 19 px. So the plot extends from 24 + 24 + 19 + 8 = 75 to
  // 760 - 24 = 736, with 8 px free at both ends: the first trial is at 83, the last at 728. The margin of 24 is followed
  // by the title (23), a gap of 6, one legend row (20) and a gap of 14: the top is at 87 and the bottom, 300 below, at 387.
  const elements = elementsOf(chart([search('search', [0, 1, 0.5])]));

  test('has its ticks at the positions computed by hand', () => {
    expect(numberedTexts(elements, 'end')).toEqual([
      ['0.0', 67, 391],
      ['0.2', 67, 331],
      ['0.4', 67, 271],
      ['0.6', 67, 211],
      ['0.8', 67, 151],
      ['1.0', 67, 91],
    ]);
    expect(numberedTexts(elements, 'middle')).toEqual([
      ['1', 83, 406],
      ['2', 405.5, 406],
      ['3', 728, 406],
    ]);
    expect(elements.map(({ attributes }) => attributes.d)).toContain(
      'M75 387H736M83 387v5M405.5 387v5M728 387v5',
    );
    expect(elements.map(({ attributes }) => attributes.d)).toContain('M75 327H736');
  });

  test('draws trials, moving average and best so far at the positions computed by hand', () => {
    expect(pathOf(elements, 'trials')).toBe('M83 387h0M405.5 87h0M728 237h0');
    // The averages are 0, 0.5 and 0.75.
    expect(pathOf(elements, 'average')).toBe('M83,387L405.5,237L728,162');
    expect(pathOf(elements, 'best')).toBe('M83,387L405.5,387L405.5,87L728,87L728,87');
    expect(pathOf(elements, 'failed')).toBeUndefined();
  });

  test('marks failed trials below all rewards and continues the best so far past them', () => {
    const failing = elementsOf(chart([search('search', [0, null, 1, null])]));
    // The lowest reward is 12 px (the row of crosses) plus 6 px above the bottom; the crosses are 6 px above it.
    const [second, fourth] = [83 + 645 / 3, 728];
    expect(pathOf(failing, 'failed')).toBe(
      `M${second - 3} 378l6 6m0 -6l-6 6M${fourth - 3} 378l6 6m0 -6l-6 6`,
    );
    expect(pathOf(failing, 'trials')).toBe('M83 369h0M513 87h0');
    expect(pathOf(failing, 'best')).toBe('M83,369L513,369L513,87L728,87L728,87');
    expect(textsOf(failing)).toContain('failed trial');
    expect(textsOf(elements)).not.toContain('failed trial');
  });

  test('names its axes, the window and the best trial', () => {
    for (const text of ['trial', 'reward', 'moving average of 2', 'best so far: 1 at trial 2']) {
      expect(textsOf(elements)).toContain(text);
    }
  });

  test('draws an axis for a single trial, for no trials and for equal rewards', () => {
    expect(
      numberedTexts(elementsOf(chart([search('search', [0.5])])), 'middle').map(([text]) => text),
    ).toEqual(['0', '1', '2']);
    // The widest number here is '1.80': 26 px.
    expect(pathOf(elementsOf(chart([search('search', [2, 2])])), 'trials')).toBe('M90 237h0M728 237h0');
    const empty = elementsOf(chart([search('search', [])]));
    expect(numberedTexts(empty, 'end').map(([text]) => text)).toEqual([
      '0.0',
      '0.2',
      '0.4',
      '0.6',
      '0.8',
      '1.0',
    ]);
    expect(textsOf(empty)).toContain('best so far: no trial finished');
    const failed = elementsOf(chart([search('search', [null, null])]));
    expect(pathOf(failed, 'failed')).toMatch(/^M80 378l6 6m0 -6l-6 6M725 378/);
    expect(pathOf(failed, 'best')).toBeUndefined();
  });

  test('has ticks at whole trials only', () => {
    const many = (count: number) =>
      numberedTexts(elementsOf(chart([search('search', Array(count).fill(0.5))])), 'middle').map(
        ([text]) => text,
      );
    expect(many(2)).toEqual(['1', '2']);
    expect(many(1300)).toEqual(['200', '400', '600', '800', '1,000', '1,200']);
  });

  test('rejects a reward that is not finite and a window that is not a positive integer', () => {
    expect(() => drawCurves(chart([search('mine', [1, Number.NaN])]))).toThrow(
      'reward curve "mine": the reward of trial 2 is NaN, not a finite number',
    );
    expect(() => drawCurves(chart([], 0))).toThrow('the window must be a positive integer, not 0');
  });
});

describe('a comparison of searches', () => {
  const compared = elementsOf(
    chart([search('reinforce', [0, null, 1]), search('random', [null, 0.5, 0.25])]),
  );

  test('draws each search in its own colour, and all at the same scale', () => {
    // With one more legend row, the top is at 107 and the bottom at 407. Two rows of crosses and 6 px lie below the rewards.
    expect(pathOf(compared, 'trials', 'reinforce')).toBe('M83 377h0M728 107h0');
    expect(pathOf(compared, 'trials', 'random')).toBe('M405.5 242h0M728 309.5h0');
    expect(pathOf(compared, 'failed', 'reinforce')).toMatch(/^M402\.5 386/);
    expect(pathOf(compared, 'failed', 'random')).toMatch(/^M80 398/);
    const strokes = (name: string) =>
      new Set(
        compared
          .filter(({ attributes }) => attributes['data-search'] === name)
          .map(({ attributes }) => attributes.stroke),
      );
    expect(strokes('reinforce').size).toBe(1);
    expect(strokes('random').size).toBe(1);
    expect(strokes('reinforce')).not.toEqual(strokes('random'));
  });

  test('names each search with its best trial', () => {
    expect(textsOf(compared)).toContain('reinforce: 1 at trial 3');
    expect(textsOf(compared)).toContain('random: 0.5 at trial 2');
  });

  test('distinguishes a ninth search from the first by its dashes', () => {
    const nine = elementsOf(chart([...'123456789'].map((name) => search(name, [0, 1]))));
    const best = (name: string) =>
      nine.find(
        ({ attributes }) => attributes['data-search'] === name && attributes['data-measure'] === 'best',
      )!.attributes;
    expect(best('9').stroke).toBe(best('1').stroke);
    expect(best('1')['stroke-dasharray']).toBeUndefined();
    expect(best('9')['stroke-dasharray']).toBe('7 4');
  });
});

describe('any chart', () => {
  test('is well-formed, is byte-identical for equal input, and keeps its marks within the plot', () => {
    const reward = fc.oneof(fc.constant(null), fc.double({ min: -1e6, max: 1e6, noNaN: true }));
    const searches = fc.array(fc.record({ name: anyText, rewards: fc.array(reward, { maxLength: 20 }) }), {
      maxLength: 10,
    });
    fc.assert(
      fc.property(anyText, searches, fc.integer({ min: 1, max: 5 }), (title, listed, window) => {
        const input = {
          ...chart(
            listed.map(({ name, rewards }) => search(name, rewards)),
            window,
          ),
          title,
        };
        const drawn = drawCurves(input);
        expect(drawCurves(structuredClone(input))).toBe(drawn);
        const root = parseXml(drawn);
        const height = Number(root.attributes.height);
        for (const { attributes } of allElements(root)) {
          expect(attributes.d ?? '').not.toMatch(/NaN|Infinity|undefined/);
          if (attributes['data-measure'] === undefined || attributes['data-measure'] === 'failed') continue;
          for (const [, x, y] of attributes.d!.matchAll(/[ML](-?[\d.]+)[ ,](-?[\d.]+)/g)) {
            expect(Number(x)).toBeGreaterThanOrEqual(75);
            expect(Number(x)).toBeLessThanOrEqual(728);
            expect(Number(y)).toBeGreaterThanOrEqual(67);
            expect(Number(y)).toBeLessThanOrEqual(height - 62);
          }
        }
      }),
      // Numbers too small to span an axis.
      {
        examples: [
          ['', [{ name: '', rewards: [3e-323] }], 1],
          ['', [{ name: '', rewards: [0, -5e-324] }], 1],
        ],
      },
    );
  });
});

describe('the statistics of a search', () => {
  const marks = (rewards: readonly number[]) =>
    rewards.map((reward, index) => ({ trial: index + 1, reward }));

  test('are the mean of the last trials and the highest reward so far if higher is better', () => {
    expect(movingAverage(marks([1, 2, 4, 8]), 2)).toEqual(marks([1, 1.5, 3, 6]));
    expect(movingAverage(marks([1, 2, 3]), 5)).toEqual(marks([1, 1.5, 2]));
    expect(bestSoFar(marks([1, 3, 2, 3, 4]), 'higher')).toEqual(marks([1, 3, 3, 3, 4]));
  });

  test('include the lowest reward so far if lower is better, and the legend names its trial', () => {
    expect(bestSoFar(marks([5, 7, 4, 6]), 'lower')).toEqual(marks([5, 5, 4, 4]));
    const lower = { ...chart([search('search', [5, 7, null, 4, 6])]), better: 'lower' as const };
    expect(textsOf(elementsOf(lower))).toContain('best so far: 4 at trial 4');
  });
});

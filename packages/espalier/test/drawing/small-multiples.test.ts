import { describe, expect, test } from 'vitest';
import { pictureRoom } from '../../src/drawing/page-width.js';
import { drawSmallMultiples, type SmallMultiples } from '../../src/drawing/small-multiples-svg.js';
import { allElements, parseXml } from './xml.js';

const multiples = (charts: SmallMultiples['charts'], x = [1, 2, 3]): SmallMultiples => ({
  title: 'Weights by epoch',
  xAxis: 'epoch',
  yAxis: 'share',
  lines: ['none', 'skip'],
  charts,
  x,
});
const chart = (name: string, more = {}) => ({
  name,
  values: [
    [0, 0.5, 1],
    [1, 0.5, 0],
  ],
  ...more,
});
const elementsOf = (given: SmallMultiples) => allElements(parseXml(drawSmallMultiples(given)));

describe('small multiples', () => {
  // Each chart is (1094 - 2 * 24 - 3 * 28) / 4 = 240.5 wide; lines go from 52 to 236.5, and shares 0 to 1 from 84 to 0.
  test('have the same scales in all charts', () => {
    expect(pictureRoom).toBe(1094);
    const elements = elementsOf(multiples([chart('a'), chart('b', { emphasised: 0 })]));
    const paths = elements.filter(({ attributes }) => 'data-line' in attributes);
    expect(paths.map(({ attributes }) => [attributes['data-line'], attributes.d])).toEqual([
      ['none', 'M52,84L144.25,42L236.5,0'],
      ['skip', 'M52,0L144.25,42L236.5,84'],
      ['skip', 'M52,0L144.25,42L236.5,84'],
      ['none', 'M52,84L144.25,42L236.5,0'],
    ]);
    // The emphasised line is drawn last, over the others, and boldly.
    expect(paths.map(({ attributes }) => attributes['stroke-width'])).toEqual(['1.5', '1.5', '1.5', '2.75']);
  });

  test('stand four in a row and stay within the width of a page', () => {
    const elements = elementsOf(multiples(Array.from({ length: 5 }, (_, index) => chart(String(index)))));
    const places = elements
      .filter(({ attributes }) => 'data-chart' in attributes)
      .map(({ attributes }) => /translate\((.*) (.*)\)/.exec(attributes.transform!)!.slice(1).map(Number));
    expect(places.map(([left]) => left)).toEqual([24, 292.5, 561, 829.5, 24]);
    expect(new Set(places.slice(0, 4).map(([, top]) => top)).size).toBe(1);
    expect(places[4]![1]! - places[0]![1]!).toBe(144);
    expect(829.5 + 240.5).toBe(pictureRoom - 24);
  });

  test('set symbols in the names of charts, and tell in words what stands out', () => {
    const elements = elementsOf(multiples([chart('c_{k-2} → 0', { emphasised: 1 })]));
    expect(elements.filter(({ name }) => name === 'tspan').map(({ text }) => text)).toEqual([
      'c',
      'k\u22122',
      ' →',
    ]);
    expect(elements.find(({ name }) => name === 'desc')!.text).toBe(
      'share by epoch, a chart for each of c_{k-2} → 0. c_{k-2} → 0: skip 0 at the end.',
    );
  });

  test('reject a value that is missing or not finite', () => {
    for (const values of [
      [[0, 0.5, 1]],
      [
        [0, 0.5],
        [1, 0.5],
      ],
      [
        [0, Number.NaN, 1],
        [1, 0.5, 0],
      ],
    ])
      expect(() => drawSmallMultiples(multiples([{ name: 'a', values }]))).toThrow(
        '"a" does not have a finite value for each of 2 lines at 3 places',
      );
  });
});

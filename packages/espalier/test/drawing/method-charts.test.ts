import { describe, expect, test } from 'vitest';
import { type BandChart, drawBands } from '../../src/drawing/band-chart-svg.js';
import { drawDots } from '../../src/drawing/dot-plot-svg.js';
import { allElements, parseXml } from './xml.js';

const chart = (series: BandChart['series']): BandChart => ({
  title: 'Best so far',
  xAxis: 'hours',
  yAxis: 'accuracy',
  line: 'mean',
  band: 'all seeds',
  series,
});
const step = (x: number, low: number, middle: number, high: number) => ({ x, low, middle, high });

describe('a chart of bands', () => {
  // As in curve-svg.test.ts, with a second row of legend: values from 0 to 1 stand between 407 and 107, and hours from
  // 0 to 4 between 83 and 728.
  const elements = allElements(
    parseXml(drawBands(chart([{ name: 'a & b', steps: [step(1, 0, 0.5, 1), step(4, 0.5, 0.75, 1)] }]))),
  );
  const pathOf = (measure: string) =>
    elements.find(({ attributes }) => attributes['data-measure'] === measure)?.attributes;

  test('has a line of steps, each as high as its value up to the next', () => {
    expect(pathOf('middle')).toMatchObject({ 'data-series': 'a & b', d: 'M244.25,257L728,257L728,182' });
  });

  test('has the band around it', () => {
    expect(pathOf('band')?.d).toBe('M244.25,107L728,107L728,107L728,257L728,407L244.25,407Z');
  });

  test('says in its legend what a series comes to', () => {
    const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining(['a & b: 0.75', 'mean', 'all seeds']));
  });

  test('is drawn without a series too, and refused of what is not finite', () => {
    expect(drawBands(chart([]))).toContain('</svg>');
    expect(() => drawBands(chart([{ name: 'a', steps: [step(Number.NaN, 0, 0, 0)] }]))).toThrow(
      'a coordinate is not finite',
    );
  });
});

describe('a dot plot', () => {
  const plot = {
    title: 'Final accuracy',
    valueAxis: 'accuracy',
    interval: 'its interval',
    groups: [
      { name: 'a', values: [0, 1], mean: 0.5, interval: { low: 0.25, high: 0.75 } },
      { name: 'b', values: [0.5], mean: 0.5 },
    ],
  };
  const elements = allElements(parseXml(drawDots(plot)));
  const dataOf = (group: string, measure: string) =>
    elements.find(
      ({ attributes }) => attributes['data-group'] === group && attributes['data-measure'] === measure,
    )?.attributes.d;

  // 'b' is 635 thousandths of 11.5 px: 8 px. So values go from 24 + 8 + 16 = 48 to 760 - 24 - 8 = 728. Below the margin
  // of 24 are the title (23) and 28: rows of 44 begin at 75, dots are 15 below and means 14 below these.
  test('has a row for each group with its values, and its mean in the interval below', () => {
    expect(dataOf('a', 'values')).toBe('M48 90h0M728 90h0');
    expect(dataOf('a', 'interval')).toBe('M218 104H558');
    expect(dataOf('a', 'mean')).toBe('M388 99v10');
    expect(dataOf('b', 'values')).toBe('M388 134h0');
    expect(dataOf('b', 'interval')).toBeUndefined();
  });

  test('is refused of a value that is not finite', () => {
    expect(() => drawDots({ ...plot, groups: [{ name: 'a', values: [Number.NaN], mean: 0 }] })).toThrow(
      'a value is not finite',
    );
  });
});

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
  // As in curve-svg.test.ts, with a second legend row: values from 0 to 1 map to 407 to 107, and hours from 0 to 4 map
  // to 83 to 728.
  const elements = allElements(
    parseXml(drawBands(chart([{ name: 'a & b', steps: [step(1, 0, 0.5, 1), step(4, 0.5, 0.75, 1)] }]))),
  );
  const pathOf = (measure: string) =>
    elements.find(({ attributes }) => attributes['data-measure'] === measure)?.attributes;

  test('has a step line that holds each value until the next step', () => {
    expect(pathOf('middle')).toMatchObject({ 'data-series': 'a & b', d: 'M244.25,257L728,257L728,182' });
  });

  test('has a band around the line', () => {
    expect(pathOf('band')?.d).toBe('M244.25,107L728,107L728,107L728,257L728,407L244.25,407Z');
  });

  test('has room for a line outside of its band, as a mean may be outside of its quartiles', () => {
    const [first] = allElements(
      parseXml(drawBands(chart([{ name: 'a', steps: [step(0, 0, 9, 1), step(1, 0, 0.5, 1)] }]))),
    ).filter(({ attributes }) => attributes['data-measure'] === 'middle');
    const heights = [...(first?.attributes.d ?? '').matchAll(/,([\d.-]+)/g)].map(([, y]) => Number(y));
    // The top of the frame, as above.
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(107);
  });

  test('states the final value of a series in its legend', () => {
    const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining(['a & b: 0.75', 'mean', 'all seeds']));
  });

  test('is drawn even without a series, and rejects values that are not finite', () => {
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

  // 'b' takes 635 thousandths of 11.5 px: 8 px. So values range from 24 + 8 + 16 = 48 to 760 - 24 - 8 = 728. The margin
  // of 24 is followed by the title (23) and a gap of 28. Rows of 44 begin at 75, dots are 15 below the top of a row and
  // means 14 below the dots.
  test('has one row per group with its values, and below them the mean and its interval', () => {
    expect(dataOf('a', 'values')).toBe('M48 90h0M728 90h0');
    expect(dataOf('a', 'interval')).toBe('M218 104H558');
    expect(dataOf('a', 'mean')).toBe('M388 99v10');
    expect(dataOf('b', 'values')).toBe('M388 134h0');
    expect(dataOf('b', 'interval')).toBeUndefined();
  });

  test('rejects a value that is not finite', () => {
    expect(() => drawDots({ ...plot, groups: [{ name: 'a', values: [Number.NaN], mean: 0 }] })).toThrow(
      'a value is not finite',
    );
  });
});

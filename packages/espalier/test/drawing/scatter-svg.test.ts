import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawScatter, frontierOf, type Scatter } from '../../src/drawing/scatter-svg.js';
import { allElements, parseXml } from './xml.js';

const groups = [
  { name: 'after 1 epoch', colour: 'axis' },
  { name: 'after 3 epochs', colour: 'series-3' },
] as const;
const point = (x: number, y: number, group = 0, more = {}) => ({
  x,
  y,
  name: `${x}: ${y}`,
  group: groups[group]!.name,
  ...more,
});
const scatter = (points: Scatter['points'], more: Partial<Scatter> = {}): Scatter => ({
  title: 'Accuracy by parameters',
  xAxis: 'parameters',
  yAxis: 'accuracy',
  points,
  groups,
  ...more,
});
const elementsOf = (given: Scatter) => allElements(parseXml(drawScatter(given)));
const dotsOf = (elements: ReturnType<typeof elementsOf>) =>
  elements.filter(({ attributes }) => 'data-point' in attributes);

describe('the frontier', () => {
  const points = [
    { x: 3, y: 0.5 },
    { x: 1, y: 0.25 },
    { x: 2, y: 0.125 },
    { x: 3, y: 0.75 },
    { x: 4, y: 0.75 },
  ];

  test('has the points that none of smaller or equal x beats', () => {
    expect(frontierOf(points, 'higher')).toEqual([points[1], points[3]]);
    expect(frontierOf(points, 'lower')).toEqual([points[1], points[2]]);
  });

  test('has no point that another one of them or of the rest beats', () => {
    const any = fc.array(fc.record({ x: fc.integer({ min: 0, max: 9 }), y: fc.integer({ min: 0, max: 9 }) }));
    fc.assert(
      fc.property(any, (all) => {
        const found = frontierOf(all, 'higher');
        const beaten = all.filter((one) =>
          all.some((other) => other.x <= one.x && other.y >= one.y && (other.x < one.x || other.y > one.y)),
        );
        for (const one of found) expect(beaten).not.toContain(one);
        const values = (list: typeof all) => new Set(list.map(({ x, y }) => `${x} ${y}`));
        expect(values(found)).toEqual(values(all.filter((one) => !beaten.includes(one))));
      }),
    );
  });
});

describe('a scatter', () => {
  // As in curve-svg.test.ts, with one legend row: the accuracies 0 to 1 map to 387 to 87, and x to 83 to 728.
  const elements = elementsOf(
    scatter([point(10, 0), point(30, 1, 1, { emphasised: true }), point(20, 0.5)], {
      frontier: { better: 'higher', text: 'best of this size' },
    }),
  );

  test('has a dot for each point in the colour of its group, which says what it is', () => {
    expect(
      dotsOf(elements).map(({ attributes, children }) => [
        attributes.cx,
        attributes.cy,
        attributes.class,
        children[0]!.text,
      ]),
    ).toEqual([
      ['83', '387', 'fill-axis', '10: 0'],
      ['728', '87', 'fill-series-3', '30: 1'],
      ['405.5', '237', 'fill-axis', '20: 0.5'],
    ]);
  });

  test('rings the emphasised point and joins the frontier', () => {
    const ring = elements.filter(({ attributes }) => attributes['data-emphasised'] === 'true');
    expect(ring.map(({ attributes }) => [attributes.cx, attributes.cy])).toEqual([['728', '87']]);
    const frontier = elements.find(({ attributes }) => attributes['data-measure'] === 'frontier');
    expect(frontier!.attributes.d).toBe('M83,387L405.5,387L405.5,237L728,237L728,87');
  });

  test('names its groups where there are several, and the frontier', () => {
    const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
    expect(texts).toEqual(
      expect.arrayContaining(['after 1 epoch', 'after 3 epochs', 'best of this size', 'parameters']),
    );
    const alone = elementsOf(scatter([point(1, 1)], { groups: [groups[0]] }));
    expect(alone.map(({ text }) => text)).not.toContain('after 1 epoch');
  });

  test('has a logarithmic scale where the largest is many times the smallest', () => {
    const wide = elementsOf(scatter([point(100, 0), point(1000, 0.5), point(10_000, 1)]));
    expect(dotsOf(wide).map(({ attributes }) => attributes.cx)).toEqual(['83', '405.5', '728']);
    expect(wide.filter(({ name }) => name === 'text').map(({ text }) => text)).toEqual(
      expect.arrayContaining(['100', '1k', '10k']),
    );
  });

  test('of many points names only those that stand out', () => {
    const many = Array.from({ length: 2001 }, (_, x) =>
      point(x, x % 9, 0, x === 7 ? { emphasised: true } : {}),
    );
    const titles = elementsOf(scatter(many)).filter(
      ({ name, text }) => name === 'title' && /^\d+: /.test(text),
    );
    expect(titles.map(({ text }) => text)).toEqual(['7: 7']);
  });

  test('rejects a coordinate that is not finite, and a group that it does not have', () => {
    expect(() => drawScatter(scatter([point(Number.NaN, 0)]))).toThrow('a coordinate is not finite');
    expect(() => drawScatter(scatter([{ ...point(1, 0), group: 'x' }]))).toThrow('of no group of the chart');
  });
});

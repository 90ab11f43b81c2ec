import { describe, expect, test } from 'vitest';
import { drawLines, type LineChart } from '../../src/drawing/line-chart-svg.js';
import { allElements, parseXml } from './xml.js';

const chart = (series: LineChart['series'], groups?: LineChart['groups']): LineChart => ({
  title: 'Loss by epoch',
  xAxis: 'epoch',
  yAxis: 'loss',
  series,
  ...(groups === undefined ? {} : { groups }),
});
const points = (...heights: number[]) => heights.map((y, index) => ({ x: index + 1, y }));
const elementsOf = (given: LineChart) => allElements(parseXml(drawLines(given)));
const seriesOf = (elements: ReturnType<typeof elementsOf>, name: string) =>
  elements.find(({ attributes }) => attributes['data-series'] === name)!;
const textsOf = (elements: ReturnType<typeof elementsOf>) =>
  elements.filter(({ name }) => name === 'text').map(({ text }) => text);

describe('a line chart', () => {
  // As in curve-svg.test.ts: the heights 0 to 1 map to 387 to 87, and the epochs 1 to 3 to 83 to 728.
  const elements = elementsOf(chart([{ name: 'training', points: points(1, 0, 0.5) }]));

  test('goes straight from point to point', () => {
    expect(seriesOf(elements, 'training').children[1]!.attributes.d).toBe('M83,87L405.5,387L728,237');
  });

  test('has a dot at each point that says its values', () => {
    const dots = seriesOf(elements, 'training').children.filter(({ name }) => name === 'circle');
    expect(dots.map(({ attributes, children }) => [attributes.cx, attributes.cy, children[0]!.text])).toEqual(
      [
        ['83', '87', 'training, epoch 1: 1'],
        ['405.5', '387', 'training, epoch 2: 0'],
        ['728', '237', 'training, epoch 3: 0.5'],
      ],
    );
  });

  test('names each line in its legend with its last value, and in its description with both ends', () => {
    expect(textsOf(elements)).toContain('training: 0.5');
    expect(elements.find(({ name }) => name === 'desc')!.text).toBe(
      'loss by epoch. training: 1 at 1, 0.5 at 3.',
    );
  });

  test('has ticks at whole epochs only, and shows a single epoch as a dot', () => {
    const one = elementsOf(chart([{ name: 'a', points: points(0.5) }]));
    expect(textsOf(one).filter((text) => /^\d+$/.test(text))).toEqual(['0', '1', '2']);
    expect(seriesOf(one, 'a').children.filter(({ name }) => name === 'circle')).toHaveLength(1);
  });

  test('of many lines colours them by their groups, and draws the emphasised one last and boldest', () => {
    const grouped = elementsOf(
      chart(
        [
          { name: 'child 1', points: points(0, 1), group: 'best', emphasised: true },
          { name: 'child 2', points: points(1, 0), group: 'after 2 epochs' },
        ],
        [
          { name: 'after 2 epochs', colour: 'series-3' },
          { name: 'best', colour: 'series-1' },
        ],
      ),
    );
    const drawn = grouped.filter(({ attributes }) => 'data-series' in attributes);
    expect(drawn.map(({ attributes }) => attributes['data-series'])).toEqual(['child 2', 'child 1']);
    expect(drawn.map(({ children }) => children[1]!.attributes.class)).toEqual([
      'stroke-series-3',
      'stroke-series-1',
    ]);
    expect(drawn.map(({ children }) => children[1]!.attributes['stroke-width'])).toEqual(['1.5', '2.25']);
    expect(textsOf(grouped)).toEqual(expect.arrayContaining(['after 2 epochs', 'best', 'child 1: 1']));
    expect(() =>
      drawLines(chart([{ name: 'a', points: points(1), group: 'x' }], [{ name: 'y', colour: 'ink' }])),
    ).toThrow('line "a" is of no group of the chart');
  });

  test('leaves out the dots where they would hide the lines', () => {
    const many = elementsOf(
      chart([{ name: 'a', points: points(...Array.from({ length: 401 }, (_, i) => i % 7)) }]),
    );
    expect(many.filter(({ name }) => name === 'circle')).toEqual([]);
  });

  test('is drawn even without a line, and rejects values that are not finite', () => {
    expect(drawLines(chart([{ name: 'a', points: [] }]))).toContain('</svg>');
    expect(() => drawLines(chart([{ name: 'a', points: points(Number.NaN) }]))).toThrow(
      'a coordinate is not finite',
    );
  });
});

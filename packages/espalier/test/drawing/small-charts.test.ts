import { describe, expect, test } from 'vitest';
import { confusionPanel } from '../../src/drawing/confusion-svg.js';
import { drawHistogram } from '../../src/drawing/histogram-svg.js';
import { drawPanels } from '../../src/drawing/panel.js';
import { drawSparkline } from '../../src/drawing/sparkline-svg.js';
import { allElements, parseXml } from './xml.js';

describe('a histogram', () => {
  const histogram = { title: 'Scores', valueAxis: 'accuracy', countAxis: 'candidates' };
  const elements = allElements(
    parseXml(
      drawHistogram({
        ...histogram,
        values: [0, 0.01, 0.5, 1],
        mark: { value: 1, text: 'chosen: 100%' },
      }),
    ),
  );

  test('has a bar for each range that has values, with their number', () => {
    const bars = elements.filter(({ attributes }) => 'data-count' in attributes);
    expect(bars.map(({ attributes, children }) => [attributes['data-count'], children[0]!.text])).toEqual([
      ['2', expect.stringMatching(/^0\.0 to .*: 2$/)],
      ['1', expect.stringMatching(/^0\.5 to .*: 1$/)],
      ['1', expect.stringMatching(/: 1$/)],
    ]);
    // Two values are twice as high as one.
    const heights = bars.map(({ attributes }) => Number(attributes.height));
    expect(heights).toEqual([300, 150, 150]);
  });

  test('marks a value and says what it is', () => {
    const mark = elements.find(({ attributes }) => attributes['data-mark'] === 'true');
    expect(mark!.attributes.d).toBe('M728 87V387');
    expect(elements.filter(({ name }) => name === 'text').map(({ text }) => text)).toContain('chosen: 100%');
    expect(elements.find(({ name }) => name === 'desc')!.text).toBe(
      'candidates by accuracy: 4 values. chosen: 100%.',
    );
  });

  test('is drawn without values, and rejects those that are not finite', () => {
    expect(drawHistogram({ ...histogram, values: [] })).toContain('</svg>');
    expect(() => drawHistogram({ ...histogram, values: [Number.NaN] })).toThrow('a value is not finite');
  });
});

describe('the picture of a confusion matrix', () => {
  const picture = {
    title: 'Confusion',
    classes: ['cat', 'dog', 'a <fox>'],
    counts: [
      [3, 1, 0],
      [0, 5, 0],
      [0, 0, 0],
    ],
    rowAxis: 'true class',
    columnAxis: 'predicted class',
  };
  const panel = confusionPanel(picture);
  const elements = allElements(parseXml(drawPanels('Confusion', [panel])));
  const cell = (actual: number, predicted: number) =>
    elements.find(
      ({ attributes }) =>
        attributes['data-actual'] === String(actual) && attributes['data-predicted'] === String(predicted),
    )!.children;

  test('has the numbers, darker for a larger share of their row, right and wrong in different colours', () => {
    expect(cell(0, 0).map(({ text }) => text)).toEqual(['cat taken for cat: 3 of 4', '', '3']);
    // 0.04 + 0.96 * 3 / 4
    expect(cell(0, 0)[1]!.attributes).toMatchObject({ 'fill-opacity': '0.76', class: 'fill-series-1' });
    expect(cell(0, 1)[1]!.attributes).toMatchObject({ 'fill-opacity': '0.28', class: 'fill-series-2' });
    expect(cell(2, 2)[1]!.attributes).toMatchObject({ 'fill-opacity': '0.04' });
  });

  test('has numbers in the colour of the paper on dark cells', () => {
    expect([cell(1, 1), cell(0, 1), cell(1, 0)].map((drawn) => drawn[2]!.attributes.class)).toEqual([
      'fill-paper',
      'fill-ink',
      'fill-muted',
    ]);
  });

  test('names rows and columns, and says in words how many of each class are right', () => {
    const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
    for (const name of picture.classes) expect(texts.filter((text) => text === name)).toHaveLength(2);
    expect(texts).toEqual(expect.arrayContaining(['true class', 'predicted class']));
    expect(panel.description).toBe('cat: 3 of 4 right. dog: 5 of 5 right. a <fox>: 0 of 0 right.');
  });

  test('rejects counts that do not fit the classes', () => {
    expect(() => confusionPanel({ ...picture, classes: ['cat'] })).toThrow('the counts are not 1 by 1');
  });
});

describe('a sparkline', () => {
  test('has its curve on the scales that it is given, and a dot at each mark', () => {
    const points = [
      { x: 1, y: 0 },
      { x: 3, y: 1 },
    ];
    const elements = allElements(
      parseXml(
        drawSparkline({
          description: 'child 1',
          points,
          marks: [{ at: points[1]!, colour: 'series-3' }],
          x: [1, 5],
          y: [0, 2],
        }),
      ),
    );
    expect(elements.find(({ name }) => name === 'path')!.attributes.d).toBe('M4,26L66,15');
    expect(elements.find(({ name }) => name === 'circle')!.attributes).toMatchObject({
      cx: '66',
      cy: '15',
      class: 'fill-series-3',
    });
    expect(elements.find(({ name }) => name === 'title')!.text).toBe('child 1');
  });
});

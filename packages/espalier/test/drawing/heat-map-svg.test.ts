import { describe, expect, it } from 'vitest';
import { type HeatMap, heatMapPanel } from '../../src/drawing/heat-map-svg.js';
import { drawPanels } from '../../src/drawing/panel.js';
import { textWidth } from '../../src/drawing/text-width.js';
import { allElements, parseXml } from './xml.js';

const map: HeatMap = {
  title: 'normal',
  rows: ['0 to 2', '1 to 2'],
  columns: ['none', 'skip <connect>', 'sep_conv_3x3'],
  shares: [
    [0.2, 0.3, 0.5],
    [0.6, 0.4, 0],
  ],
  marked: [[0, 2]],
};

const elements = (given: HeatMap) => allElements(parseXml(drawPanels('weights', [heatMapPanel(given)])));
const boxes = (given: HeatMap) => elements(given).filter(({ attributes }) => 'data-share' in attributes);

describe('a heat map', () => {
  it('has a box for every share, darker for larger shares, on a scale from the smallest to the largest', () => {
    const found = boxes(map);
    expect(found.map(({ attributes }) => Number(attributes['data-share']))).toEqual([
      0.2, 0.3, 0.5, 0.6, 0.4, 0,
    ]);
    const opacities = found.map(({ attributes }) => Number(attributes['fill-opacity']));
    expect([opacities[3], opacities[5]]).toEqual([1, 0.06]);
    // 0.06 + 0.94 * 0.3 / 0.6
    expect(opacities[1]).toBe(0.53);
    expect(new Set(found.map(({ attributes }) => `${attributes.x} ${attributes.y}`)).size).toBe(6);
  });

  it('names rows, columns and the ends of its scale, and frames the marked cells', () => {
    const all = elements(map);
    const texts = all.filter(({ name }) => name === 'text').map(({ text }) => text);
    expect(texts).toEqual(
      expect.arrayContaining([...map.rows, ...map.columns, 'from 0.00% (pale) to 60.00% (strong)', 'normal']),
    );
    const [frame, ...others] = all.filter(({ attributes }) => attributes['data-marked'] === 'true');
    expect(others).toEqual([]);
    const marked = boxes(map)[2]!;
    expect([frame!.attributes.x, frame!.attributes.y]).toEqual([marked.attributes.x, marked.attributes.y]);
  });

  it('has room for its scale, however few columns there are', () => {
    const narrow = { ...map, rows: ['0'], columns: ['a'], shares: [[0.5]], marked: [] };
    const panel = heatMapPanel(narrow);
    const scale = 'from 50.00% (pale) to 50.00% (strong)';
    // The row name '0' takes 8 px, and 8 px lie between it and the cells.
    expect(panel.width).toBe(8 + 8 + Math.ceil(textWidth(scale, 12)));
    expect(elements(narrow).map(({ text }) => text)).toContain(scale);
  });

  it('sets symbols in the names of rows', () => {
    const edges = { ...map, rows: ['c_{k-2} → 0', 'c_{k-1} → 0'] };
    const spans = elements(edges).filter(({ name }) => name === 'tspan');
    expect(spans.map(({ text }) => text)).toEqual(['c', 'k\u22122', ' →', 'c', 'k\u22121', ' →']);
    const [box] = boxes(edges);
    expect(box!.children[0]!.text).toBe('c_{k-2} → 0, none: 20.0%');
  });

  it('is uniformly dark if all shares are equal', () => {
    const shares = [[0.5, 0.5]];
    const given = { ...map, rows: ['a'], columns: ['b', 'c'], shares, marked: [] };
    expect(boxes(given).map(({ attributes }) => attributes['fill-opacity'])).toEqual(['1', '1']);
  });

  it('rejects a value outside [0, 1] and rows of the wrong length', () => {
    expect(() =>
      heatMapPanel({
        ...map,
        shares: [
          [0, 1.5, 0],
          [0, 0, 0],
        ],
      }),
    ).toThrow('a share is 1.5');
    expect(() => heatMapPanel({ ...map, shares: [[0, 1, 0]] })).toThrow(
      'do not have the 2 rows and 3 columns',
    );
  });
});

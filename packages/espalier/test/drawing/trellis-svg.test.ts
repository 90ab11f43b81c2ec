import { describe, expect, test } from 'vitest';
import { drawPanels } from '../../src/drawing/panel.js';
import { type Trellis, trellisPanel } from '../../src/drawing/trellis-svg.js';
import { allElements, parseXml, type XmlElement } from './xml.js';

function trellis(path: readonly number[]): Trellis {
  return { title: 'A path', strides: [4, 8, 16, 32], path, before: 'stem', after: 'ASPP' };
}

function draw(path: readonly number[]): XmlElement {
  return parseXml(drawPanels('t', [trellisPanel(trellis(path))]));
}

function elementsWith(root: XmlElement, attribute: string): XmlElement[] {
  return allElements(root).filter(({ attributes }) => attribute in attributes);
}

/** The start of an arrow's line and the tip of its head. */
function endsOf(arrow: XmlElement): number[][] {
  const first = (index: number) =>
    /^M([\d.-]+) ([\d.-]+)/.exec(arrow.children[index]!.attributes.d!)!.slice(1).map(Number);
  return [first(0), first(1)];
}

describe('the picture of a trellis', () => {
  test('has a circle for each layer at each reachable stride', () => {
    const circles = elementsWith(draw([0, 1, 1, 0, 0]), 'data-layer').map(
      ({ attributes }) => `${attributes['data-layer']}:${attributes['data-stride']}`,
    );
    expect(circles).toEqual([
      ...['1:4', '1:8'],
      ...['2:4', '2:8', '2:16'],
      ...['3:4', '3:8', '3:16', '3:32'],
      ...['4:4', '4:8', '4:16', '4:32'],
      ...['5:4', '5:8', '5:16', '5:32'],
    ]);
  });

  test('highlights the circles of the path', () => {
    const onPath = elementsWith(draw([0, 1, 2, 3, 3, 2]), 'data-layer').filter(
      ({ attributes }) => attributes['data-on'] === 'path',
    );
    expect(onPath.map(({ attributes }) => Number(attributes['data-stride']))).toEqual([4, 8, 16, 32, 32, 16]);
    expect(onPath.map(({ attributes }) => Number(attributes['data-layer']))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('has an arrow for each possible step', () => {
    // Two from the stem; 2 + 3, 2 + 3 + 3 and then 2 + 3 + 3 + 2 between layers; one to each of the four ends.
    const arrows = elementsWith(draw([0, 0, 1, 1]), 'data-arrow');
    expect(arrows).toHaveLength(2 + 5 + 8 + 10 + 4);
  });

  test('has arrows as wide as the weights, the path too, and none for a move without weight', () => {
    // From the stem only to stride 4; from there 0.25 and 0.75.
    const none = [0, 0, 0];
    const weights = [
      [[0, 1, 0], none, none, none],
      [[0, 0.25, 0.75], none, none, none],
    ];
    const root = parseXml(drawPanels('t', [trellisPanel({ ...trellis([0, 1]), weights })]));
    const widths = elementsWith(root, 'data-arrow').map(({ attributes, children }) => [
      attributes['data-arrow'],
      Number(children[0]!.attributes['stroke-width']),
    ]);
    // Seven pixels are a weight of 1; the arrows to the ends have none of their own.
    expect(widths).toEqual([
      ['other', 1.75],
      ['other', 1],
      ['path', 7],
      ['path', 5.25],
      ['path', 3],
    ]);
    const circles = elementsWith(root, 'data-layer').map(
      ({ attributes }) => `${attributes['data-layer']}:${attributes['data-stride']}`,
    );
    expect(circles).toEqual(['1:4', '2:4', '2:8']);
  });

  test('highlights the steps of the path, from circle to circle', () => {
    const root = draw([1, 0, 1, 2]);
    const arrows = elementsWith(root, 'data-arrow').filter(
      ({ attributes }) => attributes['data-arrow'] === 'path',
    );
    expect(arrows).toHaveLength(5);
    const circles = elementsWith(root, 'data-layer').filter(
      ({ attributes }) => attributes['data-on'] === 'path',
    );
    for (const [step, circle] of circles.entries()) {
      const [cx, cy, r] = ['cx', 'cy', 'r'].map((name) => Number(circle.attributes[name]));
      const distance = ([x, y]: number[]) => Math.hypot(x! - cx!, y! - cy!);
      expect(distance(endsOf(arrows[step]!)[1]!)).toBeCloseTo(r!, 1);
      expect(distance(endsOf(arrows[step + 1]!)[0]!)).toBeCloseTo(r!, 1);
    }
  });

  test('labels layers, strides and ends, and has a text alternative', () => {
    const root = draw([0, 1, 2]);
    const texts = allElements(root).filter(({ name }) => name === 'text');
    expect(texts.map(({ text }) => text)).toEqual(
      'stride layer 1 2 3 4 8 16 32 stem ASPP ASPP ASPP ASPP'.split(' ').concat('A path'),
    );
    expect(root.children[1]!.text).toBe('A path: 3 layers at the strides 4, 8, 16.');
  });

  test.each([
    [[], 'A path: the path has no layers'],
    [[2, 1], 'A path: layer 1 is in row 2; allowed: rows 0 to 3, at most one from row 0'],
    [[0, 1, 3], 'A path: layer 3 is in row 3; allowed: rows 0 to 3, at most one from row 1'],
    [[1, 2, 3, 4], 'A path: layer 4 is in row 4; allowed: rows 0 to 3, at most one from row 3'],
    [[0, -1], 'A path: layer 2 is in row -1; allowed: rows 0 to 3, at most one from row 0'],
  ])('rejects the path %j', (path, message) => {
    expect(() => trellisPanel(trellis(path))).toThrow(message);
  });
});

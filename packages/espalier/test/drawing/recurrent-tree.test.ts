import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawPanels } from '../../src/drawing/panel.js';
import type { Path, Point, Rect } from '../../src/drawing/path.js';
import type { RecurrentTree } from '../../src/drawing/recurrent-tree.js';
import { layoutRecurrentTree } from '../../src/drawing/recurrent-tree-layout.js';
import { recurrentTreePanel } from '../../src/drawing/recurrent-tree-svg.js';
import { allElements, parseXml, type XmlElement } from './xml.js';

const words = fc.constantFrom('add', 'elem mult', 'a <b> & c', 'identity', 'a long name of an activation');
const steps = fc.record({ combination: words, activation: words });

/** Random trees: each inner node reads any two nodes that have not been read before. */
const trees: fc.Arbitrary<RecurrentTree> = fc
  .record({
    leaves: fc.array(steps, { minLength: 1, maxLength: 7 }),
    picks: fc.array(fc.tuple(fc.nat(), fc.nat(), steps), { minLength: 6, maxLength: 6 }),
    injected: fc.tuple(steps, fc.nat()),
    tapped: fc.nat(),
  })
  .map(({ leaves, picks, injected: [how, at], tapped }) => {
    const nodes: RecurrentTree['nodes'][number][] = [...leaves];
    const open = [...leaves.keys()];
    for (const [one, other, step] of picks.slice(0, leaves.length - 1)) {
      const [first] = open.splice(one % open.length, 1) as [number];
      const [second] = open.splice(other % open.length, 1) as [number];
      open.push(nodes.length);
      nodes.push({ ...step, reads: [first, second] });
    }
    return {
      title: 'A tree',
      inputs: ['x_{t}', 'h_{t-1}'],
      nodes,
      output: 'h_{t}',
      injected: { ...how, symbol: 'c_{t-1}', at: at % nodes.length },
      tapped: { symbol: 'c_{t}', at: tapped % nodes.length },
    };
  });

const add = { combination: 'add', activation: 'tanh' };
const small: RecurrentTree = {
  title: 'Small',
  inputs: ['x_{t}', 'h_{t-1}'],
  nodes: [
    { combination: 'add', activation: 'tanh' },
    { combination: 'elem mult', activation: 'relu' },
    { combination: 'max', activation: 'sigmoid', reads: [0, 1] },
  ],
  output: 'h_{t}',
  injected: { combination: 'add', activation: 'identity', symbol: 'c_{t-1}', at: 0 },
  tapped: { symbol: 'c_{t}', at: 1 },
};

/** Closely spaced points along a path. */
function pointsOn({ start, segments }: Path): Point[] {
  const points = [start];
  let from = start;
  for (const segment of segments) {
    const controls =
      segment.kind === 'line'
        ? [from, from, segment.to, segment.to]
        : [from, segment.control1, segment.control2, segment.to];
    for (let step = 1; step <= 24; step++) {
      const t = step / 24;
      const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
      const along = (axis: 'x' | 'y') =>
        controls.reduce((sum, point, index) => sum + weights[index]! * point[axis], 0);
      points.push({ x: along('x'), y: along('y') });
    }
    from = segment.to;
  }
  return points;
}

const isInside = ({ x, y }: Point, box: Rect, margin: number): boolean =>
  x > box.x - margin &&
  x < box.x + box.width + margin &&
  y > box.y - margin &&
  y < box.y + box.height + margin;

const touch = (one: Rect, other: Rect): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

const boxesOf = (tree: RecurrentTree) => {
  const { nodes, symbols } = layoutRecurrentTree(tree);
  return [...nodes.flatMap(({ boxes }) => boxes), ...symbols];
};

describe('the layout of a recurrent tree', () => {
  test('stays within the picture, and no two boxes touch', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const { width, height } = layoutRecurrentTree(tree);
        const rects = boxesOf(tree).map(({ rect }) => rect);
        for (const [index, rect] of rects.entries()) {
          expect(rect.x).toBeGreaterThanOrEqual(-0.01);
          expect(rect.y).toBeGreaterThanOrEqual(-0.01);
          expect(rect.x + rect.width).toBeLessThanOrEqual(width + 0.01);
          expect(rect.y + rect.height).toBeLessThanOrEqual(height + 0.01);
          for (const other of rects.slice(index + 1)) expect(touch(rect, other)).toBe(false);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('routes every arrow from the edge of one box to the edge of another, and through no box', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const { arrows } = layoutRecurrentTree(tree);
        const rects = boxesOf(tree).map(({ rect }) => rect);
        for (const { path, tip } of arrows) {
          for (const point of pointsOn(path))
            expect(rects.some((rect) => isInside(point, rect, -0.01))).toBe(false);
          for (const end of [path.start, tip])
            expect(rects.filter((rect) => isInside(end, rect, 0.01))).toHaveLength(1);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('centres leaves above their inputs and other nodes above the two nodes that they read', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const { nodes, symbols } = layoutRecurrentTree(tree);
        const middle = (index: number) =>
          nodes[index]!.boxes[0]!.rect.x + nodes[index]!.boxes[0]!.rect.width / 2;
        const inputs = symbols.filter(({ label }) => tree.inputs.includes(label));
        const leaves = tree.nodes.flatMap(({ reads }, index) => (reads === undefined ? [index] : []));
        expect(inputs.map(({ label }) => label)).toEqual(leaves.flatMap(() => tree.inputs));
        expect(new Set(inputs.map(({ rect }) => rect.y)).size).toBe(1);
        for (const [place, leaf] of leaves.entries()) {
          expect(inputs[2 * place]!.rect.x).toBeLessThan(middle(leaf));
          expect(inputs[2 * place + 1]!.rect.x).toBeGreaterThan(middle(leaf));
        }
        for (const [index, { reads }] of tree.nodes.entries()) {
          if (reads === undefined) continue;
          expect(middle(index)).toBeCloseTo((middle(reads[0]) + middle(reads[1])) / 2, 6);
          expect(middle(reads[0])).toBeLessThan(middle(reads[1]));
          const top = nodes[index]!.boxes[0]!.rect.y + nodes[index]!.boxes[0]!.rect.height;
          for (const read of reads) expect(top).toBeLessThan(nodes[read]!.boxes.at(-1)!.rect.y);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('has one arrow for each step of the cell', () => {
    // Two into each of three nodes; four between the boxes of a node; one to h, one from c and one to c.
    expect(layoutRecurrentTree(small).arrows).toHaveLength(6 + 3 + 2 + 3);
  });

  test('places the injection above its node with the cell state beside it, and the next cell state beside its combination', () => {
    const { nodes, symbols } = layoutRecurrentTree(small);
    expect(nodes.map(({ boxes }) => boxes.map(({ label }) => label))).toEqual([
      ['add', 'tanh', 'add', 'identity'],
      ['elem mult', 'relu'],
      ['max', 'sigmoid'],
    ]);
    const rectOf = (symbol: string) => symbols.find(({ label }) => label === symbol)!.rect;
    const row = ({ y, height }: Rect) => y + height / 2;
    const injection = nodes[0]!.boxes[2]!.rect;
    expect(row(rectOf('c_{t-1}'))).toBeCloseTo(row(injection), 6);
    expect(rectOf('c_{t-1}').x).toBeGreaterThan(injection.x + injection.width);
    const tapped = nodes[1]!.boxes[0]!.rect;
    expect(row(rectOf('c_{t}'))).toBeCloseTo(row(tapped), 6);
    expect(rectOf('c_{t}').x + rectOf('c_{t}').width).toBeLessThan(tapped.x);
  });

  test.each<[Partial<RecurrentTree>, string]>([
    [{ nodes: [] }, 'Small: the tree has no nodes'],
    [{ nodes: [add, { ...add, reads: [0, 1] }] }, 'Small: node 1 reads 1; allowed: nodes before it'],
    [{ nodes: [add, add] }, 'Small: node 0 is read 0 times; allowed: 1'],
    [{ nodes: [add, { ...add, reads: [0, 0] }] }, 'Small: node 0 is read 2 times; allowed: 1'],
    [{ injected: { ...small.injected, at: 3 } }, 'Small: c_{t-1} is at node 3; allowed: 0 to 2'],
    [{ tapped: { symbol: 'c_{t}', at: -1 } }, 'Small: c_{t} is at node -1; allowed: 0 to 2'],
  ])('rejects %j', (change, message) => {
    expect(() => layoutRecurrentTree({ ...small, ...change })).toThrow(message);
  });
});

describe('the picture of a recurrent tree', () => {
  const textOf = (element: XmlElement): string => element.text + element.children.map(textOf).join('');
  const texts = (element: XmlElement) =>
    allElements(element)
      .filter(({ name }) => name === 'text')
      .map(textOf);

  test('is well-formed, shows every node with its number, and is byte-identical for equal trees', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const svg = drawPanels('cells', [recurrentTreePanel(tree)]);
        expect(drawPanels('cells', [recurrentTreePanel(structuredClone(tree))])).toBe(svg);
        const drawn = allElements(parseXml(svg)).filter(({ attributes }) => 'data-node' in attributes);
        expect(drawn.map(texts)).toEqual(
          tree.nodes.map(({ combination, activation }, index) => [
            combination,
            activation,
            ...(index === tree.injected.at ? [tree.injected.combination, tree.injected.activation] : []),
            String(index),
          ]),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('has a text alternative, and draws the identity in grey', () => {
    const root = parseXml(drawPanels('t', [recurrentTreePanel(small)]));
    expect(root.children[1]!.text).toBe(
      'Small: Node 0 (add, tanh) reads x_{t}, h_{t-1}. Node 1 (elem mult, relu) reads x_{t}, h_{t-1}. ' +
        'Node 2 (max, sigmoid) reads 0, 1. c_{t-1} is injected (add, identity) after node 0. ' +
        'c_{t} is node 1 before its activation. h_{t} is node 2.',
    );
    const node = allElements(root).find(({ attributes }) => attributes['data-node'] === '0')!;
    const boxes = node.children.filter(({ name }) => name === 'rect');
    expect(boxes.map(({ attributes }) => attributes.class!.split(' ')[0])).toEqual([
      'fill-convolution',
      'fill-linear',
      'fill-convolution',
      'fill-input',
    ]);
  });
});

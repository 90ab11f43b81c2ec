import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NetworkGraph } from '../../src/drawing/graph.js';
import { layoutNetwork, type NetworkLayout } from '../../src/drawing/network-layout.js';
import type { Path, Point, Rect } from '../../src/drawing/path.js';
import { textWidth } from '../../src/drawing/text-width.js';
import { columnGraphs, flowGraphs } from './network-graphs.js';

const anyGraph = fc.oneof(columnGraphs, flowGraphs);

/** Points along a path, including the ends of its segments. */
function sample(path: Path, perPiece = 40): Point[] {
  const points = [path.start];
  let from = path.start;
  for (const segment of path.segments) {
    const { to } = segment;
    const [a, b] =
      segment.kind === 'curve'
        ? [segment.control1, segment.control2]
        : [
            { x: from.x + (to.x - from.x) / 3, y: from.y + (to.y - from.y) / 3 },
            { x: from.x + (2 * (to.x - from.x)) / 3, y: from.y + (2 * (to.y - from.y)) / 3 },
          ];
    for (let i = 1; i <= perPiece; i++) {
      const t = i / perPiece;
      const [p0, p1, p2, p3] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
      points.push({
        x: p0 * from.x + p1 * a.x + p2 * b.x + p3 * to.x,
        y: p0 * from.y + p1 * a.y + p2 * b.y + p3 * to.y,
      });
    }
    from = to;
  }
  return points;
}

function isInside(point: Point, rect: Rect, by = 1e-6): boolean {
  return (
    point.x > rect.x + by &&
    point.x < rect.x + rect.width - by &&
    point.y > rect.y + by &&
    point.y < rect.y + rect.height - by
  );
}

function overlap(a: Rect, b: Rect): boolean {
  return (
    a.x + a.width > b.x + 1e-6 &&
    b.x + b.width > a.x + 1e-6 &&
    a.y + a.height > b.y + 1e-6 &&
    b.y + b.height > a.y + 1e-6
  );
}

function isOnBorder(point: Point, rect: Rect): boolean {
  const right = rect.x + rect.width;
  const bottom = rect.y + rect.height;
  const inX = point.x >= rect.x - 1e-6 && point.x <= right + 1e-6;
  const inY = point.y >= rect.y - 1e-6 && point.y <= bottom + 1e-6;
  const onX = Math.abs(point.x - rect.x) < 1e-6 || Math.abs(point.x - right) < 1e-6;
  const onY = Math.abs(point.y - rect.y) < 1e-6 || Math.abs(point.y - bottom) < 1e-6;
  return inX && inY && (onX || onY);
}

function boxOf(layout: NetworkLayout, id: string): Rect {
  return layout.nodes.find((node) => node.id === id)!.box;
}

function pairs<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b): [T, T] => [a, b]));
}

/** The straight segments of a path: vertical or horizontal, at the coordinate `at`, from `low` to `high`. */
function straightPieces(path: Path): { vertical: boolean; at: number; low: number; high: number }[] {
  let from = path.start;
  const pieces = [];
  for (const { kind, to } of path.segments) {
    const vertical = from.x === to.x;
    const [a, b] = vertical ? [from.y, to.y] : [from.x, to.x];
    if (kind === 'line')
      pieces.push({ vertical, at: vertical ? to.x : to.y, low: Math.min(a, b), high: Math.max(a, b) });
    from = to;
  }
  return pieces;
}

function runOnTop(a: Path, b: Path): boolean {
  return straightPieces(a).some((piece) =>
    straightPieces(b).some(
      (other) =>
        piece.vertical === other.vertical &&
        Math.abs(piece.at - other.at) < 1.5 &&
        Math.min(piece.high, other.high) - Math.max(piece.low, other.low) > 1e-6,
    ),
  );
}

describe('any network', () => {
  test('has every node once, in a box that no other box touches', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const layout = layoutNetwork(graph);
        expect(layout.nodes.map((node) => node.id).sort()).toEqual(graph.nodes.map((node) => node.id).sort());
        for (const [a, b] of pairs(layout.nodes)) expect(overlap(a.box, b.box)).toBe(false);
      }),
    );
  });

  test('has every edge once, from the border of its source down to the border of its target', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const layout = layoutNetwork(graph);
        expect(layout.edges.map(({ from, to, kind, label }) => [from, to, kind, label?.text.text])).toEqual(
          graph.edges.map(({ from, to, kind, label }) => [from, to, kind, label]),
        );
        for (const { from, to, path, arrow } of layout.edges) {
          const [source, target] = [boxOf(layout, from), boxOf(layout, to)];
          expect(source.y + source.height).toBeLessThan(target.y);
          expect(isOnBorder(path.start, source)).toBe(true);
          expect(isOnBorder(arrow.tip, target)).toBe(true);
          const end = path.segments.at(-1)!.to;
          const pointsTo = { down: { x: 0, y: 7 }, left: { x: -7, y: 0 }, right: { x: 7, y: 0 } }[
            arrow.direction
          ];
          expect(end.x + pointsTo.x).toBeCloseTo(arrow.tip.x, 9);
          expect(end.y + pointsTo.y).toBeCloseTo(arrow.tip.y, 9);
        }
      }),
    );
  });

  test('routes no edge through a box or through the label of another edge', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const layout = layoutNetwork(graph);
        for (const edge of layout.edges) {
          const points = [...sample(edge.path), edge.arrow.tip];
          for (const { box } of layout.nodes)
            expect(points.some((point) => isInside(point, box))).toBe(false);
          for (const other of layout.edges) {
            if (other === edge || other.label === undefined) continue;
            expect(points.some((point) => isInside(point, other.label!.box))).toBe(false);
          }
        }
      }),
    );
  });

  test('keeps edge labels clear of boxes and of each other', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const layout = layoutNetwork(graph);
        const labels = layout.edges.flatMap((edge) => (edge.label === undefined ? [] : [edge.label.box]));
        for (const label of labels)
          for (const { box } of layout.nodes) expect(overlap(label, box)).toBe(false);
        for (const [a, b] of pairs(labels)) expect(overlap(a, b)).toBe(false);
      }),
    );
  });

  test('keeps text within its box and everything within the picture', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const layout = layoutNetwork(graph);
        const { view } = layout;
        for (const { box, texts } of layout.nodes) {
          for (const { text, x, y, size, weight } of texts) {
            const half = textWidth(text, size, weight) / 2;
            expect(x - half).toBeGreaterThanOrEqual(box.x + 8);
            expect(x + half).toBeLessThanOrEqual(box.x + box.width - 8);
            expect(y - size).toBeGreaterThanOrEqual(box.y + 4);
            expect(y + 0.3 * size).toBeLessThanOrEqual(box.y + box.height - 4);
          }
        }
        for (const { label } of layout.edges) {
          if (label !== undefined)
            expect(textWidth(label.text.text, label.text.size)).toBeLessThanOrEqual(label.box.width);
        }
        for (const { text, x, size, weight } of [
          ...layout.title,
          ...layout.legend.map((entry) => entry.text),
        ]) {
          expect(x).toBeGreaterThanOrEqual(view.x + 24);
          expect(x + textWidth(text, size, weight)).toBeLessThanOrEqual(view.x + view.width - 23);
        }
        const drawn = [
          ...layout.nodes.map((node) => node.box),
          ...layout.edges.flatMap((edge) =>
            sample(edge.path, 4).map((point) => ({ ...point, width: 0, height: 0 })),
          ),
        ];
        const belowLegend = Math.max(view.y, ...layout.legend.map(({ text }) => text.y));
        for (const rect of drawn) {
          expect(rect.x).toBeGreaterThanOrEqual(view.x + 23);
          expect(rect.x + rect.width).toBeLessThanOrEqual(view.x + view.width - 23);
          expect(rect.y).toBeGreaterThan(belowLegend + 4);
          expect(rect.y + rect.height).toBeLessThanOrEqual(view.y + view.height - 23);
        }
      }),
    );
  });
});

describe('a network with skip connections', () => {
  test('is a straight column, with the flow running down its middle', () => {
    fc.assert(
      fc.property(columnGraphs, (graph) => {
        const layout = layoutNetwork(graph);
        for (const { box } of layout.nodes) expect(box.x + box.width / 2).toBe(0);
        const place = new Map(layout.nodes.map((node, index) => [node.id, index]));
        for (const { from, to, kind, path } of layout.edges) {
          if (kind === 'flow' && place.get(to) === place.get(from)! + 1) {
            expect(sample(path).every((point) => point.x === 0)).toBe(true);
          }
        }
      }),
    );
  });

  test('never draws edges from different nodes on top of each other', () => {
    fc.assert(
      fc.property(columnGraphs, (graph) => {
        const { edges } = layoutNetwork(graph);
        for (const [a, b] of pairs(edges))
          if (a.from !== b.from) expect(runOnTop(a.path, b.path)).toBe(false);
      }),
    );
  });

  test('draws every part of every edge exactly once through the own parts of the edges of one source and kind', () => {
    fc.assert(
      fc.property(columnGraphs, (graph) => {
        const { edges } = layoutNetwork(graph);
        for (const edge of edges) {
          const family = edges.filter((other) => other.from === edge.from && other.kind === edge.kind);
          for (const other of family)
            if (other !== edge) expect(runOnTop(edge.ownPath, other.ownPath)).toBe(false);
          const drawn = family.flatMap((other) => sample(other.ownPath, 800));
          for (const point of sample(edge.path, 8)) {
            const nearest = Math.min(
              ...drawn.map((other) => Math.hypot(point.x - other.x, point.y - other.y)),
            );
            expect(nearest).toBeLessThan(2);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  test('colours edges from different nodes into one node differently, up to five', () => {
    const sources = ['a', 'b', 'c', 'd', 'e'];
    const graph: NetworkGraph = {
      title: 'five sources',
      nodes: [...sources, 'f', 'sum'].map((id) => ({ id, label: id, details: [], kind: 'convolution' })),
      edges: sources.map((from) => ({ from, to: 'sum', kind: 'skip' })),
    };
    expect(new Set(layoutNetwork(graph).edges.map((edge) => edge.shade))).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test('places everything at the coordinates computed by hand', () => {
    const layout = layoutNetwork({
      title: 'three layers',
      nodes: ['one', 'two', 'three'].map((id) => ({
        id,
        label: id,
        details: ['3 x 3'],
        kind: 'convolution',
      })),
      edges: [
        { from: 'one', to: 'two', kind: 'flow' },
        { from: 'one', to: 'three', kind: 'skip' },
      ],
    });
    // 17 for the label, 15 for the line below it, 9 above and below: less than the ports need, 14 + 12 + 14.
    expect(layout.nodes.map((node) => node.box)).toEqual([
      { x: -75, y: 0, width: 150, height: 50 },
      { x: -75, y: 76, width: 150, height: 50 },
      { x: -75, y: 152, width: 150, height: 50 },
    ]);
    expect(layout.nodes[1]!.texts.map(({ text, x, y }) => [text, x, y])).toEqual([
      ['two', 0, 98],
      ['3 x 3', 0, 113.5],
    ]);
    const [flow, skip] = layout.edges;
    expect(flow!.path).toEqual({ start: { x: 0, y: 50 }, segments: [{ kind: 'line', to: { x: 0, y: 69 } }] });
    expect(flow!.arrow).toEqual({ tip: { x: 0, y: 76 }, direction: 'down' });
    // The edge leaves at 50 - 14, follows the lane at 75 + 28 and enters at 152 + 14; the corners have a radius of 10.
    const corner = 10 * (1 - 0.5523);
    expect(skip!.path.start).toEqual({ x: 75, y: 36 });
    const numbers = skip!.path.segments.flatMap((segment) =>
      (segment.kind === 'line' ? [segment.to] : [segment.control1, segment.control2, segment.to]).flatMap(
        (p) => [p.x, p.y],
      ),
    );
    const byHand = [
      ...[93, 36],
      ...[103 - corner, 36, 103, 36 + corner, 103, 46],
      ...[103, 156],
      ...[103, 166 - corner, 103 - corner, 166, 93, 166],
      ...[82, 166],
    ];
    expect(numbers).toHaveLength(byHand.length);
    for (const [index, number] of byHand.entries()) expect(numbers[index]).toBeCloseTo(number, 9);
    expect(skip!.arrow).toEqual({ tip: { x: 75, y: 166 }, direction: 'left' });
    // The picture is 400 wide with a margin of 24; the column, from -75 to the lane at 103, is centred in it.
    expect(layout.view.x).toBe(14 - 200 - 24);
    expect(layout.view.width).toBe(448);
  });

  /** The x coordinates of the lanes of skip connections between the layers a, b, c, ...; negative on the left. */
  function lanesOf(connections: readonly string[]): number[] {
    const layout = layoutNetwork({
      title: '',
      nodes: [...'abcdefg'].map((id) => ({ id, label: id, details: [], kind: 'convolution' })),
      edges: connections.map((ends) => ({ from: ends[0]!, to: ends[1]!, kind: 'skip' })),
    });
    return layout.edges.map(({ path }) => {
      const { at } = straightPieces(path).find((piece) => piece.vertical)!;
      return Math.round(at * 1e6) / 1e6;
    });
  }

  test('reuses a lane below its last arrow', () => {
    const lanes = lanesOf(['ac', 'ce', 'eg']);
    expect(lanes.map(Math.abs)).toEqual([103, 103, 103]);
    expect(new Set(lanes).size).toBe(1);
  });

  test('nests short connections inside long ones, on both sides', () => {
    const [long, middle, short] = lanesOf(['ag', 'bf', 'ce']) as [number, number, number];
    expect([long, middle, short].map(Math.abs).sort()).toEqual([103, 103, 115]);
    if (long * middle > 0) expect(Math.abs(long)).toBeGreaterThan(Math.abs(middle));
    if (long * short > 0) expect(Math.abs(long)).toBeGreaterThan(Math.abs(short));
    if (middle * short > 0) expect(Math.abs(middle)).toBeGreaterThan(Math.abs(short));
  });

  test('lets edges from inner lanes enter a box above those from outer lanes', () => {
    fc.assert(
      fc.property(columnGraphs, (graph) => {
        const entering = layoutNetwork(graph).edges.filter(({ arrow }) => arrow.direction !== 'down');
        const laneOf = (path: Path): number =>
          Math.abs(straightPieces(path).find((piece) => piece.vertical)!.at);
        for (const [a, b] of pairs(entering)) {
          if (a.to !== b.to || a.arrow.direction !== b.arrow.direction || a.from === b.from) continue;
          expect(Math.sign(a.arrow.tip.y - b.arrow.tip.y)).toBe(Math.sign(laneOf(a.path) - laneOf(b.path)));
        }
      }),
    );
  });

  test('branches the connections of one node off one lane', () => {
    expect(new Set(lanesOf(['ac', 'ae', 'ag'])).size).toBe(1);
  });

  test('draws 40 layers with 240 skip connections as a column with at most 16 lanes per side', () => {
    const ids = [...Array(40).keys()].map(String);
    const all = pairs(ids).filter(([from, to]) => Number(to) - Number(from) > 1);
    const edges = all.filter((_, index) => index % 3 === 0).slice(0, 240);
    expect(edges).toHaveLength(240);
    const layout = layoutNetwork({
      title: 'forty',
      nodes: ids.map((id) => ({ id, label: id, details: [], kind: 'convolution' })),
      edges: edges.map(([from, to]) => ({ from, to, kind: 'skip' })),
    });
    expect(layout.view.width).toBeLessThanOrEqual(150 + 2 * (28 + 15 * 12 + 24));
  });
});

describe('a network whose flow branches', () => {
  const graph: NetworkGraph = {
    title: 'branches',
    nodes: ['in', 'left', 'right', 'sum', 'out'].map((id) => ({
      id,
      label: id,
      details: [],
      kind: 'operation',
    })),
    edges: [
      { from: 'in', to: 'left', kind: 'flow', label: 'sep_conv_3x3' },
      { from: 'in', to: 'right', kind: 'flow' },
      { from: 'left', to: 'sum', kind: 'flow' },
      { from: 'right', to: 'sum', kind: 'flow' },
      { from: 'sum', to: 'out', kind: 'flow' },
    ],
  };

  test('draws its branches side by side and aligns the nodes before and after them', () => {
    const layout = layoutNetwork(graph);
    expect(boxOf(layout, 'left').y).toBe(boxOf(layout, 'right').y);
    expect(boxOf(layout, 'sum').x).toBe(boxOf(layout, 'in').x);
    expect(boxOf(layout, 'out').x).toBe(boxOf(layout, 'sum').x);
  });

  test('becomes a column once a connection skips a layer', () => {
    const layout = layoutNetwork({
      ...graph,
      edges: [...graph.edges, { from: 'in', to: 'out', kind: 'skip' }],
    });
    expect(new Set(layout.nodes.map((node) => node.box.x)).size).toBe(1);
    expect(new Set(layout.nodes.map((node) => node.box.y)).size).toBe(5);
  });

  test('gives each edge of a box its own port', () => {
    fc.assert(
      fc.property(flowGraphs, (flow) => {
        const { edges } = layoutNetwork(flow);
        for (const [a, b] of pairs(edges)) {
          if (a.from === b.from)
            expect(
              Math.hypot(a.path.start.x - b.path.start.x, a.path.start.y - b.path.start.y),
            ).toBeGreaterThan(5);
          if (a.to === b.to)
            expect(Math.hypot(a.arrow.tip.x - b.arrow.tip.x, a.arrow.tip.y - b.arrow.tip.y)).toBeGreaterThan(
              5,
            );
        }
      }),
    );
  });
});

describe('the order of a column', () => {
  const node = (id: string) => ({ id, label: id, details: [], kind: 'convolution' }) as const;

  test('follows the edges, and the list wherever the edges leave a choice', () => {
    const layout = layoutNetwork({
      title: '',
      nodes: ['c', 'a', 'd', 'b'].map(node),
      edges: [
        { from: 'a', to: 'b', kind: 'skip' },
        { from: 'b', to: 'c', kind: 'skip' },
      ],
    });
    expect(layout.nodes.map(({ id }) => id)).toEqual(['a', 'd', 'b', 'c']);
  });

  test.each<[string, Pick<NetworkGraph, 'nodes' | 'edges'>, string]>([
    ['a node twice', { nodes: [node('a'), node('a')], edges: [] }, 'node "a" is listed twice'],
    [
      'an edge to an unknown node',
      { nodes: [node('a')], edges: [{ from: 'a', to: 'z', kind: 'skip' }] },
      'skip edge "a" -> "z" refers to an unknown node',
    ],
    [
      'an edge twice',
      {
        nodes: [node('a'), node('b')],
        edges: [
          { from: 'a', to: 'b', kind: 'flow' },
          { from: 'a', to: 'b', kind: 'flow', label: 'again' },
        ],
      },
      'flow edge "a" -> "b" is listed twice',
    ],
    [
      'a cycle',
      {
        nodes: [node('a'), node('b'), node('c')],
        edges: [
          { from: 'a', to: 'b', kind: 'flow' },
          { from: 'b', to: 'c', kind: 'flow' },
          { from: 'c', to: 'b', kind: 'skip' },
        ],
      },
      'a cycle runs through or before "b", "c"',
    ],
    [
      'a loop',
      { nodes: [node('a')], edges: [{ from: 'a', to: 'a', kind: 'skip' }] },
      'a cycle runs through or before "a"',
    ],
  ])('rejects %s', (_, graph, message) => {
    expect(() => layoutNetwork({ title: 'wrong', ...graph })).toThrow(`network graph "wrong": ${message}`);
  });
});

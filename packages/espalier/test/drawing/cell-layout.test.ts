import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CellGraph } from '../../src/drawing/cell-graph.js';
import { layoutCell } from '../../src/drawing/cell-layout.js';
import type { Path, Point, Rect } from '../../src/drawing/path.js';
import { blockCell, cellGraphs, smallCell } from './cell-graphs.js';

const tolerance = 0.01;

function overlap(a: Rect, b: Rect): boolean {
  return (
    Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > tolerance &&
    Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > tolerance
  );
}

function isInside(outer: Rect, inner: Rect): boolean {
  return (
    inner.x >= outer.x - tolerance &&
    inner.y >= outer.y - tolerance &&
    inner.x + inner.width <= outer.x + outer.width + tolerance &&
    inner.y + inner.height <= outer.y + outer.height + tolerance
  );
}

function has({ x, y, width, height }: Rect, point: Point): boolean {
  return (
    point.x > x + tolerance &&
    point.x < x + width - tolerance &&
    point.y > y + tolerance &&
    point.y < y + height - tolerance
  );
}

/** Points along a path, about one per px on curves. */
function pointsOf({ start, segments }: Path): Point[] {
  const points = [start];
  for (const segment of segments) {
    const from = points.at(-1)!;
    const [control1, control2] =
      segment.kind === 'curve' ? [segment.control1, segment.control2] : [from, segment.to];
    for (let step = 1; step <= 60; step++) {
      const t = step / 60;
      const mix = (a: number, b: number, c: number, d: number): number =>
        (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t ** 2 * c + t ** 3 * d;
      points.push({
        x: mix(from.x, control1.x, control2.x, segment.to.x),
        y: mix(from.y, control1.y, control2.y, segment.to.y),
      });
    }
  }
  return points;
}

describe('the layout of any cell', () => {
  test('has no overlapping nodes or labels', () => {
    fc.assert(
      fc.property(cellGraphs, (graph) => {
        const { nodes, edges } = layoutCell(graph);
        const boxes = [...nodes.map(({ box }) => box), ...edges.flatMap(({ label }) => label ?? [])];
        const overlapping = boxes.flatMap((box, index) =>
          boxes
            .slice(index + 1)
            .filter((other) => overlap(box, other))
            .map((other) => [box, other]),
        );
        expect(overlapping).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('routes no edge through a node or through the label of another edge', () => {
    fc.assert(
      fc.property(cellGraphs, (graph) => {
        const { nodes, edges } = layoutCell(graph);
        for (const { edge, path } of edges) {
          const others = [
            ...nodes.filter(({ node }) => node.id !== edge.from && node.id !== edge.to).map(({ box }) => box),
            ...edges.flatMap((other) => (other.edge === edge ? [] : (other.label ?? []))),
          ];
          const points = pointsOf(path);
          expect(others.filter((box) => points.some((point) => has(box, point)))).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('routes every edge along the direction of the cell, from its source to its target, through its own label', () => {
    fc.assert(
      fc.property(cellGraphs, (graph) => {
        const { nodes, edges } = layoutCell(graph);
        const boxOf = new Map(nodes.map(({ node, box }) => [node.id, box]));
        const along = ({ x, y }: Point): number => (graph.direction === 'right' ? x : -y);
        for (const { edge, path, tip, label } of edges) {
          const touches = (box: Rect, point: Point): boolean =>
            isInside(box, { ...point, width: 0, height: 0 });
          expect(touches(boxOf.get(edge.from)!, path.start)).toBe(true);
          expect(touches(boxOf.get(edge.to)!, tip)).toBe(true);
          const points = [...pointsOf(path), tip];
          const steps = points.slice(1).map((point, index) => along(point) - along(points[index]!));
          expect(Math.min(...steps)).toBeGreaterThanOrEqual(-tolerance);
          expect(label === undefined).toBe(edge.label === undefined);
          if (label !== undefined) expect(points.some((point) => has(label, point))).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('fits into its stated size, and keeps the parts of a block inside the block', () => {
    fc.assert(
      fc.property(cellGraphs, (graph) => {
        const { width, height, nodes, edges } = layoutCell(graph);
        const view = { x: 0, y: 0, width, height };
        for (const { node, box, block } of nodes) {
          expect(isInside(view, box)).toBe(true);
          if (block === undefined) continue;
          expect(block.operations.map(({ operation }) => operation).sort()).toEqual([
            ...node.operations!.keys(),
          ]);
          const parts = [block.combine, ...block.operations.map(({ box }) => box)];
          for (const [index, part] of parts.entries()) {
            expect(isInside(box, part)).toBe(true);
            for (const other of parts.slice(index + 1)) expect(overlap(part, other)).toBe(false);
          }
        }
        for (const { path, label } of edges) {
          if (label !== undefined) expect(isInside(view, label)).toBe(true);
          const outside = pointsOf(path).filter(
            (point) => !isInside(view, { ...point, width: 0, height: 0 }),
          );
          expect(outside).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('the layout of a cell', () => {
  test('runs to the right or upwards', () => {
    const middles = (graph: CellGraph) =>
      layoutCell(graph).nodes.map(({ box }) => [box.x + box.width / 2, box.y + box.height / 2] as const);
    const [input, node, output] = middles(smallCell);
    expect(input![0]).toBeLessThan(node![0]);
    expect(node![0]).toBeLessThan(output![0]);
    const [before, last, block] = middles(blockCell);
    expect(before![1]).toBe(last![1]);
    expect(block![1]).toBeLessThan(before![1]);
  });

  test('starts with the nodes that have no incoming edges, in their given order', () => {
    const graph: CellGraph = {
      title: 'Late',
      direction: 'right',
      nodes: ['a', 'b', 'c', 'd'].map((id) => ({ id, label: id, role: 'node' })),
      edges: [
        { from: 'b', to: 'c' },
        { from: 'c', to: 'd' },
        { from: 'a', to: 'd' },
      ],
    };
    const [a, b] = layoutCell(graph).nodes.map(({ box }) => box);
    expect(a!.x + a!.width / 2).toBe(b!.x + b!.width / 2);
    expect(a!.y).toBeLessThan(b!.y);
  });

  test('orders the operations of a block as their edges arrive', () => {
    const { block } = layoutCell(blockCell).nodes[2]!;
    expect(block!.operations.map(({ operation }) => operation)).toEqual([1, 0]);
    expect(block!.operations[0]!.box.x).toBeLessThan(block!.operations[1]!.box.x);
  });

  test.each([
    ['a graph without nodes', { nodes: [], edges: [] }, 'the graph has no nodes'],
    [
      'an edge from an unknown node',
      { edges: [{ from: 'x', to: '0' }] },
      'the edge from x to 0 refers to an unknown node x',
    ],
    [
      'a cycle',
      { edges: [...smallCell.edges, { from: 'c_{k}', to: '0' }] },
      'the graph has a cycle through 0, c_{k}',
    ],
    [
      'two nodes with the same id',
      { nodes: [...smallCell.nodes, smallCell.nodes[0]!] },
      'two nodes have the same id',
    ],
    [
      'an edge into an operation of a node that has none',
      { edges: [{ from: 'c_{k-1}', to: '0', operation: 0 }] },
      '0 needs exactly one incoming edge for each of its operations',
    ],
  ])('rejects %s', (_, change, message) => {
    expect(() => layoutCell({ ...smallCell, title: 'T', ...change })).toThrow(`T: ${message}`);
  });

  test.each([
    ['no edge', [blockCell.edges[0]!]],
    ['two edges', [blockCell.edges[0]!, { ...blockCell.edges[1]!, operation: 0 }]],
  ])('rejects a block with %s into an operation', (_, edges) => {
    const into2 = blockCell.edges.slice(2);
    expect(() => layoutCell({ ...blockCell, edges: [...edges, ...into2] })).toThrow(
      'Blocks: 1 needs exactly one incoming edge for each of its operations',
    );
  });
});

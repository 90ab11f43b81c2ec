import { Graph, layout as runDagre } from '@dagrejs/dagre';
import { type CellEdge, type CellGraph, type CellNode, checkCellGraph } from './cell-graph.js';
import { descent, type Path, type Point, type Rect } from './path.js';
import { symbolWidth } from './symbol.js';
import { textWidth } from './text-width.js';

export const nodeTextSize = 15;
export const operationTextSize = 12.5;
export const edgeTextSize = 12.5;

const arrowLength = 8;
const portSpacing = 9;
const portInset = 9;
const framePadding = 7;
const operationGap = 8;
const linkLength = 18;

export interface PlacedCellNode {
  readonly node: CellNode;
  readonly box: Rect;
  /** For a block: the boxes of its operations (with their index in the node), the box of its label, and the lines between them. */
  readonly block?: {
    readonly operations: readonly { readonly operation: number; readonly box: Rect }[];
    readonly combine: Rect;
    readonly links: readonly Path[];
  };
}

export interface PlacedCellEdge {
  readonly edge: CellEdge;
  /** From the source node to the base of the arrow head. */
  readonly path: Path;
  readonly tip: Point;
  /** The space reserved for the label. */
  readonly label?: Rect;
}

/** The position of everything in a cell, in px, from (0, 0) to (`width`, `height`). */
interface CellLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedCellNode[];
  readonly edges: readonly PlacedCellEdge[];
}

/**
 * The layout is computed as if every cell ran downwards and is turned at the end: `x` runs across the direction of the
 * cell, `y` along it.
 */
interface Size {
  readonly width: number;
  readonly height: number;
}

interface Measured extends Size {
  readonly operation: Size;
  readonly combine: Size;
}

const nothing: Size = { width: 0, height: 0 };

function measure(node: CellNode, graph: CellGraph): Measured {
  const turn = (width: number, height: number): Size =>
    graph.direction === 'right' ? { width: height, height: width } : { width, height };
  const { operations } = node;
  const text = Math.ceil(
    symbolWidth(node.label, operations === undefined ? nodeTextSize : operationTextSize),
  );
  const leaving = graph.edges.filter(({ from }) => from === node.id).length;
  const arriving = graph.edges.filter(({ to }) => to === node.id).length;
  const widthFor = (ports: number): number => (ports - 1) * portSpacing + 2 * portInset;
  if (operations === undefined) {
    const box = turn(Math.max(34, text + 22), 32);
    const width = Math.max(box.width, widthFor(Math.max(leaving, arriving)));
    return { width, height: box.height, operation: nothing, combine: nothing };
  }
  const widest = Math.max(
    0,
    ...operations.map((operation) => Math.ceil(textWidth(operation, operationTextSize))),
  );
  const operation = turn(widest + 12, 25);
  const label = turn(text + 20, 23);
  const combine = { width: Math.max(label.width, widthFor(leaving)), height: label.height };
  const row = operations.length * (operation.width + operationGap) - operationGap;
  return {
    width: Math.max(row, combine.width) + 2 * framePadding,
    height: operation.height + linkLength + combine.height + 2 * framePadding,
    operation,
    combine,
  };
}

/** dagre positions a box by its centre. */
function fromMiddle({ x, y, width, height }: Rect): Rect {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

/** The positions of `count` ports, centred on a side of the box. */
function portsOf(box: Rect, count: number): number[] {
  const middle = box.x + box.width / 2;
  return Array.from({ length: count }, (_, port) => middle + (port - (count - 1) / 2) * portSpacing);
}

/** Places the operations of a block in a row, in the order in which their edges arrive, so that no two edges cross. */
function placeBlock(box: Rect, sizes: Measured, order: readonly number[]): PlacedCellNode['block'] {
  const { operation, combine } = sizes;
  const step = operation.width + operationGap;
  const middle = box.x + box.width / 2;
  const first = middle - ((order.length - 1) * step) / 2;
  const top = box.y + framePadding;
  const bottom = top + operation.height;
  const combineBox = { x: middle - combine.width / 2, y: bottom + linkLength, ...combine };
  const operations = order.map((index, place) => ({
    operation: index,
    box: { x: first + place * step - operation.width / 2, y: top, ...operation },
  }));
  const links = operations.map((_, place): Path => {
    const share = (place + 1) / (operations.length + 1);
    const start = { x: first + place * step, y: bottom };
    return {
      start,
      segments: [descent(start, { x: combineBox.x + share * combine.width, y: combineBox.y })],
    };
  });
  return { operations, combine: combineBox, links };
}

/**
 * Lays the nodes out in layers along the cell's direction, using dagre. An edge runs straight past the nodes and labels
 * of a layer. It bends only in the free space between two layers, so it never crosses a node or a label.
 * @throws Error if the graph is invalid (see `checkCellGraph`)
 */
export function layoutCell(graph: CellGraph): CellLayout {
  checkCellGraph(graph);
  const { nodes, edges } = graph;
  const isRight = graph.direction === 'right';
  const dagre = new Graph({ multigraph: true });
  dagre.setGraph({ rankdir: 'TB', nodesep: 22, edgesep: 14, ranksep: isRight ? 80 : 64 });
  // dagre stores nodes as properties of plain objects, where some names (such as `__proto__`) are unsafe.
  const nameOf = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const sizes = nodes.map((node) => measure(node, graph));
  // An extra node before all others, which is not drawn, keeps the nodes without incoming edges in one layer.
  dagre.setNode('start', { ...nothing });
  for (const [index, { id }] of nodes.entries()) {
    dagre.setNode(`n${index}`, { width: sizes[index]!.width, height: sizes[index]!.height });
    if (!edges.some(({ to }) => to === id))
      dagre.setEdge('start', `n${index}`, { width: 0, height: 0, weight: 1000 });
  }
  for (const [index, { from, to, label }] of edges.entries()) {
    const width = label === undefined ? 0 : Math.ceil(textWidth(label, edgeTextSize)) + 10;
    const height = label === undefined ? 0 : 19;
    const size = isRight ? { width: height, height: width } : { width, height };
    dagre.setEdge(nameOf.get(from)!, nameOf.get(to)!, { ...size, labelpos: 'c' }, `e${index}`);
  }
  runDagre(dagre);

  const middles = nodes.map((_, index) => dagre.node(`n${index}`) as Rect);
  const entered = new Set(edges.map(({ to }) => to));
  const inputs = middles.filter((_, index) => !entered.has(nodes[index]!.id));
  const isMirrored = inputs.length > 1 && inputs[0]!.x > inputs[1]!.x;
  const mirror = <T extends Point>(place: T): T => (isMirrored ? { ...place, x: -place.x } : place);
  const boxes = new Map(middles.map((middle, index) => [nodes[index]!.id, fromMiddle(mirror(middle))]));
  const routes = edges.map(({ from, to, label }, index) => {
    const routed = dagre.edge(nameOf.get(from)!, nameOf.get(to)!, `e${index}`) as Rect & { points: Point[] };
    const points = routed.points.slice(1, -1).map(mirror);
    return { points, label: label === undefined ? undefined : fromMiddle(mirror(routed)) };
  });

  /** The vertical extent in px of each row of nodes or labels, by the height of its centre. */
  const bands = new Map<number, { readonly top: number; readonly bottom: number }>();
  const heightOf = ({ y, height }: Rect): number => Math.round((y + height / 2) * 100);
  for (const box of [...boxes.values(), ...routes.flatMap(({ label }) => label ?? [])]) {
    const band = bands.get(heightOf(box)) ?? { top: Infinity, bottom: -Infinity };
    bands.set(heightOf(box), {
      top: Math.min(band.top, box.y),
      bottom: Math.max(band.bottom, box.y + box.height),
    });
  }

  const leaves = new Map<CellEdge, Point>();
  const arrives = new Map<CellEdge, Point>();
  const placed = nodes.map((node, index): PlacedCellNode => {
    const box = boxes.get(node.id)!;
    const byPlace = (isHere: (edge: CellEdge) => boolean, pointAt: number): CellEdge[] => {
      const here = [...edges.keys()].filter((edge) => isHere(edges[edge]!));
      const wish = (edge: number): number => routes[edge]!.points.at(pointAt)!.x;
      return here.sort((a, b) => wish(a) - wish(b)).map((edge) => edges[edge]!);
    };
    const leaving = byPlace(({ from }) => from === node.id, 0);
    const arriving = byPlace(({ to }) => to === node.id, -1);
    const block =
      node.operations === undefined
        ? undefined
        : placeBlock(
            box,
            sizes[index]!,
            arriving.map(({ operation }) => operation!),
          );
    const exit = block?.combine ?? box;
    for (const [port, x] of portsOf(exit, leaving.length).entries())
      leaves.set(leaving[port]!, { x, y: exit.y + exit.height });
    for (const [port, x] of portsOf(box, arriving.length).entries()) {
      const door = block?.operations[port]?.box;
      const place = door === undefined ? { x, y: box.y } : { x: door.x + door.width / 2, y: door.y };
      arrives.set(arriving[port]!, place);
    }
    return block === undefined ? { node, box } : { node, box, block };
  });

  const drawn = edges.map((edge, index): PlacedCellEdge => {
    const { points, label } = routes[index]!;
    const start = leaves.get(edge)!;
    const tip = arrives.get(edge)!;
    const passes = points.flatMap(({ x, y }) => {
      const band = bands.get(Math.round(y * 100));
      return band === undefined ? [] : [{ x, ...band }];
    });
    let at = { x: start.x, y: bands.get(heightOf(boxes.get(edge.from)!))!.bottom };
    const segments: Path['segments'][number][] = [{ kind: 'line', to: at }];
    for (const pass of passes) {
      segments.push(descent(at, { x: pass.x, y: pass.top }));
      at = { x: pass.x, y: pass.bottom };
      segments.push({ kind: 'line', to: at });
    }
    const bandTop = bands.get(heightOf(boxes.get(edge.to)!))!.top;
    segments.push(descent(at, { x: tip.x, y: bandTop - arrowLength }));
    segments.push({ kind: 'line', to: { x: tip.x, y: tip.y - arrowLength } });
    const path = { start, segments };
    return label === undefined ? { edge, path, tip } : { edge, path, tip, label };
  });
  return turned(placed, drawn, graph.direction);
}

/** Turns the layout into its direction on the page and moves its corner to (0, 0). */
function turned(
  nodes: readonly PlacedCellNode[],
  edges: readonly PlacedCellEdge[],
  direction: CellGraph['direction'],
): CellLayout {
  const turn = ({ x, y }: Point): Point => (direction === 'right' ? { x: y, y: x } : { x, y: -y });
  const turnBox = ({ x, y, width, height }: Rect): Rect => {
    const [from, to] = [turn({ x, y }), turn({ x: x + width, y: y + height })];
    return {
      x: Math.min(from.x, to.x),
      y: Math.min(from.y, to.y),
      width: Math.abs(to.x - from.x),
      height: Math.abs(to.y - from.y),
    };
  };
  const ends = [
    ...nodes.map(({ box }) => turnBox(box)),
    ...edges.flatMap(({ label, path }) => [
      ...(label === undefined ? [] : [turnBox(label)]),
      ...path.segments.map(({ to }) => ({ ...turn(to), ...nothing })),
    ]),
  ];
  const left = Math.min(...ends.map(({ x }) => x));
  const top = Math.min(...ends.map(({ y }) => y));
  const place = (point: Point): Point => {
    const { x, y } = turn(point);
    return { x: x - left, y: y - top };
  };
  const placeBox = (box: Rect): Rect => {
    const { x, y, ...size } = turnBox(box);
    return { x: x - left, y: y - top, ...size };
  };
  const placePath = ({ start, segments }: Path): Path => ({
    start: place(start),
    segments: segments.map((segment) =>
      segment.kind === 'line'
        ? { kind: 'line', to: place(segment.to) }
        : {
            kind: 'curve',
            control1: place(segment.control1),
            control2: place(segment.control2),
            to: place(segment.to),
          },
    ),
  });
  return {
    width: Math.max(...ends.map(({ x, width }) => x + width)) - left,
    height: Math.max(...ends.map(({ y, height }) => y + height)) - top,
    nodes: nodes.map(({ node, box, block }) =>
      block === undefined
        ? { node, box: placeBox(box) }
        : {
            node,
            box: placeBox(box),
            block: {
              operations: block.operations.map((operation) => ({
                ...operation,
                box: placeBox(operation.box),
              })),
              combine: placeBox(block.combine),
              links: block.links.map(placePath),
            },
          },
    ),
    edges: edges.map(({ edge, path, tip, label }) => ({
      edge,
      path: placePath(path),
      tip: place(tip),
      ...(label === undefined ? {} : { label: placeBox(label) }),
    })),
  };
}

import { layoutColumn } from './column-layout.js';
import type { Diagram, PlacedText } from './diagram.js';
import { drawingOrder, type GraphEdge, type NetworkGraph, type NodeKind } from './graph.js';
import { layoutLayered } from './layered-layout.js';
import { legendRows } from './legend-rows.js';
import type { Point, Rect } from './path.js';
import { textWidth, wrapText } from './text-width.js';

type LegendSign = { readonly node: NodeKind } | { readonly edge: GraphEdge['kind'] };

interface LegendEntry {
  readonly sign: LegendSign;
  /** The space of the sign: a small box, or an edge drawn through its middle. */
  readonly space: Rect;
  readonly text: PlacedText;
}

/** Everything that a drawing of a network shows, in px. `view` is the rectangle of the whole picture. */
export interface NetworkLayout extends Diagram {
  readonly view: Rect;
  readonly title: readonly PlacedText[];
  readonly legend: readonly LegendEntry[];
}

const margin = 24;
const narrowestPicture = 400;
const titleSize = 17;
const titleHeight = 23;
const legendSize = 11.5;
const legendHeight = 20;
const signGap = 6;

const kindNames: Readonly<Record<NodeKind, string>> = {
  input: 'input',
  convolution: 'convolution',
  pool: 'pooling',
  linear: 'fully connected',
  operation: 'operation',
  merge: 'merge',
  output: 'output',
};
const edgeNames: Readonly<Record<GraphEdge['kind'], string>> = {
  flow: 'data flow',
  skip: 'skip connections, coloured by source',
};

function pathPoints(diagram: Diagram): Point[] {
  return diagram.edges.flatMap(({ path }) => [
    path.start,
    ...path.segments.flatMap((segment) =>
      segment.kind === 'line' ? [segment.to] : [segment.control1, segment.control2, segment.to],
    ),
  ]);
}

/** The bounding box of the diagram, including the origin. */
function boundsOf(diagram: Diagram): Rect {
  const rects = [
    ...diagram.nodes.map((node) => node.box),
    ...diagram.edges.flatMap((edge) => (edge.label === undefined ? [] : [edge.label.box])),
    ...pathPoints(diagram).map((point) => ({ ...point, width: 0, height: 0 })),
  ];
  const x = Math.min(0, ...rects.map((rect) => rect.x));
  const y = Math.min(0, ...rects.map((rect) => rect.y));
  return {
    x,
    y,
    width: Math.max(0, ...rects.map((rect) => rect.x + rect.width)) - x,
    height: Math.max(0, ...rects.map((rect) => rect.y + rect.height)) - y,
  };
}

/** Lists the kinds of nodes and edges in the graph: in one row if they fit, otherwise with the edges below the nodes. */
function arrangeLegend(graph: NetworkGraph, width: number) {
  const kinds = (Object.keys(kindNames) as NodeKind[])
    .filter((kind) => graph.nodes.some((node) => node.kind === kind))
    .map((kind) => ({ sign: { node: kind }, name: kindNames[kind], signWidth: 16 }));
  const edges = (['flow', 'skip'] as const)
    .filter((kind) => graph.edges.some((edge) => edge.kind === kind))
    .map((kind) => ({ sign: { edge: kind }, name: edgeNames[kind], signWidth: 26 }));
  const entries = [...kinds, ...edges];
  const taken = (entry: (typeof entries)[number]): number =>
    entry.signWidth + signGap + Math.ceil(textWidth(entry.name, legendSize));
  let slots = legendRows(entries.map(taken), width);
  if (slots.some((slot) => slot.row > 0)) {
    const upper = legendRows(kinds.map(taken), width);
    const firstEdgeRow = upper.length === 0 ? 0 : upper.at(-1)!.row + 1;
    const lower = legendRows(edges.map(taken), width);
    slots = [...upper, ...lower.map((slot) => ({ ...slot, row: slot.row + firstEdgeRow }))];
  }
  return entries.map((entry, index) => ({ ...entry, ...slots[index]! }));
}

/**
 * Lays a network out from top to bottom. If its flow is a chain or it has skip connections, the nodes form one column,
 * with the remaining edges in lanes beside it. A branching flow without skip connections is drawn in layers, with the
 * nodes of a layer side by side.
 * @throws Error if the graph is invalid (see `drawingOrder`)
 */
export function layoutNetwork(graph: NetworkGraph): NetworkLayout {
  const order = drawingOrder(graph);
  const branches = (['from', 'to'] as const).some(
    (end) => new Set(graph.edges.map((edge) => edge[end])).size < graph.edges.length,
  );
  const isColumn = !branches || graph.edges.some((edge) => edge.kind === 'skip');
  const diagram = isColumn ? layoutColumn(graph, order) : layoutLayered(graph, order);

  const bounds = boundsOf(diagram);
  const width = Math.max(narrowestPicture, bounds.width);
  const left = bounds.x - (width - bounds.width) / 2;
  const titleLines = wrapText(graph.title, width, titleSize, 'bold');
  const arranged = arrangeLegend(graph, width);
  const aboveLegend = titleLines.length * titleHeight + 8;
  const rowCount = 1 + (arranged.at(-1)?.row ?? -1);
  const header = aboveLegend + rowCount * legendHeight + 20;
  const top = bounds.y - header;
  const title = titleLines.map((text, line): PlacedText => {
    return {
      text,
      x: left,
      y: top + line * titleHeight + titleSize,
      size: titleSize,
      weight: 'bold',
      anchor: 'start',
    };
  });
  const legend = arranged.map(({ sign, name, signWidth, row, offset }): LegendEntry => {
    const y = top + aboveLegend + row * legendHeight;
    const space = { x: left + offset, y: y + 3, width: signWidth, height: 12 };
    const x = space.x + signWidth + signGap;
    return {
      sign,
      space,
      text: { text: name, x, y: y + 13, size: legendSize, weight: 'regular', anchor: 'start' },
    };
  });
  const view = {
    x: left - margin,
    y: top - margin,
    width: width + 2 * margin,
    height: header + bounds.height + 2 * margin,
  };
  return { ...diagram, view, title, legend };
}

import { Graph, layout as runDagre } from '@dagrejs/dagre';
import {
  arrowLength,
  type Diagram,
  edgeLabelHeight,
  edgeLabelSize,
  measureNode,
  type PlacedEdge,
  placeEdge,
  placeNode,
} from './diagram.js';
import type { GraphEdge, NetworkGraph } from './graph.js';
import { descent, type Path, type Point, type Rect } from './path.js';
import { textWidth } from './text-width.js';

const narrowestBox = 110;
const portInset = 14;
const portSpacing = 12;

/** The vertical extent of a row of boxes or a row of edge labels. */
interface Band {
  readonly top: number;
  readonly bottom: number;
}

/**
 * Spreads ports along a side of a box: as near as possible to the positions that their edges prefer (`wishes`,
 * ascending), but never too close to each other.
 */
function spreadPorts(box: Rect, wishes: readonly number[]): number[] {
  const low = box.x + portInset;
  const high = box.x + box.width - portInset;
  const spacing = Math.min(portSpacing, (high - low) / Math.max(1, wishes.length - 1));
  const ports: number[] = [];
  for (const wish of wishes) {
    const wished = Math.min(high, Math.max(low, wish));
    ports.push(Math.max(wished, (ports.at(-1) ?? -Infinity) + spacing));
  }
  let limit = high;
  for (let i = ports.length - 1; i >= 0; i--, limit -= spacing) ports[i] = Math.min(ports[i]!, limit);
  return ports;
}

/**
 * Lays out a network with a branching flow in layers, with the nodes of a layer side by side. dagre places the boxes,
 * and for every edge a point in each layer that the edge passes. An edge runs straight down between the boxes of a
 * layer and bends only in the free space between two layers, so it cannot cross a box.
 */
export function layoutLayered(graph: NetworkGraph, order: readonly number[]): Diagram {
  const dagre = new Graph();
  const isLabelled = graph.edges.some((edge) => edge.label !== undefined);
  dagre.setGraph({ rankdir: 'TB', nodesep: 32, edgesep: 18, ranksep: isLabelled ? 96 : 60 });
  // dagre stores nodes as properties of plain objects, where some names (such as `__proto__`) are unsafe.
  const names = new Map(graph.nodes.map((node, index) => [node.id, `n${index}`]));
  const nameOf = (id: string): string => names.get(id)!;
  const texts = graph.nodes.map(measureNode);
  for (const index of order) {
    const text = texts[index]!;
    dagre.setNode(`n${index}`, { width: Math.max(narrowestBox, text.width), height: text.height });
  }
  for (const edge of graph.edges) {
    const label =
      edge.label === undefined
        ? { width: 0, height: 0 }
        : { width: Math.ceil(textWidth(edge.label, edgeLabelSize)) + 8, height: edgeLabelHeight };
    dagre.setEdge(nameOf(edge.from), nameOf(edge.to), { ...label, labelpos: 'c' });
  }
  runDagre(dagre);

  const boxes = new Map<string, Rect>();
  const bands = new Map<number, Band>();
  const atHeight = (y: number): number => Math.round(y * 100);
  const widen = (center: number, height: number): void => {
    const band = bands.get(atHeight(center)) ?? { top: Infinity, bottom: -Infinity };
    bands.set(atHeight(center), {
      top: Math.min(band.top, center - height / 2),
      bottom: Math.max(band.bottom, center + height / 2),
    });
  };
  for (const node of graph.nodes) {
    const { x, y, width, height } = dagre.node(nameOf(node.id)) as {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    boxes.set(node.id, { x: x - width / 2, y: y - height / 2, width, height });
    widen(y, height);
  }
  const routes = graph.edges.map((edge) => {
    const { points, x, y, width, height } = dagre.edge(nameOf(edge.from), nameOf(edge.to)) as unknown as {
      points: Point[];
      x: number;
      y: number;
      width: number;
      height: number;
    };
    if (edge.label !== undefined) widen(y, height);
    return { points: points.slice(1, -1), label: { x: x - width / 2, y: y - height / 2, width, height } };
  });

  const leaves = new Array<number>(graph.edges.length).fill(0);
  const arrives = new Array<number>(graph.edges.length).fill(0);
  for (const node of graph.nodes) {
    const box = boxes.get(node.id)!;
    for (const [ports, isHere, pointAt] of [
      [leaves, (edge: GraphEdge) => edge.from === node.id, 0],
      [arrives, (edge: GraphEdge) => edge.to === node.id, -1],
    ] as const) {
      const here = [...graph.edges.keys()].filter((index) => isHere(graph.edges[index]!));
      const wish = (index: number): number => routes[index]!.points.at(pointAt)!.x;
      here.sort((a, b) => wish(a) - wish(b));
      for (const [i, x] of spreadPorts(box, here.map(wish)).entries()) ports[here[i]!] = x;
    }
  }

  const edges = graph.edges.map((edge, index): PlacedEdge => {
    const source = boxes.get(edge.from)!;
    const target = boxes.get(edge.to)!;
    const { points, label } = routes[index]!;
    const bandOf = (box: Rect): Band => bands.get(atHeight(box.y + box.height / 2))!;
    const start = { x: leaves[index]!, y: source.y + source.height };
    const tip = { x: arrives[index]!, y: target.y };
    const passes = points.flatMap((point) => {
      const band = bands.get(atHeight(point.y));
      return band === undefined ? [] : [{ x: point.x, ...band }];
    });
    const segments: Path['segments'][number][] = [
      { kind: 'line', to: { x: start.x, y: bandOf(source).bottom } },
    ];
    let at = { x: start.x, y: bandOf(source).bottom };
    for (const pass of passes) {
      segments.push(descent(at, { x: pass.x, y: pass.top }));
      at = { x: pass.x, y: pass.bottom };
      segments.push({ kind: 'line', to: at });
    }
    segments.push(descent(at, { x: tip.x, y: bandOf(target).top - arrowLength }));
    segments.push({ kind: 'line', to: { x: tip.x, y: tip.y - arrowLength } });
    const path = { start, segments };
    return placeEdge(edge, { path, ownPath: path, shade: 0, arrow: { tip, direction: 'down' } }, label);
  });
  return {
    nodes: graph.nodes.map((node, index) => placeNode(node, texts[index]!, boxes.get(node.id)!)),
    edges,
  };
}

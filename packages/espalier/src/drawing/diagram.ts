import type { GraphEdge, GraphNode, NodeKind } from './graph.js';
import type { Path, Point, Rect } from './path.js';
import { textWidth, type Weight, wrapText } from './text-width.js';

/** One line of text. (`x`, `y`) is the start of its baseline, or its middle if the anchor is 'middle'. */
export interface PlacedText {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly weight: Weight;
  readonly anchor: 'start' | 'middle';
}

export interface PlacedNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly box: Rect;
  readonly texts: readonly PlacedText[];
}

export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: GraphEdge['kind'];
  /** From the source box to the base of the arrow head. */
  readonly path: Path;
  /**
   * The final part of `path`, which the edge shares with no other edge of the same source and kind. Drawing the own part
   * of every edge draws all edges completely.
   */
  readonly ownPath: Path;
  /** Index of the colour within the edge's kind. Neighbouring edges from different nodes differ where possible. */
  readonly shade: number;
  readonly arrow: { readonly tip: Point; readonly direction: 'down' | 'left' | 'right' };
  /** The label and the space reserved for it. */
  readonly label?: { readonly text: PlacedText; readonly box: Rect };
}

/** The position of everything in a network, in px. The origin is arbitrary. */
export interface Diagram {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export const arrowLength = 7;
export const edgeLabelSize = 11;
export const edgeLabelHeight = 15;

const labelSize = 13;
const detailSize = 11.5;
const labelHeight = 17;
const detailHeight = 15;
const padding = { x: 16, y: 9 };
const widestText = 260;

/** The text of a node, broken into lines, and the size of the smallest box that holds it. */
export interface NodeText {
  readonly labels: readonly string[];
  readonly details: readonly string[];
  readonly width: number;
  readonly height: number;
}

export function measureNode(node: GraphNode): NodeText {
  const labels = wrapText(node.label, widestText, labelSize, 'bold');
  const details = node.details.flatMap((detail) => wrapText(detail, widestText, detailSize));
  const widths = [
    ...labels.map((line) => textWidth(line, labelSize, 'bold')),
    ...details.map((line) => textWidth(line, detailSize)),
  ];
  return {
    labels,
    details,
    width: Math.ceil(Math.max(0, ...widths)) + 2 * padding.x,
    height: labels.length * labelHeight + details.length * detailHeight + 2 * padding.y,
  };
}

/** Centres the text of a node in its box. */
export function placeNode(node: GraphNode, text: NodeText, box: Rect): PlacedNode {
  const texts: PlacedText[] = [];
  const x = box.x + box.width / 2;
  let y = box.y + (box.height - text.height) / 2 + padding.y;
  for (const line of text.labels) {
    texts.push({ text: line, x, y: y + 13, size: labelSize, weight: 'bold', anchor: 'middle' });
    y += labelHeight;
  }
  for (const line of text.details) {
    texts.push({ text: line, x, y: y + 11.5, size: detailSize, weight: 'regular', anchor: 'middle' });
    y += detailHeight;
  }
  return { id: node.id, kind: node.kind, box, texts };
}

/** Adds the endpoints, the kind and the label of `edge` to its path. The label is centred in `box`. */
export function placeEdge(
  edge: GraphEdge,
  place: Pick<PlacedEdge, 'path' | 'ownPath' | 'shade' | 'arrow'>,
  box: Rect,
): PlacedEdge {
  const { from, to, kind } = edge;
  if (edge.label === undefined) return { from, to, kind, ...place };
  const text = {
    text: edge.label,
    x: box.x + box.width / 2,
    y: box.y + box.height / 2 + 3.5,
    size: edgeLabelSize,
    weight: 'regular',
    anchor: 'middle',
  } as const;
  return { from, to, kind, ...place, label: { text, box } };
}

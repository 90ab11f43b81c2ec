import type { PlacedEdge, PlacedText } from './diagram.js';
import type { NetworkGraph } from './graph.js';
import { layoutNetwork, type NetworkLayout } from './network-layout.js';
import { edgePaint, kindPaint, type Paint, paint } from './palette.js';
import { arrowHeadData, pathData } from './path-data.js';
import { escapeMarkup, px, type Svg, svgElement } from './svg.js';

const arrowHalfWidth = 3.5;

function writeText(text: PlacedText, colour: Paint): string {
  const weight = text.weight === 'bold' ? ' font-weight="600"' : '';
  const anchor = text.anchor === 'middle' ? ' text-anchor="middle"' : '';
  return `<text x="${px(text.x)}" y="${px(text.y)}" font-size="${text.size}"${weight}${anchor} ${paint({ fill: colour })}>${escapeMarkup(text.text)}</text>`;
}

function writeEdge(edge: PlacedEdge, labelOf: (id: string) => string): string {
  const colour = edgePaint(edge.kind, edge.shade);
  const label =
    edge.label === undefined
      ? []
      : [
          `<rect x="${px(edge.label.box.x)}" y="${px(edge.label.box.y)}" width="${px(edge.label.box.width)}" height="${px(edge.label.box.height)}" ${paint({ fill: 'paper' })}/>`,
          writeText(edge.label.text, 'muted'),
        ];
  const base = edge.path.segments.at(-1)!.to;
  return [
    `<g data-from="${escapeMarkup(edge.from)}" data-to="${escapeMarkup(edge.to)}" data-kind="${edge.kind}">`,
    `<title>${escapeMarkup(`${labelOf(edge.from)} → ${labelOf(edge.to)}`)}</title>`,
    `<path d="${pathData(edge.ownPath)}" stroke-width="1.5" ${paint({ stroke: colour })}/>`,
    `<path d="${arrowHeadData(base, edge.arrow.tip, arrowHalfWidth)}" ${paint({ fill: colour })}/>`,
    ...label,
    '</g>',
  ].join('');
}

function writeNode(node: NetworkLayout['nodes'][number]): string {
  const { x, y, width, height } = node.box;
  return [
    `<g data-node="${escapeMarkup(node.id)}" data-kind="${node.kind}">`,
    `<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" rx="6" stroke-width="1.25" ${paint(kindPaint(node.kind))}/>`,
    ...node.texts.map((text) => writeText(text, text.weight === 'bold' ? 'ink' : 'muted')),
    '</g>',
  ].join('');
}

function writeLegendEntry({ sign, space, text }: NetworkLayout['legend'][number]): string {
  const middle = space.y + space.height / 2;
  const drawn =
    'node' in sign
      ? `<rect x="${px(space.x)}" y="${px(space.y)}" width="${px(space.width)}" height="${px(space.height)}" rx="3" ${paint(kindPaint(sign.node))}/>`
      : [
          `<path d="M${px(space.x)} ${px(middle)}H${px(space.x + space.width - 7)}" stroke-width="1.5" ${paint({ stroke: edgePaint(sign.edge, 0) })}/>`,
          `<path d="M${px(space.x + space.width)} ${px(middle)}l-7 -3.5v7Z" ${paint({ fill: edgePaint(sign.edge, 0) })}/>`,
        ].join('');
  return drawn + writeText(text, 'muted');
}

/** Describes the picture in sentences. */
function describe(graph: NetworkGraph): string {
  const labelOf = new Map(graph.nodes.map((node) => [node.id, node.label]));
  const skips = graph.edges.filter((edge) => edge.kind === 'skip');
  const nodes = graph.nodes.map((node) => [node.label, ...node.details].join(', '));
  return [
    `A network of ${graph.nodes.length} nodes and ${graph.edges.length} edges, ${skips.length} of them skip connections.`,
    `Nodes: ${nodes.join('; ')}.`,
    ...(skips.length === 0
      ? []
      : [
          `Skip connections: ${skips.map((edge) => `${labelOf.get(edge.from)} to ${labelOf.get(edge.to)}`).join('; ')}.`,
        ]),
  ].join(' ');
}

/**
 * Draws a network as one self-contained SVG element. The output is deterministic: equal graphs give identical bytes.
 * @throws Error if the graph is invalid (see `drawingOrder`)
 */
export function drawNetwork(graph: NetworkGraph): Svg {
  const layout = layoutNetwork(graph);
  const { view } = layout;
  const labels = new Map(graph.nodes.map((node) => [node.id, node.label]));
  const labelOf = (id: string): string => labels.get(id)!;
  // The flow is drawn over the skip connections, and the boxes over both.
  const edges = [
    ...layout.edges.filter((edge) => edge.kind === 'skip'),
    ...layout.edges.filter((edge) => edge.kind === 'flow'),
  ];
  return svgElement({ ...view, title: graph.title, description: describe(graph) }, [
    `<rect x="${px(view.x)}" y="${px(view.y)}" width="${px(view.width)}" height="${px(view.height)}" ${paint({ fill: 'paper' })}/>`,
    ...layout.title.map((text) => writeText(text, 'ink')),
    ...layout.legend.map(writeLegendEntry),
    ...edges.map((edge) => writeEdge(edge, labelOf)),
    ...layout.nodes.map(writeNode),
  ]);
}

import type { CellGraph, CellRole } from './cell-graph.js';
import {
  edgeTextSize,
  layoutCell,
  nodeTextSize,
  operationTextSize,
  type PlacedCellEdge,
  type PlacedCellNode,
} from './cell-layout.js';
import { writeBox, writeLabel } from './labelled-box.js';
import { pictureRoom } from './page-width.js';
import { kindPaint, paint } from './palette.js';
import type { Panel } from './panel.js';
import { arrowHeadData, pathData } from './path-data.js';
import { escapeMarkup, px } from './svg.js';
import { symbolMarkup } from './symbol.js';

// The colours of the papers. DARTS draws inputs, nodes and output in green, blue and gold. NASNet draws hidden states
// in grey, operations in gold and their combinations in green.
const rolePaints = {
  input: kindPaint('pool'),
  node: kindPaint('convolution'),
  output: kindPaint('merge'),
  hidden: kindPaint('input'),
  combine: kindPaint('pool'),
} as const satisfies Record<CellRole, ReturnType<typeof kindPaint>>;

const operationPaint = kindPaint('merge');
const frameTextSize = 12;

function writeNode({ node, box, block }: PlacedCellNode): string {
  const colours = paint(rolePaints[node.role]);
  const parts =
    block === undefined
      ? [writeBox(box, 6, colours), writeLabel(symbolMarkup(node.label, nodeTextSize), box, nodeTextSize)]
      : [
          ...block.links.map(
            (link) => `<path d="${pathData(link)}" stroke-width="1.25" ${paint({ stroke: 'flow' })}/>`,
          ),
          ...block.operations.flatMap(({ operation, box }) => [
            writeBox(box, 3, paint(operationPaint)),
            writeLabel(escapeMarkup(node.operations![operation]!), box, operationTextSize),
          ]),
          writeBox(block.combine, 3, colours),
          writeLabel(symbolMarkup(node.label, operationTextSize), block.combine, operationTextSize),
        ];
  return `<g data-node="${escapeMarkup(node.id)}">${parts.join('')}</g>`;
}

/** The frame of a block, with its id in the corner. It lies under the edges, which cross it to reach the operations. */
function writeFrame({ node, box }: PlacedCellNode): string {
  return (
    `<rect x="${px(box.x)}" y="${px(box.y)}" width="${px(box.width)}" height="${px(box.height)}" rx="7" stroke-width="1" stroke-dasharray="4 3" ${paint({ fill: 'paper', stroke: 'axis' })}/>` +
    `<text data-frame="${escapeMarkup(node.id)}" x="${px(box.x + 7)}" y="${px(box.y + frameTextSize + 4)}" font-size="${frameTextSize}" ${paint({ fill: 'muted' })}>${escapeMarkup(node.id)}</text>`
  );
}

function writeEdge({ edge, path, tip, label }: PlacedCellEdge): string {
  const colour = edge.isEmpty ? 'axis' : 'flow';
  const dots = edge.isEmpty ? ' stroke-dasharray="1.5 4" stroke-linecap="round"' : '';
  const base = path.segments.at(-1)!.to;
  return [
    `<g data-from="${escapeMarkup(edge.from)}" data-to="${escapeMarkup(edge.to)}">`,
    `<path d="${pathData(path)}" stroke-width="1.4"${dots} ${paint({ stroke: colour })}/>`,
    `<path d="${arrowHeadData(base, tip, 3.8)}" ${paint({ fill: colour })}/>`,
    ...(label === undefined
      ? []
      : [
          `<rect x="${px(label.x)}" y="${px(label.y)}" width="${px(label.width)}" height="${px(label.height)}" ${paint({ fill: 'paper' })}/>`,
          writeLabel(escapeMarkup(edge.label!), label, edgeTextSize),
        ]),
    '</g>',
  ].join('');
}

function describe({ nodes, edges }: CellGraph): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const nameOf = (id: string): string => {
    const { label, operations } = byId.get(id)!;
    return operations === undefined ? label : `block ${id}`;
  };
  const sentences = nodes.flatMap((node) => {
    const arriving = edges.filter(({ to }) => to === node.id);
    if (arriving.length === 0) return [];
    const reads = arriving.map(({ from, label, operation }) => {
      const by = operation === undefined ? label : node.operations![operation];
      return by === undefined ? nameOf(from) : `${by} of ${nameOf(from)}`;
    });
    const how = node.operations === undefined ? 'reads' : `(${node.label}) reads`;
    return [`${nameOf(node.id)} ${how} ${reads.join(', ')}.`];
  });
  return sentences.join(' ');
}

/** A page scales wide pictures down; below this scale the text of a cell is too small. */
const leastScale = 0.85;

/** The layout in the direction of the graph; of a cell that a page cannot show legibly like that, the one upwards. */
function legibleLayout(graph: CellGraph): ReturnType<typeof layoutCell> {
  const layout = layoutCell(graph);
  if (graph.direction === 'up' || layout.width * leastScale <= pictureRoom) return layout;
  const upwards = layoutCell({ ...graph, direction: 'up' });
  return upwards.width < layout.width ? upwards : layout;
}

/**
 * Draws one cell as a panel for `drawPanels`. A long cell runs upwards, where a page would be too narrow for it.
 * @throws Error if the graph is invalid (see `checkCellGraph`)
 */
export function cellPanel(graph: CellGraph): Panel {
  const { width, height, nodes, edges } = legibleLayout(graph);
  return {
    width,
    height,
    stands: 'bottom',
    caption: graph.title,
    description: describe(graph),
    content: [
      ...nodes.filter(({ block }) => block !== undefined).map(writeFrame),
      ...edges.map(writeEdge),
      ...nodes.map(writeNode),
    ],
  };
}

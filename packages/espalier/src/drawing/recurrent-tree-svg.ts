import { writeBox, writeLabel } from './labelled-box.js';
import { kindPaint, paint } from './palette.js';
import type { Panel } from './panel.js';
import { arrowHeadData, pathData } from './path-data.js';
import type { RecurrentTree } from './recurrent-tree.js';
import {
  layoutRecurrentTree,
  stepTextSize,
  symbolSize,
  type TreeArrow,
  type TreeBox,
  type TreeBoxKind,
} from './recurrent-tree-layout.js';
import { escapeMarkup, px } from './svg.js';
import { symbolMarkup } from './symbol.js';

const indexSize = 10.5;

const paints = {
  input: kindPaint('pool'),
  combination: kindPaint('convolution'),
  activation: kindPaint('linear'),
  output: kindPaint('merge'),
} as const satisfies Record<TreeBoxKind, ReturnType<typeof kindPaint>>;

/** The identity does nothing, so it is grey. */
const idlePaint = kindPaint('input');

function write({ kind, label, rect }: TreeBox): string {
  const colours = paint(label === 'identity' ? idlePaint : paints[kind]);
  if (kind === 'input' || kind === 'output')
    return writeBox(rect, 6, colours) + writeLabel(symbolMarkup(label, symbolSize), rect, symbolSize);
  const radius = kind === 'activation' ? rect.height / 2 : 3;
  return writeBox(rect, radius, colours) + writeLabel(escapeMarkup(label), rect, stepTextSize);
}

/** Draws a node, with its number in the architecture to the right of its first box. */
function writeNode(boxes: readonly TreeBox[], index: number): string {
  const { x, y, width, height } = boxes[0]!.rect;
  const number = `<text x="${px(x + width + 4)}" y="${px(y + height - 2)}" font-size="${indexSize}" ${paint({ fill: 'muted' })}>${index}</text>`;
  return `<g data-node="${index}">${boxes.map(write).join('')}${number}</g>`;
}

function writeArrow({ path, tip }: TreeArrow): string {
  const base = path.segments.at(-1)!.to;
  return [
    `<path d="${pathData(path)}" stroke-width="1.4" ${paint({ stroke: 'flow' })}/>`,
    `<path d="${arrowHeadData(base, tip, 3.6)}" ${paint({ fill: 'flow' })}/>`,
  ].join('');
}

function describe({ nodes, inputs, output, injected, tapped }: RecurrentTree): string {
  const sentences = nodes.map(
    ({ combination, activation, reads }, index) =>
      `Node ${index} (${combination}, ${activation}) reads ${(reads ?? inputs).join(', ')}.`,
  );
  return [
    ...sentences,
    `${injected.symbol} is injected (${injected.combination}, ${injected.activation}) after node ${injected.at}.`,
    `${tapped.symbol} is node ${tapped.at} before its activation.`,
    `${output} is node ${nodes.length - 1}.`,
  ].join(' ');
}

/**
 * Draws a recurrent cell as a tree, as a panel for `drawPanels`. Combinations are boxes; activations have rounded ends.
 * @throws Error if the tree is invalid (see `checkRecurrentTree`)
 */
export function recurrentTreePanel(tree: RecurrentTree): Panel {
  const { width, height, nodes, symbols, arrows } = layoutRecurrentTree(tree);
  return {
    width,
    height,
    stands: 'bottom',
    caption: tree.title,
    description: describe(tree),
    content: [
      ...arrows.map((arrow) => `<g data-arrow="">${writeArrow(arrow)}</g>`),
      ...nodes.map(({ boxes }, index) => writeNode(boxes, index)),
      ...symbols.map((symbol) => `<g data-symbol="${escapeMarkup(symbol.label)}">${write(symbol)}</g>`),
    ],
  };
}

import type { CellEdge, CellGraph, CellNode } from '../drawing/cell-graph.js';
import { cellPanel } from '../drawing/cell-svg.js';
import { drawPanels, type Panel } from '../drawing/panel.js';
import { recurrentTreePanel } from '../drawing/recurrent-tree-svg.js';
import type { Svg } from '../drawing/svg.js';
import { trellisPanel } from '../drawing/trellis-svg.js';
import {
  type AutoDeepLab,
  type Block,
  cellsOf,
  type UntiedAutoDeepLab,
} from '../networks/auto-deeplab/architecture.js';
import { type DartsEdges, type DartsGenotype, edgesByNode } from '../networks/darts/genotype.js';
import { type NasBench201Architecture, readCell } from '../networks/nasbench201-cell.js';
import type { NasnetArchitecture, NasnetCellArchitecture } from '../networks/nasnet/architecture.js';
import type { DartsRecurrentGenotype } from '../networks/recurrent/darts-genotype.js';
import type { TreeNode, ZophRnn } from '../networks/recurrent/zoph-tree.js';

/** What a search weighs, by the names of its architecture parameters: a row for each choice. */
export type Weights = Readonly<Record<string, readonly (readonly number[])[]>>;

/** Draws an architecture in its published form, which is valid in its space. */
type DrawCells = (architecture: never, weights?: Weights) => Svg;

/** The inputs of a cell as its paper calls them, in the order of the states. */
export const DARTS_INPUTS = ['c_{k-2}', 'c_{k-1}'] as const;
export const AUTO_DEEPLAB_INPUTS = ['H^{l-1}', 'H^{l-2}'] as const;

/** How the papers draw the architectures of their spaces, by the name of the space. */
const pictures: ReadonlyMap<string, DrawCells> = new Map<string, DrawCells>([
  ['darts-cnn', drawDarts],
  ['darts-rnn', drawRecurrent],
  ['nasbench201', drawNasBench201],
  ['nasnet', drawNasnet],
  ['auto-deeplab', drawAutoDeepLab],
  ['zoph-rnn', drawTree],
]);

/**
 * The picture of an architecture as its paper draws it; undefined for a space whose architectures are not cells.
 *
 * @param architecture in the published form, valid in its space
 * @param weights those of the search that it was derived from
 */
export function drawCells(spaceName: string, architecture: unknown, weights?: Weights): Svg | undefined {
  return pictures.get(spaceName)?.(architecture as never, weights);
}

/** An edge that its operation labels; `none` carries nothing. */
function operationEdge(from: string, to: string, operation: string): CellEdge {
  return { from, to, label: operation, ...(operation === 'none' ? { isEmpty: true } : {}) };
}

/** Figures 4 and 5 of Liu, Simonyan & Yang 2018. */
function drawDarts({ normal, normal_concat, reduce, reduce_concat }: DartsGenotype<DartsEdges>): Svg {
  return drawPanels('Cells of a DARTS network', [
    cellPanel(dartsCell('Normal cell', normal, normal_concat)),
    cellPanel(dartsCell('Reduction cell', reduce, reduce_concat)),
  ]);
}

function dartsCell(title: string, edges: DartsEdges, concat: readonly number[]): CellGraph {
  const intoNodes = edgesByNode(edges);
  const steps = intoNodes.map((_, step) => String(step));
  const states = [...DARTS_INPUTS, ...steps];
  return {
    title,
    direction: 'right',
    nodes: [
      ...states.map((label, state): CellNode => ({ id: label, label, role: state < 2 ? 'input' : 'node' })),
      { id: 'c_{k}', label: 'c_{k}', role: 'output' },
    ],
    edges: [
      ...intoNodes.flatMap((own, step) =>
        own.map(([operation, state]) => operationEdge(states[state]!, steps[step]!, operation)),
      ),
      ...concat.map((state) => ({ from: states[state]!, to: 'c_{k}' })),
    ],
  };
}

/** Figure 6 of Liu, Simonyan & Yang 2018. */
function drawRecurrent({ recurrent, concat }: DartsRecurrentGenotype): Svg {
  const steps = Array.from({ length: recurrent.length + 1 }, (_, step) => String(step));
  return drawPanels('Recurrent cell of a DARTS network', [
    cellPanel({
      title: 'Recurrent cell; its output averages what it reads',
      direction: 'right',
      nodes: [
        { id: 'x_{t}', label: 'x_{t}', role: 'input' },
        { id: 'h_{t-1}', label: 'h_{t-1}', role: 'input' },
        ...steps.map((label): CellNode => ({ id: label, label, role: 'node' })),
        { id: 'h_{t}', label: 'h_{t}', role: 'output' },
      ],
      edges: [
        { from: 'x_{t}', to: '0' },
        { from: 'h_{t-1}', to: '0' },
        ...recurrent.map(([activation, node], step) =>
          operationEdge(String(node), String(step + 1), activation),
        ),
        ...concat.map((node) => ({ from: String(node), to: 'h_{t}' })),
      ],
    }),
  ]);
}

/** Figure 5 of Zoph & Le 2016. */
function drawTree({ nodes, cellInject, cellIndex }: ZophRnn): Svg {
  const base = (nodes.length + 1) / 2;
  const step = ({ combination, activation }: TreeNode) => ({
    combination: combination.replace('_', ' '),
    activation,
  });
  return drawPanels('Recurrent cell as a tree', [
    recurrentTreePanel({
      title: `Recurrent cell of base ${base}`,
      inputs: ['x_{t}', 'h_{t-1}'],
      nodes: nodes.map((node, index) => {
        const first = 2 * (index - base);
        return index < base ? step(node) : { ...step(node), reads: [first, first + 1] };
      }),
      output: 'h_{t}',
      injected: { ...step(cellInject), symbol: 'c_{t-1}', at: cellIndex.previous },
      tapped: { symbol: 'c_{t}', at: cellIndex.next },
    }),
  ]);
}

/** Figure 1 of Dong & Yang 2020: the first node is the input, the last one the output. */
function drawNasBench201({ cell }: NasBench201Architecture): Svg {
  const last = cell.split('+').length;
  const edges = readCell(cell, last + 1).flatMap((operations, index) =>
    operations.map((operation, from) => operationEdge(String(from), String(index + 1), operation)),
  );
  const nodes = Array.from({ length: last + 1 }, (_, node): CellNode => {
    const role = node === 0 ? 'input' : node === last ? 'output' : 'node';
    return { id: String(node), label: String(node), role };
  });
  return drawPanels('Cell of a NAS-Bench-201 network', [
    cellPanel({ title: 'Cell', direction: 'right', nodes, edges }),
  ]);
}

/** `sep_conv_3x3` as the figures of Zoph et al. 2018 and Liu et al. 2019 write it: `sep 3×3`. */
function shortName(operation: string): string {
  if (operation === 'skip_connect') return 'identity';
  const [kind, ...rest] = operation.split('_') as [string, ...string[]];
  const sizes = rest.filter((part) => /^\dx\d$/.test(part)).map((part) => part.replace('x', '×'));
  return [kind === 'atrous' ? 'atr' : kind, ...sizes].join(' ');
}

interface CellBlock {
  readonly combine: string;
  /** The state that each operation reads, and the operation. */
  readonly reads: readonly (readonly [state: number, operation: string])[];
}

/** Blocks from the bottom to the top. The states are the previous output, the one before it, and the blocks. */
function blockCell(
  title: string,
  [previous, beforeIt, output]: readonly [string, string, string],
  blocks: readonly CellBlock[],
  concat: readonly number[],
): CellGraph {
  const states = [previous, beforeIt, ...blocks.map((_, block) => String(block + 1))];
  return {
    title,
    direction: 'up',
    nodes: [
      { id: beforeIt, label: beforeIt, role: 'hidden' },
      { id: previous, label: previous, role: 'hidden' },
      ...blocks.map(({ combine, reads }, block): CellNode => {
        const operations = reads.map(([, operation]) => shortName(operation));
        return { id: String(block + 1), label: combine, role: 'combine', operations };
      }),
      { id: 'concat', label: 'concat', role: 'combine' },
      { id: output, label: output, role: 'hidden' },
    ],
    edges: [
      ...blocks.flatMap(({ reads }, block) =>
        reads.map(([state, name], operation): CellEdge => {
          const edge = { from: states[state]!, to: String(block + 1), operation };
          return name === 'none' ? { ...edge, isEmpty: true } : edge;
        }),
      ),
      ...concat.map((state) => ({ from: states[state]!, to: 'concat' })),
      { from: 'concat', to: output },
    ],
  };
}

/** Figure 4 of Zoph et al. 2018. */
function drawNasnet({ normal, reduction }: NasnetArchitecture): Svg {
  const cell = (title: string, { blocks, concat }: NasnetCellArchitecture): CellGraph =>
    blockCell(
      title,
      ['h_{i}', 'h_{i-1}', 'h_{i+1}'],
      blocks.map(({ inputs, operations, combine }) => ({
        combine,
        reads: inputs.map((state, index) => [state, operations[index]!] as const),
      })),
      concat,
    );
  return drawPanels('Cells of a NASNet network', [
    cellPanel(cell('Normal cell', normal)),
    cellPanel(cell('Reduction cell', reduction)),
  ]);
}

/** Figures 1 and 3 of Liu et al. 2019. */
function drawAutoDeepLab(architecture: AutoDeepLab | UntiedAutoDeepLab, weights?: Weights): Svg {
  const { path } = architecture;
  const isUntied = 'cells' in architecture;
  const trellis = weights?.trellis;
  const levels = 4;
  return drawPanels('Path and cell of an Auto-DeepLab network', [
    trellisPanel({
      title: 'Path over the resolutions',
      strides: [4, 8, 16, 32],
      path,
      before: 'stem',
      after: 'ASPP',
      ...(trellis === undefined
        ? {}
        : { weights: path.map((_, layer) => trellis.slice(layer * levels, (layer + 1) * levels)) }),
    }),
    ...cellsOf(architecture)
      .slice(0, isUntied ? undefined : 1)
      .map((cell, layer) => autoDeepLabCell(isUntied ? `Cell of layer ${layer + 1}` : 'Cell', cell)),
  ]);
}

function autoDeepLabCell(title: string, cell: readonly Block[]): Panel {
  const blocks = cell.map(([first, second, onFirst, onSecond]): CellBlock => {
    return {
      combine: 'add',
      reads: [
        [first, onFirst],
        [second, onSecond],
      ],
    };
  });
  return cellPanel(
    blockCell(
      title,
      [...AUTO_DEEPLAB_INPUTS, 'H^{l}'],
      blocks,
      blocks.map((_, block) => block + 2),
    ),
  );
}

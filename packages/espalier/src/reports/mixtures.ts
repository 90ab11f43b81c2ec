import { type AutoDeepLab, cellsOf, type UntiedAutoDeepLab } from '../networks/auto-deeplab/architecture.js';
import { OPERATIONS } from '../networks/auto-deeplab/operations.js';
import { DARTS_OPERATIONS, type DartsGenotype } from '../networks/darts/genotype.js';
import {
  NASBENCH201_OPERATIONS,
  type NasBench201Architecture,
  readCell,
} from '../networks/nasbench201-cell.js';
import { DARTS_ACTIVATIONS, type DartsRecurrentGenotype } from '../networks/recurrent/darts-genotype.js';
import { AUTO_DEEPLAB_INPUTS, DARTS_INPUTS } from './draw-architecture.js';

/** What the architecture parameters of one kind of cell, or of a path, choose between. */
export interface Mixture {
  /** Where there is a choice: an edge as `c_{k-2} → 0`, with the names that the picture of the cell has. */
  readonly places: readonly string[];
  /** What is chosen: operations. */
  readonly options: readonly string[];
  /** What the derived architecture has, as places and options; not all places need be among them. */
  readonly kept: readonly (readonly [place: number, option: number])[];
}

/** How the parameters of a space read: of those of this name, with so many rows. */
type ReadMixture = (name: string, rows: number, architecture: never) => Mixture | undefined;

const readers: ReadonlyMap<string, ReadMixture> = new Map<string, ReadMixture>([
  ['darts-cnn', readDarts],
  ['darts-rnn', readRecurrent],
  ['nasbench201', readNasBench201],
  ['auto-deeplab', readAutoDeepLab],
]);

/**
 * How the architecture parameters of a supernet read; undefined for those that nobody has named.
 *
 * @param name of the parameters, as the supernet has it
 * @param rows how many places they choose at
 * @param architecture that is derived from them, in the published form; undefined where there is none
 */
export function mixtureOf(
  spaceName: string,
  name: string,
  rows: number,
  architecture: unknown,
): Mixture | undefined {
  return readers.get(spaceName)?.(name, rows, architecture as never);
}

/** All edges of a cell, node by node; each node reads the inputs and all nodes before it. */
function edgesBetween(inputs: readonly string[], firstNode: number, rows: number): string[] {
  const states = [...inputs];
  const edges: string[] = [];
  for (let node = firstNode; edges.length < rows; node++) {
    for (const state of states) edges.push(`${state} → ${node}`);
    states.push(String(node));
  }
  return edges.slice(0, rows);
}

/** The row of an edge, where a cell has so many inputs. */
const rowOf = (inputs: number, node: number, state: number) =>
  node * inputs + (node * (node - 1)) / 2 + state;

/** A genotype has two edges a node. */
function readDarts(name: string, rows: number, genotype: DartsGenotype | undefined): Mixture {
  const edges = (name === 'reduce' ? genotype?.reduce : genotype?.normal) ?? [];
  return {
    places: edgesBetween(DARTS_INPUTS, 0, rows),
    options: DARTS_OPERATIONS,
    kept: edges.map(([operation, state], index) => [
      rowOf(DARTS_INPUTS.length, Math.floor(index / 2), state),
      DARTS_OPERATIONS.indexOf(operation as (typeof DARTS_OPERATIONS)[number]),
    ]),
  };
}

/** Node 0 joins the inputs; each node after it reads one before it. */
function readRecurrent(_: string, rows: number, genotype: DartsRecurrentGenotype | undefined): Mixture {
  const options = ['none', ...DARTS_ACTIVATIONS];
  return {
    places: edgesBetween(['0'], 1, rows),
    options,
    kept: (genotype?.recurrent ?? []).map(([activation, state], node) => [
      rowOf(1, node, state),
      options.indexOf(activation),
    ]),
  };
}

/** Every node reads all before it. */
function readNasBench201(
  _: string,
  rows: number,
  architecture: NasBench201Architecture | undefined,
): Mixture {
  const nodes = (architecture?.cell.split('+').length ?? 0) + 1;
  const cell = architecture === undefined ? [] : readCell(architecture.cell, nodes);
  return {
    places: edgesBetween(['0'], 1, rows),
    options: NASBENCH201_OPERATIONS,
    kept: cell.flatMap((operations, node) =>
      operations.map(
        (operation, state) => [rowOf(1, node, state), NASBENCH201_OPERATIONS.indexOf(operation)] as const,
      ),
    ),
  };
}

const STRIDES = [4, 8, 16, 32];

function readAutoDeepLab(
  name: string,
  rows: number,
  found: AutoDeepLab | UntiedAutoDeepLab | undefined,
): Mixture {
  if (name === 'cell') {
    const ofLayers = found !== undefined && 'cells' in found;
    const cells = found === undefined ? [] : cellsOf(found).slice(0, ofLayers ? undefined : 1);
    const edges = ofLayers ? rows / cells.length : rows;
    return {
      places: Array.from({ length: rows / edges }, (_, layer) =>
        edgesBetween(AUTO_DEEPLAB_INPUTS, 1, edges).map((edge) =>
          ofLayers ? `layer ${layer + 1}: ${edge}` : edge,
        ),
      ).flat(),
      options: OPERATIONS,
      kept: cells.flatMap((cell, layer) =>
        cell.flatMap(([first, second, onFirst, onSecond], block) => {
          const row = (state: number) => layer * edges + rowOf(AUTO_DEEPLAB_INPUTS.length, block, state);
          return [
            [row(first), OPERATIONS.indexOf(onFirst)] as const,
            [row(second), OPERATIONS.indexOf(onSecond)] as const,
          ];
        }),
      ),
    };
  }
  // A move for each layer and each level of the layer before it; the stem is at the first level.
  const path = found === undefined ? [] : [0, ...found.path];
  return {
    places: Array.from(
      { length: rows },
      (_, row) =>
        `to layer ${Math.floor(row / STRIDES.length) + 1} from stride ${STRIDES[row % STRIDES.length]}`,
    ),
    options: ['larger map', 'same size', 'smaller map'],
    kept: path
      .slice(1)
      .map((level, layer) => [layer * STRIDES.length + path[layer]!, level - path[layer]! + 1] as const),
  };
}

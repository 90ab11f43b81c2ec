import { cellWidth, type NasnetArchitecture } from './architecture.js';
import type { CellPlace } from './cell.js';

/** The number of stages of normal cells. A reduction cell separates two stages. */
export const STAGES = 3;

/** The number of reduction cells before the first stage. */
export const STEM_CELLS = { cifar: 0, imagenet: 2 } as const;

interface PlanOptions {
  /** Number of normal cells per stage. */
  readonly cells: number;
  /** Number of filters of the convolutions in the first stage. */
  readonly channels: number;
  readonly stemFilters: number;
  readonly layout: 'cifar' | 'imagenet';
  /**
   * Whether the cell after a reduction takes as its second input the one that the reduction had as its second input,
   * instead of its first.
   */
  readonly skipReductionInput: boolean;
}

export interface PlannedCell {
  readonly kind: 'normal' | 'reduction';
  readonly place: CellPlace;
  /** Number of output channels. */
  readonly outputs: number;
  /** The cell that gives the second input. -1 is the stem; undefined for the first cell. */
  readonly previousCell: number | undefined;
}

/** Plans all cells of a network, starting after the stem. */
export function planCells(architecture: NasnetArchitecture, options: PlanOptions): PlannedCell[] {
  const { channels, stemFilters, skipReductionInput } = options;
  const plan: PlannedCell[] = [];
  /** The number of times that height and width have been halved up to the output of each cell. */
  const halvings: number[] = [];
  const outputOf = (cell: number) => ({
    channels: plan[cell]?.outputs ?? stemFilters,
    halvings: halvings[cell] ?? 0,
  });
  for (const { kind, scale } of sequence(options)) {
    const index = plan.length;
    const input = outputOf(index - 1);
    const skips = skipReductionInput && kind === 'normal' && isBetweenStages(plan, index - 1);
    const previousCell = index === 0 ? undefined : index - 2 - (skips ? 1 : 0);
    const previous = previousCell === undefined ? undefined : outputOf(previousCell);
    const filters = Math.floor(channels * scale);
    const stride = kind === 'reduction' ? 2 : 1;
    const place: CellPlace = {
      filters,
      stride,
      channels: input.channels,
      ...(previous === undefined
        ? {}
        : {
            previous: {
              channels: previous.channels,
              twiceAsLarge: previous.halvings < input.halvings,
            },
          }),
    };
    plan.push({ kind, place, outputs: filters * cellWidth(architecture[kind]), previousCell });
    halvings.push(input.halvings + stride - 1);
  }
  return plan;
}

/** Whether a cell is a reduction between two stages, not one of the stem. */
function isBetweenStages(plan: readonly PlannedCell[], cell: number): boolean {
  return plan[cell]?.kind === 'reduction' && plan.slice(0, cell).some(({ kind }) => kind === 'normal');
}

/** The kinds of the cells, and their number of filters relative to the first stage. */
function* sequence({ cells, layout }: PlanOptions): Generator<{ kind: PlannedCell['kind']; scale: number }> {
  for (let stem = STEM_CELLS[layout]; stem > 0; stem--) yield { kind: 'reduction', scale: 2 ** -stem };
  for (let stage = 0; stage < STAGES; stage++) {
    const scale = 2 ** stage;
    if (stage > 0) yield { kind: 'reduction', scale };
    for (let i = 0; i < cells; i++) yield { kind: 'normal', scale };
  }
}

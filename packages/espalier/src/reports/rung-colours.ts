import type { Paint } from '../drawing/palette.js';
import type { RunState } from '../runs/run-state.js';
import { rungsOf } from '../runs/rungs.js';

/** A group of trainings in pictures, with its colour. */
export interface TrainingGroup {
  readonly name: string;
  readonly colour: Paint;
}

/** From the lowest rung; they differ from the lines of the average and of the best. */
const RUNG_PAINTS = [
  'axis',
  'series-3',
  'series-4',
  'series-5',
  'series-7',
  'series-6',
] as const satisfies readonly Paint[];

/** The rungs of a search by their epochs, from the lowest; none where all children are trained equally long. */
export function rungGroups(state: RunState): ReadonlyMap<number, TrainingGroup> {
  return new Map(
    rungsOf(state).map(({ epochs }, index) => [
      epochs,
      { name: afterEpochs(epochs), colour: RUNG_PAINTS[index % RUNG_PAINTS.length]! },
    ]),
  );
}

/** `after 3 epochs` */
function afterEpochs(epochs: number): string {
  return `after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
}

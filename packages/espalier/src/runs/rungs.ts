import { isBetter, type Measured, measuredValue, measureOf } from '../tasks/measure.js';
import type { RunState } from './run-state.js';

/** The children that were trained for the same number of epochs, in a search that trains some longer than others. */
export interface RungState {
  readonly epochs: number;
  /** Trials that were asked for, those that have their result, and those that failed. */
  readonly asked: number;
  readonly told: number;
  readonly failed: number;
  /** Whose training went on, or goes on now. */
  readonly promoted: number;
  /** The best value; null while there is none. */
  readonly best: number | null;
}

/** The rungs that children have come to, the lowest first; none where all children are trained equally long. */
export function rungsOf({ trials }: RunState): RungState[] {
  const rungs = new Map<number, RungState>();
  for (const { epochs, continues, outcome } of trials) {
    if (epochs === undefined) continue;
    const rung = rungs.get(epochs) ?? { epochs, asked: 0, told: 0, failed: 0, promoted: 0, best: null };
    rungs.set(epochs, {
      ...rung,
      asked: rung.asked + 1,
      told: rung.told + (outcome === undefined ? 0 : 1),
      failed: rung.failed + (outcome?.status === 'failed' ? 1 : 0),
      best: outcome?.status === 'ok' ? betterOf(rung.best, outcome) : rung.best,
    });
    const below = continues === undefined ? undefined : rungs.get(trials[continues]?.epochs ?? 0);
    if (below !== undefined) rungs.set(below.epochs, { ...below, promoted: below.promoted + 1 });
  }
  return [...rungs.values()].sort((a, b) => a.epochs - b.epochs);
}

function betterOf(best: number | null, outcome: Measured): number {
  const value = measuredValue(outcome);
  return best === null || isBetter(measureOf(outcome), value, best) ? value : best;
}

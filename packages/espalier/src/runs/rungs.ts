import { decidingValue, isBetter } from '../measures/measure.js';
import type { RunState } from './run-state.js';

/** The children that were trained for the same number of epochs, in a search that trains some children further. */
export interface RungState {
  readonly epochs: number;
  /** Number of trials that were asked for, that have a result, and that failed. */
  readonly asked: number;
  readonly told: number;
  readonly failed: number;
  /** Number of children that were promoted to a higher rung. */
  readonly promoted: number;
  /** The best value; null if there is none yet. */
  readonly best: number | null;
}

/** The rungs that children have reached, from the lowest; none if all children are trained equally long. */
export function rungsOf({ trials, objectives }: RunState): RungState[] {
  const rungs = new Map<number, RungState>();
  for (const { epochs, continues, outcome } of trials) {
    if (epochs === undefined) continue;
    const rung = rungs.get(epochs) ?? { epochs, asked: 0, told: 0, failed: 0, promoted: 0, best: null };
    const value = outcome?.status === 'ok' ? decidingValue(objectives, outcome.measures) : undefined;
    const isBest = value !== undefined && (rung.best === null || isBetter(objectives[0], value, rung.best));
    rungs.set(epochs, {
      ...rung,
      asked: rung.asked + 1,
      told: rung.told + (outcome === undefined ? 0 : 1),
      failed: rung.failed + (outcome?.status === 'failed' ? 1 : 0),
      best: isBest ? value : rung.best,
    });
    const below = continues === undefined ? undefined : rungs.get(trials[continues]?.epochs ?? 0);
    if (below !== undefined) rungs.set(below.epochs, { ...below, promoted: below.promoted + 1 });
  }
  return [...rungs.values()].sort((a, b) => a.epochs - b.epochs);
}

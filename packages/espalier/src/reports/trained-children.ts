import { type CurvePoint, learningCurve } from '../experiments/learning-curve.js';
import type { Measures } from '../measures/measure.js';
import type { RunState, TrialState } from '../runs/run-state.js';

/** A child with what its last training came to. */
export interface TrainedChild {
  /** Counted from 1. */
  readonly number: number;
  /** The last training that has a result. */
  readonly trial: TrialState;
  /** Missing where that training failed. */
  readonly measures?: Measures;
  /** The deciding measure after each epoch, where the estimator says. */
  readonly curve: readonly CurvePoint[];
  /** Epochs after which it was told, where children are trained for different times: its rungs. */
  readonly rungs: readonly number[];
}

/** The children of a search that have a result, in the order in which they begin. */
export function trainedChildren(state: RunState): TrainedChild[] {
  const children = new Map<number, TrialState[]>();
  for (const trial of state.trials) {
    if (trial.outcome === undefined) continue;
    const child = state.childOf(trial.trial);
    children.set(child, [...(children.get(child) ?? []), trial]);
  }
  return [...children]
    .sort(([a], [b]) => a - b)
    .map(([child, trials]) => {
      const trial = trials.at(-1) as TrialState;
      // A failed training tells no curve; that of the one before stands.
      const curves = trials.map(({ outcome }) => learningCurve(outcome, state.objective.name));
      return {
        number: child + 1,
        trial,
        ...(trial.outcome?.status === 'ok' ? { measures: trial.outcome.measures } : {}),
        curve: curves.findLast((curve) => curve.length > 0) ?? [],
        rungs: trials.flatMap(({ epochs, outcome }) =>
          epochs === undefined || outcome?.status !== 'ok' ? [] : [epochs],
        ),
      };
    });
}

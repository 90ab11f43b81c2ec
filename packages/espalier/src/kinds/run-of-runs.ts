import type { RunsWatch } from '../experiments/run-of-runs.js';
import { duration } from '../reports/figures.js';
import type { Terminal } from '../terminal/terminal.js';
import type { GoingOn } from './kind-of-run.js';

/** Goes on with another run to its end; false where it was stopped. */
export type GoOn = (path: string, terminal: Terminal, how: GoingOn) => Promise<boolean>;

/** A run of work that consists of runs. */
interface Step {
  /** Of the run, and of all that come after it; 0 for one that says nothing of the speed of trainings. */
  readonly epochs: number;
  readonly epochsAfter: number;
}

/**
 * Shows work that consists of runs: which one it is at, and how much time is left at the speed of the trainings that are
 * done.
 *
 * @param textOf what a step is called
 * @param goOn goes on with a run to its end; false where it was stopped
 */
export function watchRuns<S extends Step>(
  terminal: Terminal,
  textOf: (step: S) => string,
  goOn: RunsWatch['goOn'],
): RunsWatch & { step(step: S): void } {
  let now: { readonly step: S; readonly begun: number } | undefined;
  let [epochsDone, seconds] = [0, 0];
  return {
    goOn,
    message: (text) => terminal.line(text),
    step(step) {
      now = { step, begun: performance.now() };
      const { epochs, epochsAfter } = step;
      const left =
        epochsDone === 0 || epochs === 0
          ? ''
          : `, about ${duration((seconds / epochsDone) * (epochs + epochsAfter))} left in all`;
      terminal.line(`${textOf(step)}${left}`);
    },
    ended({ run, reason }) {
      terminal.settle();
      if (typeof reason === 'string') terminal.line(`${run} failed: ${reason}`);
      // One that failed was not at its end.
      else if (now !== undefined && now.step.epochs > 0) {
        epochsDone += now.step.epochs;
        seconds += (performance.now() - now.begun) / 1000;
      }
      now = undefined;
    },
  };
}

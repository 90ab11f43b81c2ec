import { join } from 'node:path';
import { continueTraining } from '../experiments/training-run.js';
import { duration, percent } from '../reports/figures.js';
import { trainingFiles } from '../training/final-training.js';
import { INTERRUPTED, interruptible } from './interruption.js';
import type { Terminal } from './terminal.js';

/** What a training came to, for `--json`. */
export interface TrainingSummary {
  readonly run: string;
  readonly status: 'finished' | 'interrupted';
  readonly testAccuracy: number | null;
  readonly loss: number | null;
  readonly weights: string | null;
}

const LINE_EVERY_MS = 200;

/** Trains from where the folder's journal ends, and shows it. */
export async function runTraining(path: string, terminal: Terminal): Promise<TrainingSummary> {
  const interrupt = interruptible(terminal);
  const begun = performance.now();
  let shown = 0;
  let stepsBefore: number | undefined;
  try {
    const trained = await continueTraining(path, {
      signal: interrupt.signal,
      message: (text) => terminal.line(text),
      report({ epoch, step, stepsPerEpoch, loss }, epochs) {
        const done = (epoch - 1) * stepsPerEpoch + step;
        stepsBefore ??= done - 1;
        const now = performance.now();
        if (step !== stepsPerEpoch && (!terminal.isLive || now - shown < LINE_EVERY_MS)) return;
        shown = now;
        const rate = ((done - stepsBefore) * 1000) / (now - begun);
        const left = (epochs * stepsPerEpoch - done) / rate;
        const text =
          `epoch ${epoch} of ${epochs}, step ${step} of ${stepsPerEpoch}: loss ${loss.toFixed(4)}, ` +
          `${rate.toFixed(1)} steps a second, ${duration(left)} left`;
        if (terminal.isLive) terminal.live(text);
        else terminal.line(text);
      },
    });
    terminal.settle();
    if (trained === undefined) {
      process.exitCode = INTERRUPTED;
      return { run: path, status: 'interrupted', testAccuracy: null, loss: null, weights: null };
    }
    return { run: path, status: 'finished', ...trained, weights: trainingFiles(path).weights };
  } finally {
    interrupt.done();
  }
}

/** The summary for people. */
export function describeTraining({ run, status, testAccuracy, weights }: TrainingSummary): string {
  return status === 'finished' && testAccuracy !== null && weights !== null
    ? `${run}: trained; accuracy on the test images ${percent(testAccuracy)}\n  weights ${weights}, journal ${join(run, 'journal.jsonl')}`
    : `${run}: stopped\ngo on with: espalier resume ${run}`;
}

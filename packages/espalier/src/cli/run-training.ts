import { join } from 'node:path';
import { continueTraining } from '../experiments/training-run.js';
import { duration, percent } from '../reports/figures.js';
import { judgedKey, trainingFiles } from '../training/final-training.js';
import { INTERRUPTED, interruptible } from './interruption.js';
import type { Terminal } from './terminal.js';

/** What a training came to, for `--json`. */
export interface TrainingSummary {
  readonly run: string;
  readonly status: 'finished' | 'interrupted';
  /** Of a classifier that is finished, or of a language model; on validation data where the training was to decide. */
  readonly testAccuracy?: number;
  readonly testPerplexity?: number;
  readonly validationAccuracy?: number;
  readonly validationPerplexity?: number;
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
      epochEnded({ epoch, perplexity, averaged }) {
        if (typeof perplexity !== 'number') return;
        const average = averaged === true ? ', of the averaged weights' : '';
        terminal.line(`epoch ${epoch}: validation perplexity ${perplexity.toFixed(2)}${average}`);
      },
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
      return { run: path, status: 'interrupted', loss: null, weights: null };
    }
    const { measure, judge, value, loss } = trained;
    const { weights } = trainingFiles(path);
    return { run: path, status: 'finished', [judgedKey(judge, measure)]: value, loss, weights };
  } finally {
    interrupt.done();
  }
}

/** The summary for people. */
export function describeTraining({
  run,
  status,
  testAccuracy,
  testPerplexity,
  validationAccuracy,
  validationPerplexity,
  weights,
}: TrainingSummary): string {
  if (status !== 'finished' || weights === null) return `${run}: stopped\ngo on with: espalier resume ${run}`;
  const part = validationAccuracy === undefined && validationPerplexity === undefined ? 'test' : 'validation';
  const accuracy = testAccuracy ?? validationAccuracy;
  const value =
    accuracy === undefined
      ? `perplexity on the ${part} text ${(testPerplexity ?? validationPerplexity)?.toFixed(2)}`
      : `accuracy on the ${part} images ${percent(accuracy)}`;
  return `${run}: trained; ${value}\n  weights ${weights}, journal ${join(run, 'journal.jsonl')}`;
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseArchitecture } from '../experiments/found-architecture.js';
import {
  endOf,
  epochsOf,
  measureIn,
  type OwnResult,
  type ReadResult,
  secondsOf,
} from '../experiments/run-result.js';
import {
  beginTraining,
  continueTraining,
  readTraining,
  TRAINING,
  trainedArchitecture,
  trainedNetwork,
  trainingRequestOf,
} from '../experiments/training-run.js';
import { type Measure, type Measures, objectivesSchema } from '../measures/measure.js';
import { capitalised, duration, valueText } from '../reports/figures.js';
import { reportTraining } from '../reports/training-report.js';
import { lockHolder } from '../runs/run-lock.js';
import { INTERRUPTED, interruptible } from '../terminal/interruption.js';
import type { Terminal } from '../terminal/terminal.js';
import { trainingFiles } from '../training/final-training.js';
import type { KindOfRun, Said, WentOn } from './kind-of-run.js';

/** What a training came to, for `--json`. Of a finished one, `testAccuracy` and the like stand among its keys too. */
export interface TrainingSummary {
  readonly run: string;
  readonly status: 'finished' | 'interrupted' | 'unfinished';
  readonly epochs: number;
  /** The data that it is judged on. */
  readonly judge: 'validation' | 'test';
  /** The measure that decides. */
  readonly measure: string;
  /** Null before the end. */
  readonly measures: Measures | null;
  /** Mean training loss of the last epoch. */
  readonly loss: number | null;
  readonly weights: string | null;
  readonly report: string;
}

const LINE_EVERY_MS = 200;

async function goOn(path: string, terminal: Terminal): Promise<WentOn> {
  const interrupt = interruptible(terminal);
  const begun = performance.now();
  let shown = 0;
  let stepsBefore: number | undefined;
  const [objective] = readTraining(path).settings.objectives;
  try {
    const trained = await continueTraining(path, {
      signal: interrupt.signal,
      message: (text) => terminal.line(text),
      epochEnded(event) {
        const value = measureIn(event, objective.name);
        if (value === undefined) return;
        const average = event.averaged === true ? ', of the averaged weights' : '';
        terminal.line(
          `epoch ${event.epoch}: validation ${objective.name} ${valueText(objective, value)}${average}`,
        );
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
    if (trained === undefined) process.exitCode = INTERRUPTED;
    const { json, text } = show(path);
    return trained === undefined
      ? { finished: false, text, json: { ...json, status: 'interrupted' } }
      : { finished: true, text, json };
  } finally {
    interrupt.done();
  }
}

function readSummary(path: string): TrainingSummary {
  const { settings, events } = readTraining(path);
  const [{ name }] = settings.objectives;
  const { judge = 'test' } = settings;
  const end = endOf(events);
  const epochs = epochsOf(events);
  const measures = (end?.measures as unknown as Measures | undefined) ?? null;
  const last = epochs.at(-1)?.loss;
  return {
    run: path,
    status: end === undefined ? 'unfinished' : 'finished',
    epochs: epochs.length,
    judge,
    measure: name,
    measures,
    ...Object.fromEntries(
      Object.entries(measures ?? {}).map(([key, value]) => [`${judge}${capitalised(key)}`, value]),
    ),
    loss: typeof last === 'number' ? last : null,
    weights: end === undefined ? null : trainingFiles(path).weights,
    report: join(path, 'report.html'),
  };
}

function describe(summary: TrainingSummary, objective: Measure): string {
  const { run, status, judge, measures, weights, report, epochs } = summary;
  if (status !== 'finished' || measures === null)
    return `${run}: ${epochs} epochs done\nto go on: espalier resume ${run}`;
  return (
    `${run}: trained; ${judge} ${objective.name} ${valueText(objective, measures[objective.name] as number)}\n` +
    `  weights ${weights}, report ${report}`
  );
}

/** Writes report.html into the folder. */
function show(path: string): Said & { readonly json: TrainingSummary } {
  const training = readTraining(path);
  const summary = readSummary(path);
  writeFileSync(summary.report, reportTraining(training.settings, training.events));
  return { text: describe(summary, training.settings.objectives[0]), json: summary };
}

async function status(path: string): Promise<Said> {
  const { settings } = readTraining(path);
  const summary = readSummary(path);
  const running = lockHolder(path);
  const is = summary.status === 'finished' ? 'finished' : running === undefined ? 'stopped' : 'running';
  const of = Number(settings.training.epochs);
  const [objective] = settings.objectives;
  const value = summary.measures?.[objective.name];
  return {
    text:
      `${path}: training with ${settings.task.data}, ${is}: ${summary.epochs} of ${of} epochs` +
      (value === undefined ? '' : `, ${summary.judge} ${objective.name} ${valueText(objective, value)}`),
    json: { ...summary, status: is, ofEpochs: of, pid: running?.pid ?? null },
  };
}

const header = z.looseObject({
  judge: z.enum(['validation', 'test']).optional(),
  architecture: z.looseObject({ space: z.string() }),
  task: z.looseObject({ data: z.string() }),
  dataChecksum: z.string(),
  objectives: objectivesSchema,
  training: z.looseObject({ epochs: z.int(), device: z.string() }),
  threads: z.int(),
});

const result: ReadResult = (begin, events): OwnResult => {
  const {
    architecture,
    task,
    dataChecksum,
    objectives,
    training,
    threads,
    judge = 'test',
  } = header.parse(begin);
  const [objective] = objectives;
  // Searches have a validation measure too, of another training.
  const suffix = judge === 'validation' ? ' once trained' : '';
  return {
    strategy: null,
    space: architecture.space,
    data: task.data.split(':')[0] as string,
    dataChecksum,
    measure: { ...objective, name: `${judge} ${objective.name}${suffix}` },
    value: measureIn(endOf(events), objective.name),
    budget: { amount: training.epochs, unit: 'epochs' },
    threads,
    device: training.device,
    spent: epochsOf(events).map((epoch) => ({ seconds: secondsOf(epoch) })),
  };
};

/** The training of one network to the end. */
export const training: KindOfRun = {
  event: TRAINING,
  name: 'training',
  result,
  architecture: trainedArchitecture,
  network: trainedNetwork,
  status,
  show: async (path) => show(path),
  goOn,
  async beginAgain(path, out) {
    const { settings, journal } = readTraining(path);
    const found = await parseArchitecture(settings.architecture, journal, process.cwd());
    await beginTraining(out, found, trainingRequestOf(settings));
  },
};

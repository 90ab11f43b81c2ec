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
import { readSignature, trainedArchitecture, trainedNetwork } from '../experiments/trained-network.js';
import { beginTraining, continueTraining } from '../experiments/training-run.js';
import {
  readTraining,
  TRAINING,
  type TrainingRunSettings,
  trainingRequestOf,
} from '../experiments/training-run-settings.js';
import { InputError } from '../input-error.js';
import { isBetter, type Measure, type Measures, objectivesSchema } from '../measures/measure.js';
import { collectivesLine, collectivesOf } from '../reports/collectives-line.js';
import { drawFound } from '../reports/draw-network.js';
import { epochCourses } from '../reports/epoch-courses.js';
import { capitalised, duration, valueText } from '../reports/figures.js';
import { memoryLines } from '../reports/memory-lines.js';
import { reportTraining, type TrainingPictures } from '../reports/training-report.js';
import { AMENDED, refuseAmendments } from '../runs/amendments.js';
import { replaceFile } from '../runs/atomic-file.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { memoryOfEpochs } from '../runs/memory-in-use.js';
import { lockHolder } from '../runs/run-lock.js';
import { INTERRUPTED, interruptible } from '../terminal/interruption.js';
import type { Terminal } from '../terminal/terminal.js';
import { trainingFiles } from '../training/final-training.js';
import { readSamples } from '../training/samples.js';
import type { GoingOn, KindOfRun, Said, WentOn } from './kind-of-run.js';

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
  /** Epoch by epoch: the mean training loss, and the measures on the validation data; null where it was not validated. */
  readonly curve: readonly {
    readonly epoch: number;
    readonly loss: number | null;
    readonly measures: Measures | null;
  }[];
  /** The epoch whose weights are kept, with its validation measures; null where those of the last epoch are. */
  readonly best: { readonly epoch: number; readonly measures: Measures } | null;
  /** The weights that it began with; null where all were initialised. */
  readonly start: { readonly from: string; readonly newClassifier: boolean } | null;
  readonly weights: string | null;
  readonly report: string;
}

const LINE_EVERY_MS = 200;

async function goOn(
  path: string,
  terminal: Terminal,
  { data, amend, meeting }: GoingOn = {},
): Promise<WentOn> {
  refuseAmendments(amend, ['trials', 'timeoutSeconds', 'retryFailed'], 'a training has no children');
  const interrupt = interruptible(terminal);
  const begun = performance.now();
  let shown = 0;
  let stepsBefore: number | undefined;
  const [objective] = readTraining(path).settings.objectives;
  try {
    const trained = await continueTraining(
      path,
      {
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
      },
      { data, epochs: amend?.epochs, meeting },
    );
    if (trained === undefined) process.exitCode = INTERRUPTED;
    const { json, text } = await show(path);
    return trained === undefined
      ? { finished: false, text, json: { ...json, status: 'interrupted' } }
      : { finished: true, text, json };
  } finally {
    terminal.settle();
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
    curve: epochs.map(({ epoch, loss, measures }) => ({
      epoch: Number(epoch),
      loss: typeof loss === 'number' ? loss : null,
      measures: (measures as unknown as Measures | undefined) ?? null,
    })),
    best: bestEpoch(settings, epochs),
    start:
      settings.start === undefined
        ? null
        : { from: settings.start.from, newClassifier: settings.start.newClassifier },
    weights: end === undefined ? null : trainingFiles(path).weights,
    report: join(path, 'report.html'),
  };
}

/** Of a training that keeps the best epoch: the first one with the best validation measure so far. */
function bestEpoch(
  { training, objectives }: TrainingRunSettings,
  epochs: readonly JournalEvent[],
): TrainingSummary['best'] {
  if (training.keepBest !== true) return null;
  const [objective] = objectives;
  const best = epochs.reduce<JournalEvent | undefined>((first, one) => {
    const [value, before] = [measureIn(one, objective.name), measureIn(first, objective.name)];
    return value !== undefined && (before === undefined || isBetter(objective, value, before)) ? one : first;
  }, undefined);
  return best === undefined
    ? null
    : { epoch: best.epoch as number, measures: best.measures as unknown as Measures };
}

function describe(summary: TrainingSummary, objective: Measure, courses: readonly string[]): string {
  const { run, status, judge, measures, weights, report, epochs } = summary;
  const isFinished = status === 'finished' && measures !== null;
  const told = [startText(summary), bestText(summary, objective)].filter((text) => text !== undefined);
  return [
    isFinished
      ? `${run}: trained; ${judge} ${objective.name} ${valueText(objective, measures[objective.name] as number)}`
      : `${run}: ${epochs} epochs done`,
    ...told.map((text) => `  ${text}`),
    ...courses,
    isFinished ? `  weights ${weights}, report ${report}` : `  report ${report}`,
    ...(isFinished ? [] : [`to go on: espalier resume ${run}`]),
  ].join('\n');
}

function startText({ start }: TrainingSummary): string | undefined {
  if (start === null) return undefined;
  return `begun with the weights of ${start.from}${start.newClassifier ? ' and a new classifier' : ''}`;
}

function bestText({ best }: TrainingSummary, objective: Measure): string | undefined {
  if (best === null) return undefined;
  const value = valueText(objective, best.measures[objective.name] as number);
  return `best epoch ${best.epoch}, validation ${objective.name} ${value}`;
}

/** Writes report.html into the folder. */
async function show(path: string): Promise<Said & { readonly json: TrainingSummary }> {
  const training = readTraining(path);
  const summary = readSummary(path);
  const page = reportTraining(training.settings, training.events, await picturesOf(path, summary));
  replaceFile(summary.report, page);
  const [objective] = training.settings.objectives;
  const courses = epochCourses(epochsOf(training.events), objective);
  return { text: describe(summary, objective, courses), json: summary };
}

/** What a page shows of the network; a page is written without a picture where a file of the user's own is gone. */
async function picturesOf(path: string, { best, start }: TrainingSummary): Promise<TrainingPictures> {
  const { classes } = readSignature(path);
  const known: TrainingPictures = {
    classes: z.array(z.string()).safeParse(classes).data ?? [],
    samples: readSamples(path),
    ...(best === null ? {} : { bestEpoch: best.epoch }),
    ...(start === null ? {} : { start: start.from }),
  };
  try {
    const network = await drawFound(await trainedArchitecture(path), 'The network that was trained');
    return network === undefined ? known : { ...known, network };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...known, notDrawn: `It cannot be drawn: ${error.message}` };
  }
}

async function status(path: string): Promise<Said> {
  const { settings, events } = readTraining(path);
  const summary = readSummary(path);
  const running = lockHolder(path);
  const is = summary.status === 'finished' ? 'finished' : running === undefined ? 'stopped' : 'running';
  const of = Number(settings.training.epochs);
  const [objective] = settings.objectives;
  const value = summary.measures?.[objective.name];
  const parts = [
    `${path}: training with ${settings.task.data}, ${is}: ${summary.epochs} of ${of} epochs`,
    value === undefined ? undefined : `${summary.judge} ${objective.name} ${valueText(objective, value)}`,
    bestText(summary, objective),
    startText(summary),
  ];
  const head = parts.filter((part) => part !== undefined).join(', ');
  const epochs = epochsOf(events);
  const memory = memoryOfEpochs(epochs);
  const collectives = collectivesOf(epochs);
  return {
    text: [
      head,
      ...epochCourses(epochs, objective),
      ...collectivesLine(collectives),
      ...memoryLines(memory),
    ].join('\n'),
    json: { ...summary, status: is, ofEpochs: of, pid: running?.pid ?? null, memory, collectives },
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
  hasPeers: true,
  name: 'training',
  result,
  architecture: trainedArchitecture,
  network: trainedNetwork,
  status,
  show,
  goOn,
  async beginAgain(path, out) {
    const { settings, journal, events } = readTraining(path);
    if (events.some(({ event }) => event === AMENDED))
      throw new InputError(
        `${path}: its epochs were changed on the way (resume --epochs), which is not repeated in one training`,
      );
    const found = await parseArchitecture(settings.architecture, journal, process.cwd());
    await beginTraining(out, found, trainingRequestOf(settings, path));
  },
};

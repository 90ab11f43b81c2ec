import { join } from 'node:path';
import { z } from 'zod';
import { architectureFile } from '../experiments/found-architecture.js';
import { type RunPlace, requireSameData } from '../experiments/places.js';
import { foundBy, readSupernetJournal, readSupernetRun } from '../experiments/read-supernet-run.js';
import {
  endOf,
  epochsOf,
  measureIn,
  type OwnResult,
  type ReadResult,
  secondsOf,
} from '../experiments/run-result.js';
import type { SearchChanges } from '../experiments/runs-of-all-kinds.js';
import { beginSupernetRun, continueSupernetRun } from '../experiments/supernet-run.js';
import { SUPERNET, supernetRequestNow, supernetRequestOf } from '../experiments/supernet-run-settings.js';
import type { Json } from '../json.js';
import { type Measure, type Measures, objectivesSchema } from '../measures/measure.js';
import { partLabel } from '../modules/find-part.js';
import { collectivesLine, collectivesOf } from '../reports/collectives-line.js';
import { drawFound } from '../reports/draw-network.js';
import { epochCourses } from '../reports/epoch-courses.js';
import { duration, valueText } from '../reports/figures.js';
import { memoryLines } from '../reports/memory-lines.js';
import { reportSupernet } from '../reports/supernet-report.js';
import { refuseAmendments } from '../runs/amendments.js';
import { replaceFile } from '../runs/atomic-file.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { memoryOfEpochs } from '../runs/memory-in-use.js';
import { lockHolder } from '../runs/run-lock.js';
import { INTERRUPTED, interruptible } from '../terminal/interruption.js';
import type { Terminal } from '../terminal/terminal.js';
import { readSamples } from '../training/samples.js';
import { changedTask } from './changed-task.js';
import type { GoingOn, KindOfRun, Said, WentOn } from './kind-of-run.js';

/** What a search with shared weights came to, for `--json`. */
interface SupernetSummary {
  readonly run: string;
  readonly status: 'finished' | 'interrupted' | 'unfinished';
  readonly strategy: string;
  readonly epochs: number;
  /** The measure that decides. */
  readonly measure: string;
  /** Of the choice where the strategy measures it, or of the supernet after the last epoch. */
  readonly value: number | null;
  readonly measures: Measures | null;
  readonly architecture: unknown;
}

const LINE_EVERY_MS = 200;

async function goOn(path: string, terminal: Terminal, { data, amend }: GoingOn = {}): Promise<WentOn> {
  refuseAmendments(
    amend,
    ['epochs'],
    'the learning rate of a supernet falls over all epochs, so those that are done would have been others',
  );
  refuseAmendments(
    amend,
    ['trials', 'timeoutSeconds', 'retryFailed'],
    'a search with shared weights has no children',
  );
  const interrupt = interruptible(terminal);
  const begun = performance.now();
  let shown = 0;
  let stepsBefore: number | undefined;
  let best = '';
  const live = (text: () => string) => {
    const now = performance.now();
    if (!terminal.isLive || now - shown < LINE_EVERY_MS) return;
    shown = now;
    terminal.live(text());
  };
  const { objectives, epochs: already } = readSupernetJournal(path);
  const [objective] = objectives;
  if (already.length > 0)
    terminal.line(`${path}: going on after ${already.length} ${already.length === 1 ? 'epoch' : 'epochs'}`);
  let rate = 0;
  try {
    const finished = await continueSupernetRun(
      path,
      {
        signal: interrupt.signal,
        message: (text) => terminal.line(text),
        step({ epoch, epochs, step, stepsPerEpoch, loss }) {
          const done = (epoch - 1) * stepsPerEpoch + step;
          stepsBefore ??= done - 1;
          rate = ((done - stepsBefore) * 1000) / (performance.now() - begun);
          live(
            () =>
              `epoch ${epoch} of ${epochs}, step ${step} of ${stepsPerEpoch}: loss ${loss.toFixed(4)}, ` +
              `${rate.toFixed(1)} steps a second, ${duration((epochs * stepsPerEpoch - done) / rate)} left${best}`,
          );
        },
        epochEnded(event) {
          const value = measureIn(event, objective.name);
          if (value !== undefined) best = `, ${describeMeasure(objective, value)}`;
          terminal.line(
            `epoch ${event.epoch}: training loss ${(event.loss as number).toFixed(4)}` +
              `${value === undefined ? '' : `, supernet ${describeMeasure(objective, value)}`}` +
              `, ${rate.toFixed(1)} steps a second${describeSkips(event)}`,
          );
          if (typeof event.warning === 'string') terminal.line(`warning: ${event.warning}`);
        },
        choice: ({ done, of, what }) => live(() => `choosing: ${done} of ${of}, ${what}`),
      },
      data,
    );
    if (!finished) process.exitCode = INTERRUPTED;
    const written = await writeResult(path);
    const summary: SupernetSummary = finished ? written : { ...written, status: 'interrupted' };
    return { finished, text: describe(summary, objective), json: summary };
  } finally {
    terminal.settle();
    interrupt.done();
  }
}

function describeSkips({ skips }: JournalEvent): string {
  if (typeof skips !== 'object' || skips === null) return '';
  const counts = Object.entries(skips as Record<string, Json>).map(([cell, count]) => `${count} in ${cell}`);
  return `, skip connections: ${counts.join(', ')}`;
}

const describeMeasure = (measure: Measure, value: number) =>
  `validation ${measure.name} ${valueText(measure, value)}`;

/** What the journal of a search says it has come to. */
async function readSummary(path: string): Promise<SupernetSummary> {
  const run = await readSupernetRun(path);
  const { settings, objectives, epochs, end } = run;
  const [{ name }] = objectives;
  const last = end?.measures === undefined ? epochs.at(-1) : end;
  const found = end !== undefined || epochs.at(-1)?.architecture !== undefined;
  return {
    run: path,
    status: end === undefined ? 'unfinished' : 'finished',
    strategy: settings.strategy,
    epochs: epochs.length,
    measure: name,
    value: measureIn(last, name) ?? null,
    measures: (last?.measures as unknown as Measures | undefined) ?? null,
    architecture: found ? architectureFile(foundBy(run)) : null,
  };
}

/**
 * Writes what a search has come to into its folder: report.html, and of the architecture, if there is one, best.json and
 * best.svg.
 */
async function writeResult(path: string): Promise<SupernetSummary> {
  const summary = await readSummary(path);
  const run = await readSupernetRun(path);
  const network =
    summary.architecture === null
      ? undefined
      : await drawFound(foundBy(run), 'The network of the architecture found');
  const report = reportSupernet(run, network, readSamples(path));
  replaceFile(join(path, 'report.html'), report);
  if (network !== undefined) replaceFile(join(path, 'best.svg'), network);
  if (summary.architecture !== null)
    replaceFile(join(path, 'best.json'), `${JSON.stringify(summary.architecture, null, 2)}\n`);
  return summary;
}

function describe(summary: SupernetSummary, objective: Measure): string {
  const { run, status, strategy, epochs, value, architecture } = summary;
  const lines = [`${run}: ${status}, ${strategy} after ${epochs} epochs`];
  if (value !== null) lines.push(`  ${describeMeasure(objective, value)} with the shared weights`);
  if (architecture !== null) lines.push(`  architecture ${join(run, 'best.json')}`);
  lines.push(`  report ${join(run, 'report.html')}`);
  if (status !== 'finished') lines.push(`to go on: espalier resume ${run}`);
  return lines.join('\n');
}

async function show(path: string): Promise<Said> {
  const summary = await writeResult(path);
  const [objective] = readSupernetJournal(path).objectives;
  return { text: describe(summary, objective), json: summary };
}

async function status(path: string): Promise<Said> {
  const running = lockHolder(path);
  const summary = await readSummary(path);
  const { settings, epochs, objectives } = readSupernetJournal(path);
  const memory = memoryOfEpochs(epochs);
  const collectives = collectivesOf(epochs);
  const is = summary.status === 'finished' ? 'finished' : running === undefined ? 'stopped' : 'running';
  return {
    text: [
      `${path}: ${summary.strategy} with ${settings.task.data}, ${is}: ${summary.epochs} of ${settings.strategyOptions.epochs} epochs`,
      ...epochCourses(epochs, objectives[0]),
      ...collectivesLine(collectives),
      ...memoryLines(memory),
    ].join('\n'),
    json: { ...summary, status: is, pid: running?.pid ?? null, memory, collectives },
  };
}

const header = z.looseObject({
  strategy: z.string(),
  space: z.string(),
  threads: z.int(),
  task: z.looseObject({ data: z.string() }),
  dataChecksum: z.string(),
  objectives: objectivesSchema,
  strategyOptions: z.looseObject({ epochs: z.int(), device: z.string() }),
});

/**
 * The end has a measure where the strategy measures the architecture that it chose. Otherwise the last epoch has that of
 * the supernet as a whole, which is another measure and not to be compared with the former.
 */
const result: ReadResult = (begin, events): OwnResult => {
  const { strategy, space, threads, task, dataChecksum, objectives, strategyOptions } = header.parse(begin);
  const [objective] = objectives;
  const end = endOf(events);
  const epochs = epochsOf(events);
  const isOfSupernet = end !== undefined && measureIn(end, objective.name) === undefined;
  return {
    strategy: partLabel(strategy),
    space: partLabel(space),
    data: task.data.split(':')[0] as string,
    dataChecksum,
    measure: {
      ...objective,
      name: `validation ${objective.name} ${isOfSupernet ? 'of the supernet' : 'with shared weights'}`,
    },
    value: measureIn(isOfSupernet ? epochs.at(-1) : end, objective.name),
    budget: { amount: strategyOptions.epochs, unit: 'epochs' },
    threads,
    device: strategyOptions.device,
    // Choosing takes time too, in random search with shared weights more than the training.
    spent: [...epochs, ...(end === undefined ? [] : [end])].map((event) => {
      const value = measureIn(event, objective.name);
      return { seconds: secondsOf(event), ...(value === undefined ? {} : { value }) };
    }),
  };
};

async function beginAgain(path: string, out: string, changes?: SearchChanges): Promise<void> {
  const { settings, from } = readSupernetJournal(path);
  if (changes === undefined) return beginSupernetRun(out, supernetRequestOf(settings));
  const { seed, data } = changes;
  const place: RunPlace = { run: path, from, use: 'go on', data };
  const request = supernetRequestNow(settings, place);
  const task = changedTask(request.task, request.seed, seed);
  await beginSupernetRun(out, { ...request, seed, task }, (checksum) =>
    requireSameData(settings.dataChecksum, checksum, settings.task.data, place),
  );
}

/** A search that trains one supernet in place of children. */
export const weightSharingSearch: KindOfRun = {
  event: SUPERNET,
  name: 'search with shared weights',
  result,
  architecture: async (path) => foundBy(await readSupernetRun(path)),
  status,
  show,
  goOn,
  beginAgain,
};

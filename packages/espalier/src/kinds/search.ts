import { z } from 'zod';
import {
  architectureOf,
  type Experiment,
  type ExperimentRequest,
  type ExperimentSettings,
  headerOf,
  prepareExperiment,
  prepareResume,
  requestNow,
  requestOf,
} from '../experiments/experiment.js';
import { findStrategy, sharesWeights } from '../experiments/find-strategy.js';
import {
  architectureFile,
  architectureOfChild,
  bestArchitectures,
  bestOf,
  type ReadJournal,
  readRun,
  readSearch,
  trialsOfChild,
} from '../experiments/found-architecture.js';
import { learningCurve } from '../experiments/learning-curve.js';
import { partNow, type RunPlace, requireSameData } from '../experiments/places.js';
import { type OwnResult, type ReadResult, secondsOf } from '../experiments/run-result.js';
import type { SearchChanges } from '../experiments/runs-of-all-kinds.js';
import type { Json } from '../json.js';
import { bestValue } from '../measures/measure.js';
import { partLabel } from '../modules/find-part.js';
import { keepCode } from '../modules/kept-code.js';
import { withQueue } from '../queue/open-queue-pool.js';
import type { QueuePoolSettings } from '../queue/queue-pool.js';
import { redisAddress } from '../queue/redis-address.js';
import { childName, countedIn } from '../reports/child-name.js';
import { valueText } from '../reports/figures.js';
import { memoryLines } from '../reports/memory-lines.js';
import { recentAverage } from '../reports/search-report.js';
import { type Amendments, amendsSomething, refuseAmendments } from '../runs/amendments.js';
import { readJournal } from '../runs/journal.js';
import type { Clock, JournalEvent } from '../runs/journal-event.js';
import { memoryOverTime } from '../runs/memory-in-use.js';
import { RunFolder } from '../runs/run-folder.js';
import { lockHolder } from '../runs/run-lock.js';
import { RunState } from '../runs/run-state.js';
import { rungsOf } from '../runs/rungs.js';
import { runSearch } from '../runs/search.js';
import { taskSettings } from '../tasks/task-settings.js';
import { INTERRUPTED, interruptible } from '../terminal/interruption.js';
import type { Terminal } from '../terminal/terminal.js';
import { changedTask } from './changed-task.js';
import type { GoingOn, KindOfRun, Said, WentOn } from './kind-of-run.js';
import { SearchProgress } from './search-progress.js';
import { repeatedText, summaryText, writeSummary } from './search-summary.js';

/** Children that fail before a search is given up of which none has succeeded. */
const MOST_FAILURES = 5;

/** Exit code of a search that has measured no child. */
const ALL_FAILED = 1;

/** Runs a prepared search from where its journal ends, shows it, and writes its report. Closes the search. */
async function runToEnd(
  experiment: Experiment,
  folder: RunFolder,
  terminal: Terminal,
  { follow = [], amend }: Pick<GoingOn, 'follow' | 'amend'> = {},
): Promise<WentOn> {
  const progress = new SearchProgress(terminal);
  const interrupt = interruptible(terminal);
  for (const note of experiment.notes) terminal.line(`note: ${note}`);
  try {
    const end = await runSearch({
      folder,
      header: headerOf(experiment.settings),
      strategy: experiment.strategy,
      strategyName: experiment.settings.strategy,
      estimator: experiment.estimator,
      architectureOf: architectureOf(experiment.space),
      signal: interrupt.signal,
      report: (notice) => progress.take(notice),
      follow,
      // What repeats a run does as that did.
      ...(follow.length === 0 ? { mostFailures: MOST_FAILURES } : {}),
      amend,
    });
    if (end.status === 'interrupted') process.exitCode = INTERRUPTED;
    else if (end.state.done === 0 && end.state.failed > 0) process.exitCode = ALL_FAILED;
    const summary = { ...(await writeSummary(folder.path)), status: end.status };
    return { finished: end.status === 'finished', text: summaryText(summary), json: summary };
  } finally {
    terminal.settle();
    interrupt.done();
    await experiment.close();
  }
}

/** The Redis in which a search was begun, without its password. */
const begunIn = z.object({ redis: z.string(), priority: z.int() });

const queueClock = (queue: QueuePoolSettings | undefined): Clock =>
  queue === undefined ? {} : { queue: { redis: queue.address.shown, priority: queue.priority } };

/** Where the children of a begun search are trained from now on; undefined for this machine. */
function queueNow(begin: JournalEvent, redis: GoingOn['redis']): QueuePoolSettings | undefined {
  const begun = begunIn.safeParse(begin.clock?.queue).data;
  const address = redis ?? begun?.redis ?? false;
  if (address === false) return undefined;
  return { address: redisAddress(address), priority: begun?.priority ?? 0 };
}

/** Begins a search in a new folder and runs it. @throws InputError for whatever is wrong; nothing is written then */
export async function searchIn(
  path: string,
  request: ExperimentRequest,
  terminal: Terminal,
  queue?: QueuePoolSettings,
): Promise<WentOn> {
  RunFolder.requireFree(path);
  const experiment = await withQueue(queue, (remote) => prepareExperiment(request, process.cwd(), remote));
  let folder: RunFolder;
  try {
    folder = RunFolder.create(path, headerOf(experiment.settings), experiment.code, queueClock(queue));
  } catch (error) {
    await experiment.close();
    throw error;
  }
  return runToEnd(experiment, folder, terminal);
}

async function show(path: string): Promise<Said> {
  const summary = await writeSummary(path);
  return { text: summaryText(summary), json: summary };
}

/** A child: its architecture, and what each of its trainings came to. */
async function showChild(path: string, child: number): Promise<Said> {
  const run = await readRun(path);
  const { state } = run;
  const architecture = architectureFile(architectureOfChild(run, child));
  const trials = trialsOfChild(run, child).map(({ trial, epochs, outcome }) => ({
    trial,
    name: childName(state, trial),
    epochs: epochs ?? null,
    status: outcome?.status ?? 'unfinished',
    measures: outcome?.status === 'ok' ? outcome.measures : null,
    reason: outcome?.status === 'failed' ? outcome.reason : null,
    curve: outcome?.status === 'ok' ? (outcome.epochs ?? null) : null,
  }));
  const lines = trials.map(({ name, measures, reason }) => {
    if (measures === null) return `${name}: ${reason === null ? 'not measured yet' : `failed: ${reason}`}`;
    const values = Object.entries(measures).map(
      ([measure, value]) => `${measure} ${valueText(measureNamed(state, measure), value)}`,
    );
    return `${name}: ${values.join(', ')}`;
  });
  return {
    text: [...lines, JSON.stringify(architecture, null, 2)].join('\n'),
    json: { run: path, child, architecture, trials },
  };
}

/** A measure as the run says how it is shown, or as the box does. */
const measureNamed = ({ objectives }: RunState, name: string) =>
  objectives.find((one) => one.name === name) ?? name;

const header = z.looseObject({
  strategy: z.string(),
  space: z.string(),
  workers: z.int(),
  estimation: z.looseObject({
    estimator: z.string(),
    checksum: z.string().optional(),
    source: z.object({ name: z.string(), checksum: z.string() }).optional(),
    costUnit: z.string().optional(),
    options: z.looseObject({
      threads: z.int().optional(),
      training: z.looseObject({ device: z.string(), epochs: z.int() }).optional(),
    }),
  }),
});

/** The budget that the settings allow, or what was spent where they do not limit the trials. */
function budgetOf(
  state: RunState,
  epochs: number | undefined,
  unit: string | undefined,
): OwnResult['budget'] {
  const { trials } = state.header;
  if (trials === undefined) return { amount: state.cost, unit: unit ?? 'trials' };
  if (unit === undefined) return { amount: trials, unit: 'trials' };
  const planned = state.trials.some((trial) => trial.epochs !== undefined) || epochs === undefined;
  return { amount: planned ? state.cost : trials * epochs, unit };
}

const result: ReadResult = (begin, events, path): OwnResult => {
  const { strategy, space, estimation } = header.parse(begin);
  const state = RunState.of(events, path);
  const { objective } = state;
  const { source, options, costUnit, estimator, checksum } = estimation;
  const measuredIn = (outcome: (typeof state.results)[number]['outcome']) =>
    outcome?.status === 'ok' ? outcome.measures[objective.name] : undefined;
  const values = state.results.flatMap(({ outcome }) => measuredIn(outcome) ?? []);
  return {
    strategy: partLabel(strategy),
    space: partLabel(space),
    data: source?.name ?? partLabel(estimator),
    dataChecksum: source?.checksum ?? checksum ?? estimator,
    measure: { ...objective, name: `validation ${objective.name}` },
    value: bestValue(objective, values),
    budget: budgetOf(state, options.training?.epochs, costUnit),
    threads: options.threads ?? 1,
    device: options.training?.device ?? 'cpu',
    spent: events
      .filter(({ event }) => event === 'result')
      .map((event, place) => {
        const value = measuredIn(state.results[place]?.outcome);
        return { seconds: secondsOf(event), ...(value === undefined ? {} : { value }) };
      }),
    children: state.results
      .map(({ outcome }) => learningCurve(outcome, objective.name).map(({ value }) => value))
      .filter((child) => child.length > 0),
  };
};

async function status(path: string): Promise<Said> {
  const { state, settings, torn } = readSearch(path);
  const { objective, header: begun } = state;
  const baseline = state.updates.at(-1)?.baseline;
  const holder = lockHolder(path);
  const rungs = rungsOf(state);
  const data = settings.estimation.source?.name ?? null;
  const memory = memoryOverTime(
    state.results.map(({ outcome }) => ({ memory: outcome?.clock?.memory, worker: outcome?.clock?.worker })),
  );
  const json = {
    run: path,
    status: state.finished ? 'finished' : holder === undefined ? 'stopped' : 'running',
    pid: holder?.pid ?? null,
    space: settings.space,
    strategy: settings.strategy,
    estimator: settings.estimation.estimator,
    data,
    order: settings.order,
    trials: begun.trials ?? null,
    seconds: { spent: state.seconds, budget: begun.seconds ?? null },
    cost: { spent: state.cost, budget: begun.cost ?? null, unit: settings.estimation.costUnit ?? null },
    children: state.children,
    rungs,
    told: state.told,
    done: state.done,
    failed: state.failed,
    repeated: state.repeated,
    differences: state.differences,
    outstanding: state.outstanding.map(({ trial }) => trial),
    best: state.best === null ? null : { ...state.best.measures, ...state.best },
    measure: objective.name,
    recentAverage: recentAverage(state) ?? null,
    rewardBaseline: typeof baseline === 'number' ? baseline : null,
    failures: state.failures,
    memory,
    tornLastLine: torn,
  };
  const textOf = (value: number) => valueText(objective, value);
  const best =
    state.best === null
      ? ''
      : `, best ${objective.name} ${textOf(state.best.value)} (${childName(state, state.best.trial)})`;
  const of = begun.trials === undefined ? '' : ` of ${begun.trials}`;
  const lines = [
    `${path}: ${partLabel(settings.strategy)} on ${partLabel(settings.space)} with ` +
      `${data ?? `estimator ${partLabel(settings.estimation.estimator)}`}, ` +
      `${json.status}: ${state.told}${of} ${countedIn(state)}, ${state.failed} failed${best}`,
    ...rungs.map(
      ({ epochs, told, asked, promoted, best: itsBest }) =>
        `  ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}: ${told} of ${asked} children trained, ` +
        `${promoted} promoted${itsBest === null ? '' : `, best ${textOf(itsBest)}`}`,
    ),
    ...(state.repeated > 0 ? [`  ${repeatedText(state.repeated)}`] : []),
    ...memoryLines(memory),
    ...state.differences.map(
      (trial) => `  ${childName(state, trial)}: a late attempt came to something else, with the same seed`,
    ),
    ...state.failures.map(({ trial, reason }) => `  ${childName(state, trial)} failed: ${reason}`),
  ];
  return { text: lines.join('\n'), json };
}

async function goOn(
  path: string,
  terminal: Terminal,
  { follow, data, redis, amend }: GoingOn = {},
): Promise<WentOn> {
  const run = readSearch(path);
  const place: RunPlace = { run: path, from: run.from, use: 'go on', data };
  await checkAmendments(run, place, amend);
  if (run.state.finished && !amendsSomething(amend)) {
    terminal.line(`${path}: the search is finished; there is nothing to go on with`);
    return { finished: true, ...(await show(path)) };
  }
  const timeoutSeconds = amend?.timeoutSeconds ?? run.state.timeoutSeconds;
  const [begin] = readJournal(run.folder.journal).events as [JournalEvent];
  const experiment = await withQueue(queueNow(begin, redis), (remote) =>
    prepareResume(headerOf(run.settings), place, timeoutSeconds, remote),
  );
  // A process that was killed early may not have come to this.
  keepCode(path, experiment.code);
  if (run.state.told > 0)
    terminal.line(`${path}: going on after ${run.state.told}${ofTrials(run)} ${countedIn(run.state)}`);
  return runToEnd(experiment, run.folder, terminal, { ...(follow === undefined ? {} : { follow }), amend });
}

/** @throws InputError for a change that this search cannot take */
async function checkAmendments(
  { state, settings, from }: ReadJournal,
  place: RunPlace,
  amend: Amendments | undefined,
): Promise<void> {
  refuseAmendments(
    amend,
    ['epochs'],
    'children that were trained for different times could not be compared; begin another search',
  );
  const { trials, retryFailed = false } = amend ?? {};
  if (!('task' in settings.estimation.options))
    refuseAmendments(
      amend,
      ['timeoutSeconds'],
      `estimator ${settings.estimation.estimator} has no time limit for a child`,
    );
  if (trials !== undefined) {
    const name = partNow('strategy', settings.strategy, settings.strategyChecksum, place);
    const { definition } = await findStrategy(name, from);
    if (!sharesWeights(definition) && definition.plan !== undefined)
      refuseAmendments(
        amend,
        ['trials'],
        `the rungs of strategy ${definition.name} ask for ${state.header.trials} trials; begin another search with ` +
          'more configurations',
      );
    if (state.finished && trials <= state.trials.length)
      refuseAmendments(
        amend,
        ['trials'],
        `the search is finished and has ${state.trials.length} trials; allowed: more`,
      );
  }
  if (retryFailed && state.failed === 0) refuseAmendments(amend, ['retryFailed'], 'no child has failed');
}

const ofTrials = ({ state }: ReadJournal) =>
  state.header.trials === undefined ? '' : ` of ${state.header.trials}`;

async function beginAgain(path: string, out: string, changes?: SearchChanges): Promise<void> {
  const { settings, from } = readSearch(path);
  const place: RunPlace = { run: path, from, use: 'go on', data: changes?.data };
  const request = changes === undefined ? requestOf(settings) : changedRequest(settings, changes, place);
  // The order of the results is repeated, not chosen anew.
  const experiment = await prepareExperiment(request, process.cwd());
  try {
    const { source } = experiment.settings.estimation;
    if (changes !== undefined)
      requireSameData(settings.estimation.source?.checksum, source?.checksum, source?.name, place);
    RunFolder.create(out, headerOf(experiment.settings), experiment.code);
  } finally {
    await experiment.close();
  }
}

/** Which inputs are held out follows the seed, as in `espalier search`. */
function changedRequest(
  begun: ExperimentSettings,
  { seed }: SearchChanges,
  place: RunPlace,
): ExperimentRequest {
  const request = requestNow(begun, place);
  const task = taskSettings.safeParse(request.estimatorOptions.task);
  return {
    ...request,
    seed,
    ...(task.success
      ? {
          estimatorOptions: {
            ...request.estimatorOptions,
            task: changedTask(task.data, request.seed, seed) as unknown as Json,
          },
        }
      : {}),
  };
}

/** A search that trains and measures each child by itself. */
export const search: KindOfRun = {
  event: 'run',
  name: 'search',
  result,
  architecture: async (path) => bestOf(await readRun(path), path),
  best: async (path, count) => bestArchitectures(await readRun(path), count),
  children: {
    architecture: async (path, child) => architectureOfChild(await readRun(path), child),
    show: showChild,
  },
  status,
  show,
  goOn,
  beginAgain,
};

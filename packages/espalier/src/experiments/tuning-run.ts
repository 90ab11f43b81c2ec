import { join } from 'node:path';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { isBetter } from '../measures/measure.js';
import type { Journal } from '../runs/journal.js';
import { RunFolder } from '../runs/run-folder.js';
import { resolveOptions } from '../space/options.js';
import type { JudgedPart } from '../training/final-training.js';
import { clockNow, withJournal } from '../training/journaled-epochs.js';
import { version } from '../version.js';
import { configured, parseArchitecture } from './found-architecture.js';
import { taskOfPart } from './held-out-data.js';
import type { RunPlace } from './places.js';
import { requireSameVersion } from './readable-version.js';
import { RunOfRuns, type RunsWatch, Stopped } from './run-of-runs.js';
import type { RunsOfAllKinds } from './runs-of-all-kinds.js';
import { checkTraining } from './training-run.js';
import {
  finalTraining,
  optionsIn,
  type Point,
  pointsOf,
  readTuning,
  TUNING,
  type TuningRequest,
  type TuningSettings,
  type TuningState,
} from './tuning.js';

/** A training that is about to begin or to go on. */
export interface TuningStep {
  /** Counted from 1; the last one comes after the grid. */
  readonly number: number;
  readonly of: number;
  readonly options: Point;
  /** Of the training, and of all that come after it. */
  readonly epochs: number;
  readonly epochsAfter: number;
}

/** What a grid search does with its trainings, and says. */
export interface TuningWatch extends RunsWatch {
  step(step: TuningStep): void;
}

/**
 * Begins a grid search in a new folder. Every point of the grid is checked first.
 *
 * @throws InputError for whatever is wrong with the request; nothing is written then
 */
export async function beginTuning(path: string, request: TuningRequest): Promise<void> {
  const parsed = await parseArchitecture(request.architecture, 'the architecture', process.cwd(), {
    run: '.',
    use: 'go on',
  });
  const points = pointsOf(request.grid);
  const foundAt = (point: Point) =>
    configured(parsed, { ...request.spaceOptions, ...optionsIn(point, 'space') });
  const [first] = points as [Point];
  const training = { ...request.training, ...optionsIn(first, 'training'), epochs: request.epochs };
  const opened = await checkTraining(foundAt(first), { task: request.task, training, judge: 'validation' });
  for (const point of points) {
    foundAt(point);
    const options = resolveOptions('the training', opened.definition.training.options, {
      ...request.training,
      ...optionsIn(point, 'training'),
    });
    if ('training.decayEpoch' in point && !decays(options))
      throw new InputError(
        `the grid has decayEpoch, but with schedule '${options.schedule}' the learning rate does not decay at an epoch; ` +
          'allowed: --set schedule=step, --set schedule=exponential',
      );
  }
  // The last training holds nothing out.
  await checkTraining(foundAt(first), { task: await taskOfPart(request.task, { training }), training });
  const task =
    opened.graph === undefined ? request.task : { ...request.task, checksum: opened.graph.checksum };
  const settings: TuningSettings = {
    version,
    ...request,
    task,
    dataChecksum: opened.data.checksum(),
    objectives: opened.task.measures,
  };
  RunFolder.begin(
    path,
    { event: TUNING, ...(JSON.parse(JSON.stringify(settings)) as Record<string, Json>) },
    [parsed.code, opened.graph].flatMap((graph) => graph ?? []),
  );
}

const decays = ({ schedule }: Readonly<Record<string, Json>>) =>
  schedule === 'step' || schedule === 'exponential';

/**
 * Goes on with a grid search from where its journal ends (Zoph & Le 2016, section 4.1): trains the architecture at every
 * point of the grid, takes the one with the best validation measure, trains that from scratch on all training data, and
 * looks at the test data once, at the end.
 *
 * @param data where it is now, if not where the settings say
 * @returns whether it came to its end, and was not stopped
 * @throws InputError where the version or the data are not what they were
 */
export async function continueTuning(
  path: string,
  watch: TuningWatch,
  runs: RunsOfAllKinds,
  data?: string,
): Promise<boolean> {
  const state = readTuning(path);
  requireSameVersion(state.settings.version, path);
  return withJournal(path, RunFolder.open(path).journal, watch.message, async (journal) => {
    const place: RunPlace = { run: path, from: state.from, use: 'go on', data };
    const work = new RunOfRuns(journal, watch, runs, place, state.settings);
    try {
      await tune(state, journal, work, watch);
    } catch (error) {
      if (error instanceof Stopped) return false;
      throw error;
    }
    journal.finish();
    return true;
  });
}

async function tune(
  { settings, path }: TuningState,
  journal: Journal,
  work: RunOfRuns,
  watch: TuningWatch,
): Promise<void> {
  const { architecture, spaceOptions, training, grid, epochs, finalEpochs, seed, objectives } = settings;
  const points = pointsOf(grid);
  const of = points.length + 1;
  const train = (options: Point, number: number, run: string, its: number, judge: JudgedPart) => {
    const left = judge === 'test' ? 0 : (points.length - number) * epochs + finalEpochs;
    watch.step({ number, of, options, epochs: its, epochsAfter: left });
    return work.train(join(path, run), run, {
      architecture,
      spaceOptions: { ...spaceOptions, ...optionsIn(options, 'space') },
      training: { ...training, ...optionsIn(options, 'training'), epochs: its },
      seed,
      judge,
    });
  };
  journal.write({ event: TUNING, ...JSON.parse(JSON.stringify(settings)) }, clockNow());
  let best: { readonly point: number; readonly value: number } | undefined;
  for (const [index, options] of points.entries()) {
    const point = index + 1;
    const run = `point-${point}`;
    const { value } = await work.journaled({ event: 'trained', point, options, run }, () =>
      train(options, point, run, epochs, 'validation'),
    );
    if (typeof value === 'number' && (best === undefined || isBetter(objectives[0], value, best.value)))
      best = { point, value };
  }
  journal.write({ event: 'chosen', ...(best === undefined ? {} : { point: best.point }) }, clockNow());
  if (best !== undefined) {
    const chosen = forEpochs(points[best.point - 1] as Point, settings);
    await work.journaled({ event: 'tested', run: 'final' }, () =>
      train(chosen, of, 'final', finalEpochs, 'test'),
    );
  }
  journal.write({ event: 'end' }, clockNow());
}

/** A point for the last training: the learning rate decays at the same share of the epochs. */
function forEpochs(point: Point, { training, epochs, finalEpochs }: TuningSettings): Point {
  const { decayEpoch } = { ...training, ...optionsIn(point, 'training') };
  return typeof decayEpoch !== 'number' || finalEpochs === epochs
    ? point
    : {
        ...point,
        'training.decayEpoch': Math.max(1, Math.round((decayEpoch * finalEpochs) / epochs)),
      };
}

/** The folder of the network that a grid search came to. @throws InputError before its end */
export function tunedTraining(path: string): string {
  const { tested, finished } = readTuning(path);
  if (tested?.value === undefined)
    throw new InputError(
      finished
        ? `${path}: the grid search came to no network: its trainings failed`
        : `${path}: the grid search is not at its end; go on with it first: espalier resume ${path}`,
    );
  return finalTraining(path);
}

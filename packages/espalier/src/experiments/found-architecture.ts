import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { hub } from '../hub/hub.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { goodness, isBetter } from '../measures/measure.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { isFile } from '../modules/user-module.js';
import { didYouMean } from '../nearest-name.js';
import { folderBegunIn } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { RunState, type TrialState } from '../runs/run-state.js';
import {
  type ArchitectureFile,
  fromArchitectureFile,
  toArchitectureFile,
} from '../space/architecture-file.js';
import { optionValues } from '../space/options.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { spaces } from '../spaces/space-names.js';
import { type TaskSettings, taskSettings } from '../tasks/task-settings.js';
import { type ExperimentSettings, settingsOf } from './experiment.js';
import { partNow, type RunPlace, spaceNow, taskNow } from './places.js';
import { requireReadable } from './readable-version.js';

/** An architecture, with the space that it belongs to. */
export interface FoundArchitecture {
  readonly space: Space;
  readonly architecture: unknown;
  /** The path of the space's file where it is a user's own: it names the space in an architecture's file. */
  readonly spaceFile?: string;
  /** The code that the space was read with; that of `spaceFile` or of the copy that a run kept of it. */
  readonly code?: ImportGraph;
  /** The task and the data of the run that it comes from, with paths from the root. */
  readonly task?: TaskSettings;
  /** What the run, or who published it, built its networks for. */
  readonly input?: Readonly<Record<string, Json>>;
  /** How the run trained. */
  readonly training?: RunTraining;
  /** Which of several genotypes of a text it is, for people. */
  readonly note?: string;
}

/** How a run trained the networks that an architecture comes from. */
export interface RunTraining {
  /** Options of the trainings, or of a strategy that shares weights, by name. */
  readonly options: Readonly<Record<string, Json>>;
  /** Whether a supernet was trained: of its options only those of the data are for other networks too. */
  readonly sharesWeights: boolean;
  readonly dataChecksum: string | undefined;
}

/** What the file of an architecture holds. A user's space is named by its path, with the checksum of its code. */
export function architectureFile({
  space,
  architecture,
  spaceFile,
  code,
}: FoundArchitecture): ArchitectureFile {
  const { space: name, ...rest } = toArchitectureFile(space, architecture);
  return {
    space: spaceFile ?? name,
    ...(code === undefined ? {} : { spaceChecksum: code.checksum }),
    ...rest,
  };
}

/**
 * The same for the settings of a run that begins with an architecture. What goes on must not change, so a space whose
 * file has changed is named by the copy that it was read with.
 */
export function begunArchitecture(found: FoundArchitecture): Json {
  const { code } = found;
  const file = architectureFile(code === undefined ? found : { ...found, spaceFile: code.entry });
  return JSON.parse(JSON.stringify(file)) as Json;
}

/** The same architecture in a network with other options of its space. @throws InputError for options it does not have */
export function configured(
  found: FoundArchitecture,
  options: Readonly<Record<string, Json>>,
): FoundArchitecture {
  const space = Space.configure(found.space.definition, { ...found.space.options, ...options });
  return { ...found, space, architecture: space.validate(found.architecture) };
}

/** What the journal of a search says. */
export interface ReadJournal {
  readonly folder: RunFolder;
  readonly state: RunState;
  readonly settings: ExperimentSettings;
  /** The folder that relative paths of the settings begin at. */
  readonly from: string;
  /** Whether the last line of the journal is torn: the run was killed, or is being written. */
  readonly torn: boolean;
  readonly events: readonly JournalEvent[];
}

/** The state of a search and its space. */
export interface ReadRun extends ReadJournal {
  readonly space: Space;
  /** The code of a user's space. */
  readonly code?: ImportGraph;
}

/** Reads the journal of a search, and runs no code of the user. Errors as in `readRun`. */
export function readSearch(path: string): ReadJournal {
  const folder = RunFolder.open(path);
  const { events, torn } = readJournal(folder.journal);
  requireReadable(events[0] as JournalEvent, folder.journal);
  const state = RunState.of(events, folder.journal);
  const settings = settingsOf(state.header);
  const from = folderBegunIn(events[0] as JournalEvent, path);
  return { folder, state, settings, from, torn: torn !== undefined, events };
}

/**
 * Reads a search and changes nothing. A space whose file has changed meanwhile is read from the run's copy of it.
 *
 * @throws InputError for a folder without a search and for a broken journal
 */
export async function readRun(path: string): Promise<ReadRun> {
  const run = readSearch(path);
  return { ...run, ...(await spaceNow(run.settings, { run: path, from: run.from, use: 'read' })) };
}

/** The space at the depth of a trial. */
export function spaceOfTrial(space: Space, trial: { readonly depth?: number }): Space {
  return trial.depth === undefined ? space : space.withDepth(trial.depth);
}

/** The task and data among the settings of an estimation, with paths from the root; undefined where it uses none. */
export function taskOf({
  settings,
  from,
  folder,
}: Pick<ReadJournal, 'settings' | 'from' | 'folder'>): TaskSettings | undefined {
  const { task } = settings.estimation.options;
  const parsed = taskSettings.safeParse(task);
  return parsed.success ? taskNow(parsed.data, { run: folder.path, from, use: 'read' }) : undefined;
}

/** A published architecture by its name; undefined for another name. */
export async function publishedArchitecture(name: string): Promise<FoundArchitecture | undefined> {
  const published = hub.get(name);
  if (published === undefined) return undefined;
  const { space, options, architecture, input } = published;
  const found = await parseArchitecture({ space, options, ...(architecture as object) }, name, process.cwd());
  return input === undefined ? found : { ...found, input };
}

/**
 * The architecture that the content of a file describes. A space that is a user's file has to be what it was when the file
 * was written, or there has to be a copy of it: beside an architecture's file, or in the folder of the run.
 *
 * @param source the file, or the journal of a run, for messages
 * @param from the folder that the path of a user's space begins at
 * @param begun of a run: its folder, and whether it goes on
 * @throws InputError where it describes none
 */
export async function parseArchitecture(
  content: unknown,
  source: string,
  from: string,
  begun: Pick<RunPlace, 'run' | 'use'> = { run: dirname(source), use: 'read' },
): Promise<FoundArchitecture> {
  const { space: name, spaceChecksum } = (content ?? {}) as Readonly<Record<string, unknown>>;
  const checksum = typeof spaceChecksum === 'string' ? spaceChecksum : undefined;
  const own =
    typeof name === 'string' && isFile(name)
      ? await findSpace(partNow('space', name, checksum, { ...begun, from }), from)
      : undefined;
  try {
    const found = fromArchitectureFile(content, (known) => {
      const definition = own?.definition ?? spaces.get(known);
      if (definition === undefined)
        throw new InputError(
          `space '${known}' is unknown;${didYouMean(known, spaces.keys())} known: ${[...spaces.keys()].join(', ')}`,
        );
      return definition;
    });
    if (own?.graph === undefined) return found;
    return { ...found, spaceFile: resolve(from, name as string), code: own.graph };
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${source}: ${error.message}`);
    throw error;
  }
}

/** What a run knows of the space and the networks of its architectures. */
export function originOf(
  space: string,
  from: string,
  task: TaskSettings | undefined,
  input: Readonly<Record<string, Json>> | undefined,
): Pick<FoundArchitecture, 'spaceFile' | 'task' | 'input'> {
  return {
    ...(isFile(space) ? { spaceFile: resolve(from, space) } : {}),
    ...(task === undefined ? {} : { task }),
    ...(input === undefined ? {} : { input }),
  };
}

/** An architecture that a search has measured, with the value of the deciding measure. */
export interface RankedArchitecture {
  readonly found: FoundArchitecture;
  readonly value: number;
}

/**
 * The best `count` different architectures that a search has measured, best first; fewer where it has not measured so
 * many. One that was measured several times counts with its best value.
 */
export function bestArchitectures(run: ReadRun, count: number): readonly RankedArchitecture[] {
  const { state } = run;
  const { objective } = state;
  const best = new Map<string, { trial: TrialState; value: number }>();
  for (const { trial, value } of state.curve) {
    const asked = state.trials[trial] as TrialState;
    const key = JSON.stringify([asked.answers, asked.depth]);
    const before = best.get(key);
    if (before === undefined || isBetter(objective, value, before.value))
      best.set(key, { trial: asked, value });
  }
  return [...best.values()]
    .sort((one, other) => goodness(objective, other.value) - goodness(objective, one.value))
    .slice(0, count)
    .map(({ trial, value }) => ({ found: architectureOfTrial(run, trial.trial), value }));
}

/** The best architecture that a search has measured. @throws InputError where it has measured none */
export function bestOf(run: ReadRun, path: string): FoundArchitecture {
  const { state } = run;
  if (state.best === null) throw new InputError(`${path}: the search has not measured any child yet`);
  return architectureOfTrial(run, state.best.trial);
}

/**
 * The trials of a child, in their order: one, or one for each time that it was trained further.
 *
 * @param child counted from 1
 * @throws InputError where there is no such child
 */
export function trialsOfChild({ state }: Pick<ReadRun, 'state'>, child: number): readonly TrialState[] {
  const found = state.trials.filter(({ trial }) => state.childOf(trial) === child - 1);
  if (found.length > 0) return found;
  const { children } = state;
  throw new InputError(
    `child ${child}: the search has ${children === 0 ? 'no children yet' : `the children 1 to ${children}`}`,
  );
}

/** The architecture of a child, counted from 1. @throws InputError where there is no such child */
export function architectureOfChild(run: ReadRun, child: number): FoundArchitecture {
  const [first] = trialsOfChild(run, child) as readonly [TrialState];
  return architectureOfTrial(run, first.trial);
}

/** The architecture of a trial. @throws InputError where the space makes another one of its answers than was measured */
export function architectureOfTrial(run: ReadRun, number: number): FoundArchitecture {
  const { state, space, code, settings, from, folder } = run;
  const trial = state.trials[number];
  if (trial === undefined) throw new Error(`trial ${number} is not among the trials`);
  const own = spaceOfTrial(space, trial);
  const architecture = own.decode(trial.answers);
  const recorded = trial.architecture;
  if (recorded !== undefined && !isDeepStrictEqual(JSON.parse(JSON.stringify(architecture)), recorded))
    throw new InputError(
      `${folder.journal}: trial ${number} was ${JSON.stringify(recorded)}, and space ${own.name} makes ` +
        `${JSON.stringify(architecture)} of its answers: not the space that was searched`,
    );
  return {
    space: own,
    architecture,
    ...(code === undefined ? {} : { code }),
    ...originOf(settings.space, from, taskOf(run), settings.estimation.input),
    ...trainingIn(settings),
  };
}

/** How the children of a search were trained; nothing of an estimator that trains none. */
function trainingIn({ estimation }: ExperimentSettings): Pick<FoundArchitecture, 'training'> {
  const options = optionValues.safeParse(estimation.options.training);
  if (!options.success) return {};
  return {
    training: {
      options: options.data,
      sharesWeights: false,
      dataChecksum: estimation.source?.checksum,
    },
  };
}

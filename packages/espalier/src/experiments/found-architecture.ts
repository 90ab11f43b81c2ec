import { resolve } from 'node:path';
import { hub } from '../hub/hub.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { isFile } from '../modules/user-module.js';
import { folderBegunIn } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { RunState } from '../runs/run-state.js';
import {
  type ArchitectureFile,
  fromArchitectureFile,
  toArchitectureFile,
} from '../space/architecture-file.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { spaces } from '../spaces/space-names.js';
import { type TaskSettings, taskIn, taskSettings } from '../tasks/task-settings.js';
import { type ExperimentSettings, settingsOf } from './experiment.js';
import { requireReadable } from './readable-version.js';

/** An architecture, with the space that it belongs to. */
export interface FoundArchitecture {
  readonly space: Space;
  readonly architecture: unknown;
  /** The path of the space's file where it is a user's own: it names the space in an architecture's file. */
  readonly spaceFile?: string;
  /** The task and the data of the run that it comes from, with paths from the root. */
  readonly task?: TaskSettings;
  /** What the run, or who published it, built its networks for. */
  readonly input?: Readonly<Record<string, Json>>;
  /** Which of several genotypes of a text it is, for people. */
  readonly note?: string;
}

/** What the file of an architecture holds. A user's space is named by its path. */
export function architectureFile({ space, architecture, spaceFile }: FoundArchitecture): ArchitectureFile {
  return {
    ...toArchitectureFile(space, architecture),
    ...(spaceFile === undefined ? {} : { space: spaceFile }),
  };
}

/** The same architecture in a network with other options of its space. @throws InputError for options it does not have */
export function configured(
  found: FoundArchitecture,
  options: Readonly<Record<string, Json>>,
): FoundArchitecture {
  const space = Space.configure(found.space.definition, { ...found.space.options, ...options });
  return { ...found, space, architecture: space.validate(found.architecture) };
}

/** The state of a search and its space. */
export interface ReadRun {
  readonly folder: RunFolder;
  readonly state: RunState;
  readonly settings: ExperimentSettings;
  readonly space: Space;
  /** The folder that relative paths of the settings begin at. */
  readonly from: string;
  /** Whether the last line of the journal is torn: the run was killed, or is being written. */
  readonly torn: boolean;
  readonly events: readonly JournalEvent[];
}

/** Reads a search and changes nothing. @throws InputError for a folder without a search and for a broken journal */
export async function readRun(path: string): Promise<ReadRun> {
  const folder = RunFolder.open(path);
  const { events, torn } = readJournal(folder.journal);
  requireReadable(events[0] as JournalEvent, folder.journal);
  const state = RunState.of(events, folder.journal);
  const settings = settingsOf(state.header);
  const from = folderBegunIn(events[0] as JournalEvent, path);
  const { definition } = await findSpace(settings.space, from);
  return {
    folder,
    state,
    settings,
    space: Space.configure(definition, settings.spaceOptions),
    from,
    torn: torn !== undefined,
    events,
  };
}

/** The space at the depth of a trial. */
export function spaceOfTrial(space: Space, trial: { readonly depth?: number }): Space {
  return trial.depth === undefined ? space : space.withDepth(trial.depth);
}

/** The task and data among the settings of an estimation, with paths from the root; undefined where it uses none. */
export function taskOf({ settings, from }: Pick<ReadRun, 'settings' | 'from'>): TaskSettings | undefined {
  const { task } = settings.estimation.options;
  const parsed = taskSettings.safeParse(task);
  return parsed.success ? taskIn(from, parsed.data) : undefined;
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
 * The architecture that the content of a file describes.
 *
 * @param source for messages
 * @param from the folder that the path of a user's space begins at
 * @throws InputError where it describes none
 */
export async function parseArchitecture(
  content: unknown,
  source: string,
  from: string,
): Promise<FoundArchitecture> {
  const name = (content as { space?: unknown } | null)?.space;
  const own = typeof name === 'string' && isFile(name) ? (await findSpace(name, from)).definition : undefined;
  try {
    const found = fromArchitectureFile(content, (known) => {
      const definition = own ?? spaces.get(known);
      if (definition === undefined)
        throw new InputError(`space '${known}' is unknown; known: ${[...spaces.keys()].join(', ')}`);
      return definition;
    });
    return own === undefined ? found : { ...found, spaceFile: resolve(from, name as string) };
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

/** The best architecture that a search has measured. @throws InputError where it has measured none */
export function bestOf(run: ReadRun, path: string): FoundArchitecture {
  const { state, space, settings, from } = run;
  if (state.best === null) throw new InputError(`${path}: the search has not measured any child yet`);
  const trial = state.trials[state.best.trial];
  if (trial === undefined) throw new Error('the best trial is not among the trials');
  const own = spaceOfTrial(space, trial);
  return {
    space: own,
    architecture: own.decode(trial.answers),
    ...originOf(settings.space, from, taskOf(run), settings.estimation.input),
  };
}

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { hub } from '../hub/hub.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
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
import { readGenotypeText } from '../spaces/genotype-text.js';
import { spaces } from '../spaces/space-names.js';
import type { TaskSettings } from '../tasks/task-settings.js';
import { type ExperimentSettings, settingsOf, taskIn } from './experiment.js';
import { findSpace, isSpaceFile } from './find-space.js';
import { isSupernetRun, readSupernetRun, type SupernetRunState } from './supernet-run.js';

/** An architecture, with the space that it is of. */
export interface FoundArchitecture {
  readonly space: Space;
  readonly architecture: unknown;
  /** The path of the space's file where it is a user's own: what names it in an architecture's file. */
  readonly spaceFile?: string;
  /** The images of the search that found it. */
  readonly task?: TaskSettings;
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

/** The state of a search and its space, read and not touched. */
export interface ReadRun {
  readonly folder: RunFolder;
  readonly state: RunState;
  readonly settings: ExperimentSettings;
  readonly space: Space;
  /** Where relative paths of the settings begin. */
  readonly from: string;
  /** Whether the last line of the journal is torn: the run was killed, or is being written. */
  readonly torn: boolean;
}

/** @throws InputError for a folder without a run and for a journal that is broken */
export async function readRun(path: string): Promise<ReadRun> {
  const folder = RunFolder.open(path);
  const { events, torn } = readJournal(folder.journal);
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
  };
}

/** The space at the depth of a trial. */
export function spaceOfTrial(space: Space, trial: { readonly depth?: number }): Space {
  return trial.depth === undefined ? space : space.withDepth(trial.depth);
}

/**
 * The architecture of a published name, of a file (JSON, or a genotype in the Python of published code), or the best
 * one of a run's folder.
 *
 * @throws InputError where there is none
 */
export async function findArchitecture(path: string): Promise<FoundArchitecture> {
  const published = hub.get(path);
  if (published !== undefined) {
    const { space, options, architecture } = published;
    return parseArchitecture({ space, options, ...(architecture as object) }, path, process.cwd());
  }
  if (!existsSync(path))
    throw new InputError(
      `'${path}': no such file, run folder or published architecture; published: ${[...hub.keys()].join(', ')}`,
    );
  if (statSync(path).isDirectory())
    return isSupernetRun(path)
      ? foundBy(await readSupernetRun(path), path)
      : bestOf(await readRun(path), path);
  const content = withSpace(readGenotypeText(readFileSync(path, 'utf8'), path));
  return parseArchitecture(content, path, dirname(path));
}

/** A genotype as published code prints it does not name its space; its keys do, and the text of a NAS-Bench-201 cell. */
function withSpace(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || 'space' in content) return content;
  if ('normal' in content) return { space: 'darts-cnn', ...content };
  if ('recurrent' in content) return { space: 'darts-rnn', ...content };
  if ('cell' in content && typeof content.cell === 'string') return { space: 'nasbench201', ...content };
  return content;
}

/**
 * The architecture of a file's content.
 *
 * @param source for messages
 * @param from the folder that the path of a user's space begins at
 * @throws InputError where it is none
 */
export async function parseArchitecture(
  content: unknown,
  source: string,
  from: string,
): Promise<FoundArchitecture> {
  const name = (content as { space?: unknown } | null)?.space;
  const own =
    typeof name === 'string' && isSpaceFile(name) ? (await findSpace(name, from)).definition : undefined;
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

/** The best architecture that a run has measured. @throws InputError where it has measured none */
export function bestOf({ state, space, settings, from }: ReadRun, path: string): FoundArchitecture {
  if (state.best === null)
    throw new InputError(`${path}: the run has measured no child yet, so it has no best one`);
  const trial = state.trials[state.best.trial];
  if (trial === undefined) throw new Error('the best trial is not among the trials');
  const own = spaceOfTrial(space, trial);
  return {
    space: own,
    architecture: own.decode(trial.answers),
    ...(space.definition.reads === 'tokens' ? {} : { task: taskIn(from, settings.task) }),
    ...(isSpaceFile(settings.space) ? { spaceFile: resolve(from, settings.space) } : {}),
  };
}

/**
 * The architecture that a search with shared weights has found, or is at after its last epoch, in the network that the
 * space trains from scratch: the search has a smaller one.
 *
 * @throws InputError where it has come to none yet
 */
export function foundBy(
  { space, settings, from, epochs, end }: SupernetRunState,
  path: string,
): FoundArchitecture {
  const architecture = end?.architecture ?? epochs.at(-1)?.architecture;
  if (architecture === undefined)
    throw new InputError(
      `${path}: the search has come to no architecture yet; it has done ${epochs.length} epochs`,
    );
  const { definition, options } = space;
  const searched = Object.keys(definition.searched ?? {});
  const own = Space.configure(
    definition,
    Object.fromEntries(Object.entries(options).filter(([name]) => !searched.includes(name))),
  );
  return {
    space: own,
    architecture: own.validate(architecture),
    ...(definition.reads === 'tokens' ? {} : { task: taskIn(from, settings.task) }),
    ...(isSpaceFile(settings.space) ? { spaceFile: resolve(from, settings.space) } : {}),
  };
}

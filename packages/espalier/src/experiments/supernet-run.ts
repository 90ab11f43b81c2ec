import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setThreads } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { requireClassifier } from '../networks/require-classifier.js';
import { folderBegunIn, kindOfRun } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { optionValues, resolveOptions } from '../space/options.js';
import { Space } from '../space/space.js';
import { buildLanguageSupernet, buildSupernet } from '../supernets/build-supernet.js';
import { ImageClassification } from '../tasks/image-classification.js';
import { openImageTask } from '../tasks/image-task.js';
import { LanguageModelling } from '../tasks/language-modelling.js';
import type { Measure } from '../tasks/measure.js';
import type { Task } from '../tasks/task.js';
import { type TaskSettings, taskSettings } from '../tasks/task-settings.js';
import { openTextTask } from '../tasks/text-task.js';
import { initialised } from '../training/child.js';
import { requireDevice } from '../training/device.js';
import { clockNow, journalEpochs, withJournal } from '../training/journaled-epochs.js';
import { version } from '../version.js';
import type { AnyWeightSharingDefinition } from '../weight-sharing/definition.js';
import type {
  ChoiceStep,
  SearchedSupernet,
  SearchStep,
  SupernetSearch,
} from '../weight-sharing/supernet-search.js';
import type { SupernetSettings } from '../weight-sharing/supernet-settings.js';
import { weightSharingNamed } from '../weight-sharing/weight-sharing-names.js';
import { taskIn } from './experiment.js';
import { findSpace } from './find-space.js';

const supernetRunSettings = z.strictObject({
  version: z.string(),
  space: z.string(),
  /** SHA-256 of the file of a user's space. */
  spaceChecksum: z.string().optional(),
  spaceOptions: optionValues,
  strategy: z.string(),
  strategyOptions: optionValues,
  task: taskSettings,
  dataChecksum: z.string(),
  seed: z.int(),
  threads: z.int().min(1),
});

/** All that a search with shared weights is: with the same settings, the same journal. */
type SupernetRunSettings = z.infer<typeof supernetRunSettings>;

/** What the user says; the rest is found out. */
export type SupernetRunRequest = Omit<SupernetRunSettings, 'version' | 'spaceChecksum' | 'dataChecksum'>;

/** The word that the journal of such a search begins with. */
const BEGIN = 'supernet';

/** A search with its data open, checked before anything is written. */
interface PreparedSearch {
  readonly settings: SupernetRunSettings;
  readonly space: Space;
  readonly definition: AnyWeightSharingDefinition;
  readonly options: SupernetSettings;
  readonly task: Task<object>;
  readonly buildSupernet: () => SearchedSupernet<object>;
}

/** Where data and loss are open, and what the supernet of the space is built for. */
type OpenedTask = Pick<PreparedSearch, 'task' | 'buildSupernet'>;

type ImageOptions = SupernetSettings & {
  readonly augment: boolean;
  readonly cutout: number;
  readonly partialChannels: number;
};
type TextOptions = SupernetSettings & {
  readonly stretch: number;
  readonly activationAlpha: number;
  readonly activationBeta: number;
};

function openImages(
  space: Space,
  settings: TaskSettings,
  { augment, cutout, partialChannels, device }: ImageOptions,
  validationShare: number,
): OpenedTask {
  const images = openImageTask(settings, validationShare);
  return {
    task: new ImageClassification(images, {
      augment,
      cutout,
      colourJitter: 0,
      auxiliaryWeight: 0,
      labelSmoothing: 0,
      device,
    }),
    buildSupernet() {
      const supernet = buildSupernet(space, images.shape, { partialChannels });
      requireClassifier(supernet, images.shape, space.name);
      return supernet;
    },
  };
}

function openText(
  space: Space,
  settings: TaskSettings,
  { stretch, activationAlpha: alpha, activationBeta: beta, device }: TextOptions,
): OpenedTask {
  const text = openTextTask(settings);
  return {
    task: new LanguageModelling(text, { stretch, alpha, beta, device }),
    buildSupernet: () => buildLanguageSupernet(space, text.input),
  };
}

/** @param folder that relative paths begin at */
async function prepare(request: SupernetRunRequest, folder: string): Promise<PreparedSearch> {
  const { definition: ofSpace, checksum } = await findSpace(request.space, folder);
  const definition = weightSharingNamed(request.strategy);
  const space = Space.configure(ofSpace, {
    ...ofSpace.searched,
    ...definition.spaceOptions?.(ofSpace),
    ...request.spaceOptions,
  });
  const reads = ofSpace.reads === 'tokens' ? 'tokens' : 'images';
  const options = resolveOptions(
    `strategy ${definition.name}`,
    definition.options[reads],
    request.strategyOptions,
  ) as unknown as SupernetSettings;
  requireDevice(options.device);
  const taskSettings = taskIn(folder, request.task);
  const opened =
    reads === 'tokens'
      ? openText(space, taskSettings, options as TextOptions)
      : openImages(space, taskSettings, options as ImageOptions, definition.validationShare);
  const settings: SupernetRunSettings = {
    version,
    ...request,
    ...(checksum === undefined ? {} : { spaceChecksum: checksum }),
    spaceOptions: { ...space.options },
    strategyOptions: { ...options } as unknown as Record<string, Json>,
    dataChecksum: opened.task.checksum(),
  };
  return { settings, space, definition, options, ...opened };
}

/** The supernet as the seed initialises it, in the layout that trains fastest, and the search on it. */
function makeSearch({ settings, space, definition, options, task, buildSupernet }: PreparedSearch): {
  readonly supernet: SearchedSupernet<object>;
  readonly search: SupernetSearch<object>;
} {
  const { seed } = settings;
  const supernet = initialised(buildSupernet, seed, options.device);
  return { supernet, search: definition.create({ space, task, supernet, options, seed }) };
}

/**
 * Begins a search with shared weights in a new folder.
 *
 * @throws InputError for whatever is wrong with the request; nothing is written then
 */
export async function beginSupernetRun(path: string, request: SupernetRunRequest): Promise<void> {
  const prepared = await prepare(request, process.cwd());
  // A space without a supernet, and a batch that the data has not enough for, are seen here and not in the run.
  const { supernet, search } = makeSearch(prepared);
  const { batchSize: size } = prepared.options;
  for (const part of ['train', 'validation'] as const)
    prepared.task.pass(part, { size })[Symbol.iterator]().next();
  search.free();
  supernet.free();
  const header = JSON.parse(JSON.stringify(prepared.settings)) as Record<string, Json>;
  RunFolder.begin(path, { event: BEGIN, ...header });
}

/** Whether a folder holds a search with shared weights. @throws InputError where it holds no run */
export function isSupernetRun(path: string): boolean {
  return kindOfRun(path) === BEGIN;
}

/** What a search with shared weights has come to so far. */
export interface SupernetRunState {
  readonly settings: SupernetRunSettings;
  /** Where relative paths of the settings begin. */
  readonly from: string;
  readonly space: Space;
  readonly measure: Measure['name'];
  readonly epochs: readonly JournalEvent[];
  /** The last event of a finished search. */
  readonly end: JournalEvent | undefined;
}

/** @throws InputError for a folder without such a search and for a journal that is broken */
export async function readSupernetRun(path: string): Promise<SupernetRunState> {
  const folder = RunFolder.open(path);
  const [first, ...events] = readJournal(folder.journal).events;
  const { event: _, clock: __, ...header } = first as JournalEvent;
  const parsed = supernetRunSettings.safeParse(header);
  if (!parsed.success)
    throw new InputError(
      `${folder.journal}:1: not a search with shared weights: ${z.prettifyError(parsed.error)}`,
    );
  const settings = parsed.data;
  const from = folderBegunIn(first as JournalEvent, path);
  const { definition } = await findSpace(settings.space, from);
  return {
    settings,
    from,
    space: Space.configure(definition, settings.spaceOptions),
    measure: definition.reads === 'tokens' ? 'perplexity' : 'accuracy',
    epochs: events.filter(({ event }) => event === 'epoch'),
    end: events.find(({ event }) => event === 'end'),
  };
}

/** What such a search says while it goes on. */
export interface SupernetWatch {
  readonly signal: AbortSignal;
  step(step: SearchStep, epochs: number): void;
  epochEnded(event: JournalEvent): void;
  choice(step: ChoiceStep): void;
  message(text: string): void;
}

/**
 * Searches on from the last epoch saved.
 *
 * @returns whether it came to its end, and was not stopped
 * @throws InputError where the version, the space's file or the data are not what they were, and Diverged
 */
export async function continueSupernetRun(path: string, watch: SupernetWatch): Promise<boolean> {
  const { settings, from } = await readSupernetRun(path);
  const { version: begun, spaceChecksum, dataChecksum, ...request } = settings;
  if (begun !== version)
    throw new InputError(
      `the run was begun with Espalier ${begun}; this is ${version}, which may search differently`,
    );
  setThreads(settings.threads);
  const prepared = await prepare(request, from);
  const changed =
    prepared.settings.dataChecksum !== dataChecksum
      ? `the data ${request.task.data}`
      : prepared.settings.spaceChecksum !== spaceChecksum
        ? `the file of the space ${request.space}`
        : undefined;
  if (changed !== undefined)
    throw new InputError(
      `${changed} has changed since the run was begun; a resumed run would not be the same`,
    );
  const { message, signal } = watch;
  return withJournal(path, RunFolder.open(path).journal, message, async (journal) => {
    const begin = { event: BEGIN, ...JSON.parse(JSON.stringify(settings)) } as JournalEvent;
    journal.write(begin, clockNow());
    const { supernet, search } = makeSearch(prepared);
    try {
      const trained = await journalEpochs(search, journal, {
        checkpoint: join(path, 'checkpoint.safetensors'),
        signal,
        report: (step) => watch.step(step, prepared.options.epochs),
        epochEnded: watch.epochEnded,
        message,
      });
      if (!trained) return false;
      const chosenFrom = performance.now();
      const choice = search.choose();
      let next = choice.next();
      while (!next.done) {
        watch.choice(next.value);
        await setImmediate();
        if (signal.aborted) return false;
        next = choice.next();
      }
      const { architecture, details } = next.value;
      const canonical = prepared.space.validate(architecture) as Json;
      const seconds = (performance.now() - chosenFrom) / 1000;
      journal.write({ event: 'end', architecture: canonical, ...details }, { ...clockNow(), seconds });
      journal.finish();
      return true;
    } finally {
      search.free();
      supernet.free();
    }
  });
}

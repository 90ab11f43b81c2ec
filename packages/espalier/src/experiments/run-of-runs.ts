import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../json.js';
import type { Journal } from '../runs/journal.js';
import { type JournalEvent, withoutClock } from '../runs/journal-event.js';
import { Diverged } from '../tasks/task.js';
import { type TaskSettings, taskIn } from '../tasks/task-settings.js';
import type { JudgedPart } from '../training/final-training.js';
import { clockNow } from '../training/journaled-epochs.js';
import { configured, parseArchitecture } from './found-architecture.js';
import { taskOfPart } from './held-out-data.js';
import { openedNow, type RunPlace, requireSameData, taskNow } from './places.js';
import type { RunsOfAllKinds } from './runs-of-all-kinds.js';
import { beginTraining } from './training-run.js';
import type { TrainingRequest } from './training-run-settings.js';

/** What work that consists of runs does with them, and says. */
export interface RunsWatch {
  /** Goes on with a begun run to its end; false where it was stopped. @throws Diverged */
  goOn(run: string): Promise<boolean>;
  ended(event: JournalEvent): void;
  message(text: string): void;
}

/** What one run came to. */
export type PartOutcome = { readonly value: number } | { readonly reason: string };

/** A run was stopped: all up to there is saved. */
export class Stopped extends Error {}

/** The training of an architecture as a part of other work. */
interface PartTraining {
  /** As its file has it. */
  readonly architecture: Json;
  /** Options of the space that the network has instead of those of the architecture. */
  readonly spaceOptions: Readonly<Record<string, Json>>;
  readonly training: Readonly<Record<string, Json>>;
  readonly seed: number;
  readonly judge: JudgedPart;
}

/** What all trainings of the work have in common. */
interface CommonSettings {
  readonly task: TaskSettings;
  readonly dataChecksum: string;
  readonly threads: number;
}

/**
 * Work whose journal has an event for each of its runs, with what it came to. What is in the journal is not done again;
 * a run that was begun goes on from where it stands.
 */
export class RunOfRuns {
  constructor(
    private readonly journal: Journal,
    private readonly watch: RunsWatch,
    private readonly runs: RunsOfAllKinds,
    private readonly place: RunPlace,
    private readonly settings: CommonSettings,
  ) {}

  /** The event as the journal has it from an earlier life, or with what is done now. */
  async journaled(
    event: JournalEvent,
    body: () => Promise<PartOutcome & { readonly architecture?: Json }>,
  ): Promise<JournalEvent> {
    const { journal } = this;
    const recorded = journal.next();
    const isIt = Object.entries(event).every(([key, value]) => isDeepStrictEqual(recorded?.[key], value));
    // What another event says contradicts: the journal says where.
    if (recorded !== undefined) return journal.write(isIt ? withoutClock(recorded) : event, clockNow());
    const begun = performance.now();
    const outcome = await body().catch((error: unknown): PartOutcome => {
      if (error instanceof Diverged) return { reason: error.message };
      throw error;
    });
    const seconds = (performance.now() - begun) / 1000;
    const written = journal.write({ ...event, ...outcome }, { ...clockNow(), seconds });
    this.watch.ended(written);
    return written;
  }

  /** Trains an architecture to its end, in a folder. @param name for messages. @throws Stopped, Diverged */
  async train(
    folder: string,
    name: string,
    { architecture, spaceOptions, training, seed, judge }: PartTraining,
  ): Promise<PartOutcome> {
    const { task, threads, dataChecksum } = this.settings;
    const { place } = this;
    await this.toEnd(folder, async () => {
      const found = await parseArchitecture(architecture, name, place.from, place);
      const now = taskNow(task, place);
      // Relative paths stay relative where they can: a folder that is moved with its data still finds them.
      const isAsBegun = isDeepStrictEqual(taskIn(process.cwd(), task), now);
      const judged = judge === 'validation' ? { judge } : {};
      const request: TrainingRequest = {
        task: await taskOfPart(isAsBegun ? task : now, { training, ...judged }, now),
        training,
        ...judged,
        seed,
        threads,
      };
      await openedNow(now, place, () => beginTraining(folder, configured(found, spaceOptions), request));
      requireSameData(dataChecksum, this.runs.resultOf(folder).dataChecksum, task.data, place);
    });
    const { value } = this.runs.resultOf(folder);
    if (value === undefined) throw new Error(`${folder}: a training at its end that has no value`);
    return { value };
  }

  /** Begins a run that has not begun, and goes on with it where it is not at its end. @throws Stopped */
  async toEnd(folder: string, begin: () => Promise<void>): Promise<void> {
    if (!existsSync(join(folder, 'journal.jsonl'))) await begin();
    if (!this.runs.resultOf(folder).finished && !(await this.watch.goOn(folder))) throw new Stopped();
  }
}

import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { loadTensors, saveTensors, scope, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { AMENDED } from '../runs/amendments.js';
import { Journal } from '../runs/journal.js';
import { type Clock, type JournalEvent, withoutClock } from '../runs/journal-event.js';
import type { MemoryInUse } from '../runs/memory-in-use.js';
import { acquireLock } from '../runs/run-lock.js';

/** Work done an epoch at a time that can be saved in between: the training of a network or of a supernet. */
export interface Epochs<Step extends { readonly loss: number }> {
  /** How many epochs are done. */
  readonly epoch: number;
  /** The mean loss of the last one; NaN before the first. */
  readonly lastLoss: number;
  /** Whether all epochs are done. */
  readonly trained: boolean;
  /** Trains one epoch. Each step is made when the caller asks for its report. */
  trainEpoch(): Generator<Step, void, undefined>;
  /** What the journal says of the epoch besides its number and loss. */
  endEpoch(): Readonly<Record<string, Json>>;
  /** What each process that works on it holds of its device. */
  memory(): readonly MemoryInUse[];
  /** What carries values between several processes. */
  readonly collectives?: string;
  /** The tensors that the next epoch depends on. */
  stateDict(): Map<string, Tensor>;
  /** Everything else that it depends on. */
  stateJson(): Json;
  /** Goes on after `epoch`. @throws Error for the state of something else */
  loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void;
}

export interface EpochsContext<Step> {
  /** File that keeps the work after the last epoch. */
  readonly checkpoint: string;
  readonly signal: AbortSignal;
  report(step: Step): void;
  /** More that the journal says of an epoch, by what the work says of it. */
  more?(result: Readonly<Record<string, Json>>): Readonly<Record<string, Json>>;
  /** An epoch is in the journal. */
  epochEnded?(event: JournalEvent): void;
  message(text: string): void;
  /** A change of the settings that the journal is yet to have; see `Amendments`. */
  readonly amended?: JournalEvent | undefined;
}

/** The time, for a journal's clock. */
export const clockNow = (): Clock => ({ time: new Date().toISOString() });

/**
 * Opens the journal of a run that works by epochs; only one process at a time may.
 *
 * @throws InputError for a folder that another process works in
 */
export async function withJournal<T>(
  folder: string,
  file: string,
  message: (text: string) => void,
  body: (journal: Journal) => Promise<T>,
): Promise<T> {
  const lock = acquireLock(folder);
  try {
    const journal = Journal.open(file, message);
    try {
      return await body(journal);
    } finally {
      journal.close();
    }
  } finally {
    lock.release();
  }
}

/**
 * Works from the last saved epoch to the end. Each epoch is journaled, then saved. Work that was killed goes on from its
 * last epoch to the same journal.
 *
 * @returns whether it came to the end; false where it was stopped
 * @throws InputError for a checkpoint that does not fit
 */
export async function journalEpochs<Step extends { readonly loss: number }>(
  work: Epochs<Step>,
  journal: Journal,
  context: EpochsContext<Step>,
): Promise<boolean> {
  const { checkpoint, signal, report, more = () => ({}), epochEnded = () => {} } = context;
  restore(work, journal, context);
  let { amended } = context;
  while (!work.trained) {
    confirmAmended(journal, amended !== undefined);
    if (amended !== undefined && !journal.replaying) {
      journal.write(amended, clockNow());
      amended = undefined;
    }
    const begun = performance.now();
    for (const step of work.trainEpoch()) {
      report(step);
      await setImmediate();
      if (signal.aborted) return false;
    }
    const { epoch, lastLoss: loss } = work;
    const result = work.endEpoch();
    const seconds = (performance.now() - begun) / 1000;
    const clock = {
      ...clockNow(),
      seconds,
      memory: work.memory() as unknown as Json,
      ...(work.collectives === undefined ? {} : { collectives: work.collectives }),
    };
    epochEnded(journal.write({ event: 'epoch', epoch, loss, ...result, ...more(result) }, clock));
    scope(() =>
      saveTensors(
        checkpoint,
        work.stateDict(),
        {
          epoch: String(epoch),
          loss: String(loss),
          json: JSON.stringify(work.stateJson()),
          events: String(journal.position),
          journal: journal.digest,
        },
        { checksum: true },
      ),
    );
  }
  return true;
}

/**
 * Passes over the changes that the journal has here, and over an end that was none.
 *
 * @param isAmendedNow whether a change is yet to be written
 */
function confirmAmended(journal: Journal, isAmendedNow: boolean): void {
  for (;;) {
    const next = journal.next();
    const after = journal.recorded[journal.position + 1];
    const isNoEnd = next?.event === 'end' && (after === undefined ? isAmendedNow : after.event === AMENDED);
    if (next === undefined || !(isNoEnd || next.event === AMENDED)) return;
    journal.write(withoutClock(next), {});
  }
}

/** Goes on from the last saved epoch if the journal has it; otherwise from the start. */
function restore<Step extends { readonly loss: number }>(
  work: Epochs<Step>,
  journal: Journal,
  { checkpoint, message }: EpochsContext<Step>,
): void {
  if (!existsSync(checkpoint)) return;
  try {
    scope(() => {
      const { tensors, metadata } = loadTensors(checkpoint);
      if (journal.skipTo(Number(metadata.events), metadata.journal ?? ''))
        work.loadState(
          tensors,
          JSON.parse(metadata.json ?? 'null') as Json,
          Number(metadata.epoch),
          Number(metadata.loss),
        );
      else message(`${checkpoint}: not of this journal; the training begins again and must come to the same`);
    });
  } catch (error) {
    throw new InputError(`${(error as Error).message}. Delete ${checkpoint} to train from the start`);
  }
}

import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { loadTensors, saveTensors, scope, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Journal } from '../runs/journal.js';
import type { Clock, JournalEvent } from '../runs/journal-event.js';
import { acquireLock } from '../runs/run-lock.js';

/** Work that is done an epoch at a time, and can be saved in between: the training of a network or of a supernet. */
export interface Epochs<Step extends { readonly loss: number }> {
  /** How many are done. */
  readonly epoch: number;
  /** The mean loss of the last one; NaN before the first. */
  readonly lastLoss: number;
  /** Whether there is no other to come. */
  readonly trained: boolean;
  /** One epoch; a step is made each time the caller asks for the next report. */
  trainEpoch(): Generator<Step, void, undefined>;
  /** What the journal is to say of the epoch besides its number and loss. */
  endEpoch(): Readonly<Record<string, Json>>;
  /** All that the next epoch depends on. */
  stateDict(): Map<string, Tensor>;
  /** What is no tensor of it. */
  stateJson(): Json;
  /** Goes on after `epoch`. @throws Error where the state is not of this work */
  loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void;
}

export interface EpochsContext<Step> {
  /** File of the work after the last epoch. */
  readonly checkpoint: string;
  readonly signal: AbortSignal;
  report(step: Step): void;
  /** An epoch is in the journal. */
  epochEnded?(event: JournalEvent): void;
  message(text: string): void;
}

/** Time for a journal's clock. */
export const clockNow = (): Clock => ({ time: new Date().toISOString() });

/**
 * Opens the journal of a run that works by epochs, for one process at a time.
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
 * Works from the last epoch saved to the end: each epoch is journaled, then saved, so that work that was killed goes on
 * from its last epoch and has the same journal.
 *
 * @returns whether it came to the end, and was not stopped
 * @throws InputError for a checkpoint that does not fit
 */
export async function journalEpochs<Step extends { readonly loss: number }>(
  work: Epochs<Step>,
  journal: Journal,
  context: EpochsContext<Step>,
): Promise<boolean> {
  const { checkpoint, signal, report, epochEnded = () => {} } = context;
  restore(work, journal, context);
  while (!work.trained) {
    const begun = performance.now();
    for (const step of work.trainEpoch()) {
      report(step);
      await setImmediate();
      if (signal.aborted) return false;
    }
    const { epoch, lastLoss: loss } = work;
    const result = work.endEpoch();
    const seconds = (performance.now() - begun) / 1000;
    epochEnded(journal.write({ event: 'epoch', epoch, loss, ...result }, { ...clockNow(), seconds }));
    scope(() =>
      saveTensors(checkpoint, work.stateDict(), {
        epoch: String(epoch),
        loss: String(loss),
        json: JSON.stringify(work.stateJson()),
        events: String(journal.position),
        journal: journal.digest,
      }),
    );
  }
  return true;
}

/** Goes on from the last epoch saved, if the journal has it; otherwise from the start. */
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

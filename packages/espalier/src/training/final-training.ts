import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { loadTensors, saveTensors, scope } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Network } from '../networks/network.js';
import { Journal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { acquireLock } from '../runs/run-lock.js';
import { initialised } from './child.js';
import { accuracyOn, ClassifierTraining, type StepReport } from './classifier-training.js';
import type { ImageTask } from './image-task.js';
import type { TrainingSettings } from './training-settings.js';

/** Where the files of a training are. */
export const trainingFiles = (folder: string) => ({
  journal: join(folder, 'journal.jsonl'),
  checkpoint: join(folder, 'checkpoint.safetensors'),
  weights: join(folder, 'weights.safetensors'),
});

export interface FinalTraining {
  readonly folder: string;
  /** The journal's first line. */
  readonly begin: JournalEvent;
  readonly build: () => Network;
  /** Nothing held out: a network that is decided on trains on all images. */
  readonly task: ImageTask;
  readonly settings: TrainingSettings;
  readonly seed: number;
  readonly signal: AbortSignal;
  report(step: StepReport): void;
  message(text: string): void;
}

/** What a training came to; undefined where it was stopped before its end. */
export interface TrainedNetwork {
  /** On the test images, looked at once, at the end. */
  readonly testAccuracy: number;
  readonly loss: number;
}

/**
 * Trains a network to the end, an epoch at a time: each is journaled, then the network and the optimiser are saved, so
 * that a training that was killed goes on from its last epoch and has the same journal. The weights are the last ones.
 *
 * @throws Diverged; InputError for a folder that another process trains in or a checkpoint that does not fit
 */
export async function trainToEnd(training: FinalTraining): Promise<TrainedNetwork | undefined> {
  const { folder } = training;
  const lock = acquireLock(folder);
  try {
    const journal = Journal.open(trainingFiles(folder).journal, training.message);
    try {
      return await train(training, journal);
    } finally {
      journal.close();
    }
  } finally {
    lock.release();
  }
}

async function train(training: FinalTraining, journal: Journal): Promise<TrainedNetwork | undefined> {
  const { folder, begin, task, settings, seed, signal } = training;
  const files = trainingFiles(folder);
  const network = initialised(training.build, seed, settings.device);
  const run = new ClassifierTraining({ ...task, network, settings, seed });
  const clock = () => ({ time: new Date().toISOString() });
  try {
    journal.write(begin, clock());
    restore(run, journal, files.checkpoint, training.message);
    let loss = run.lastLoss;
    while (run.epoch < settings.epochs) {
      const begun = performance.now();
      for (const step of run.trainEpoch()) {
        training.report(step);
        loss = step.loss;
        await setImmediate();
        if (signal.aborted) return undefined;
      }
      const seconds = (performance.now() - begun) / 1000;
      journal.write({ event: 'epoch', epoch: run.epoch, loss }, { ...clock(), seconds });
      scope(() =>
        saveTensors(files.checkpoint, run.stateDict(), {
          epoch: String(run.epoch),
          loss: String(loss),
          events: String(journal.position),
          journal: journal.digest,
        }),
      );
    }
    const testAccuracy = accuracyOn(network, task.test, task.statistics, settings);
    saveTensors(files.weights, network.stateDict());
    journal.write({ event: 'end', testAccuracy, loss }, clock());
    journal.finish();
    return { testAccuracy, loss };
  } finally {
    run.free();
    network.free();
  }
}

/** Goes on from the last epoch saved, if the journal has it; otherwise from the start. */
function restore(
  run: ClassifierTraining,
  journal: Journal,
  checkpoint: string,
  message: (text: string) => void,
): void {
  if (!existsSync(checkpoint)) return;
  try {
    scope(() => {
      const { tensors, metadata } = loadTensors(checkpoint);
      if (journal.skipTo(Number(metadata.events), metadata.journal ?? ''))
        run.loadStateDict(tensors, Number(metadata.epoch), Number(metadata.loss));
      else message(`${checkpoint}: not of this journal; the training begins again and must come to the same`);
    });
  } catch (error) {
    throw new InputError(`${(error as Error).message}. Delete ${checkpoint} to train from the start`);
  }
}

import { join } from 'node:path';
import { saveTensors } from '@espalier/torch';
import type { Network } from '../networks/network.js';
import type { Journal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { ImageClassification } from '../tasks/image-classification.js';
import type { ImageTask } from '../tasks/image-task.js';
import { evaluate } from '../tasks/task.js';
import { initialised } from './child.js';
import { clockNow, journalEpochs, withJournal } from './journaled-epochs.js';
import { NetworkTraining, type StepReport } from './network-training.js';
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
  const { folder, message } = training;
  return withJournal(folder, trainingFiles(folder).journal, message, (journal) => train(training, journal));
}

async function train(training: FinalTraining, journal: Journal): Promise<TrainedNetwork | undefined> {
  const { folder, begin, settings, seed } = training;
  const files = trainingFiles(folder);
  const network = initialised(training.build, seed, settings.device);
  const task = new ImageClassification(training.task, settings);
  const run = new NetworkTraining({ task, network, settings, seed });
  try {
    journal.write(begin, clockNow());
    if (!(await journalEpochs(run, journal, { ...training, checkpoint: files.checkpoint }))) return undefined;
    network.eval();
    const testAccuracy = evaluate(task, network, 'test', { size: settings.batchSize });
    const loss = run.lastLoss;
    saveTensors(files.weights, network.stateDict());
    journal.write({ event: 'end', testAccuracy, loss }, clockNow());
    journal.finish();
    return { testAccuracy, loss };
  } finally {
    run.free();
    network.free();
  }
}

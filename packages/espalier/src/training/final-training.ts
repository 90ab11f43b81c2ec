import { join } from 'node:path';
import { type nn, saveTensors } from '@espalier/torch';
import type { Journal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import type { Measure } from '../tasks/measure.js';
import { evaluate, type Part, type Task } from '../tasks/task.js';
import { initialised } from './child.js';
import { clockNow, journalEpochs, withJournal } from './journaled-epochs.js';
import { NetworkTraining, type OptimiserSettings, type StepReport } from './network-training.js';

/** Where the files of a training are. */
export const trainingFiles = (folder: string) => ({
  journal: join(folder, 'journal.jsonl'),
  checkpoint: join(folder, 'checkpoint.safetensors'),
  weights: join(folder, 'weights.safetensors'),
});

/** The data that a trained network is judged on, once, at its end: test data only where nothing is decided any more. */
export type JudgedPart = Exclude<Part, 'train'>;

/** A network that is trained to its end. `Model` is how it is called. */
export interface FinalTraining<Model extends object = object> {
  readonly folder: string;
  /** The journal's first line. */
  readonly begin: JournalEvent;
  readonly build: () => nn.Module & Model;
  readonly task: Task<Model>;
  readonly settings: OptimiserSettings & { readonly device: string };
  readonly seed: number;
  readonly judge: JudgedPart;
  readonly signal: AbortSignal;
  report(step: StepReport): void;
  /** An epoch is in the journal. */
  epochEnded?(event: JournalEvent): void;
  message(text: string): void;
}

/** What a training came to. */
export interface TrainedNetwork {
  /** What `value` is. */
  readonly measure: Measure['name'];
  readonly judge: JudgedPart;
  readonly value: number;
  readonly loss: number;
}

/** Under which key the last event of a training has what it was judged by: `testAccuracy`. */
export const judgedKey = (judge: JudgedPart, measure: Measure['name']) =>
  `${judge}${measure === 'accuracy' ? 'Accuracy' : 'Perplexity'}` as const;

/**
 * Trains a network to the end, an epoch at a time: each is journaled, then the network and the optimiser are saved, so
 * that a training that was killed goes on from its last epoch and has the same journal. The weights are the last ones.
 *
 * @returns undefined where it was stopped before its end
 * @throws Diverged; InputError for a folder that another process trains in or a checkpoint that does not fit
 */
export async function trainToEnd<Model extends object>(
  training: FinalTraining<Model>,
): Promise<TrainedNetwork | undefined> {
  const { folder, message } = training;
  return withJournal(folder, trainingFiles(folder).journal, message, (journal) => train(training, journal));
}

async function train<Model extends object>(
  training: FinalTraining<Model>,
  journal: Journal,
): Promise<TrainedNetwork | undefined> {
  const { folder, begin, task, settings, seed, judge } = training;
  const files = trainingFiles(folder);
  const network = initialised(training.build, seed, settings.device);
  const run = new NetworkTraining<Model>({ task, network, settings, seed });
  try {
    journal.write(begin, clockNow());
    if (!(await journalEpochs(run, journal, { ...training, checkpoint: files.checkpoint }))) return undefined;
    run.finish();
    network.eval();
    const value = evaluate<Model>(task, network, judge, { size: settings.batchSize });
    const loss = run.lastLoss;
    const { name: measure } = task.measure;
    saveTensors(files.weights, network.stateDict());
    journal.write({ event: 'end', [judgedKey(judge, measure)]: value, loss }, clockNow());
    journal.finish();
    return { measure, judge, value, loss };
  } finally {
    run.free();
    network.free();
  }
}

import { join } from 'node:path';
import { type nn, saveTensors } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { Measures } from '../measures/measure.js';
import type { Journal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { type Evaluation, evaluateInDetail, type Part, type Task } from '../tasks/task.js';
import { clockNow, journalEpochs, withJournal } from './journaled-epochs.js';
import { LedEpochs } from './led-epochs.js';
import { NetworkTraining, type OptimiserSettings, type StepReport } from './network-training.js';
import type { Peers } from './peers.js';
import { writeSamples } from './samples.js';
import { initialised } from './train-child.js';

/** Where the files of a training are. */
export const trainingFiles = (folder: string) => ({
  journal: join(folder, 'journal.jsonl'),
  checkpoint: join(folder, 'checkpoint.safetensors'),
  weights: join(folder, 'weights.safetensors'),
});

/** The data that a trained network is judged on at its end. Test data is for networks about which nothing is decided any more. */
export type JudgedPart = Exclude<Part, 'train'>;

/** A network to be trained to the end. `Model` is how it is called. */
export interface FinalTraining<Model extends object = object> {
  readonly folder: string;
  /** The journal's first line. */
  readonly begin: JournalEvent;
  readonly build: () => nn.Module & Model;
  readonly task: Task<Model>;
  readonly settings: OptimiserSettings & { readonly device: string };
  readonly seed: number;
  readonly judge: JudgedPart;
  /** What the journal says of the end besides the measures. */
  readonly atEnd?: Readonly<Record<string, Json>>;
  readonly signal: AbortSignal;
  report(step: StepReport): void;
  /** An epoch is in the journal. */
  epochEnded?(event: JournalEvent): void;
  message(text: string): void;
  /** The processes that train it with this one, the first of them. Missing: this one trains it alone. */
  readonly peers?: Peers | undefined;
  /** A change that the journal is yet to have. */
  readonly amended?: JournalEvent | undefined;
}

/** What a training came to. */
export interface TrainedNetwork {
  readonly judge: JudgedPart;
  /** On the data that it is judged on. */
  readonly measures: Measures;
  /** Mean training loss of the last epoch. */
  readonly loss: number;
}

/**
 * Trains a network to the end, an epoch at a time. Each epoch is journaled, then network and optimiser are saved. A
 * training that was killed goes on from its last epoch to the same journal. The weights of the last epoch are kept.
 *
 * @returns undefined where it was stopped before the end
 * @throws Diverged; InputError for a folder that another process trains in or a checkpoint that does not fit
 */
export async function trainToEnd<Model extends object>(
  training: FinalTraining<Model>,
): Promise<TrainedNetwork | undefined> {
  const { folder, message } = training;
  return withJournal(folder, trainingFiles(folder).journal, message, (journal) => train(training, journal));
}

/** @throws InputError for a file that is damaged, which also says how to go on */
function test<Model extends object>(
  { task, judge, settings, folder }: FinalTraining<Model>,
  network: Model,
): Evaluation {
  try {
    return evaluateInDetail<Model>(task, network, judge, { size: settings.batchSize });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `${error.message}. The training is done and its weights are in ${trainingFiles(folder).weights}; ` +
        `to repeat the ${judge === 'test' ? 'test' : 'validation'} once the data is mended: espalier resume ${folder}`,
    );
  }
}

async function train<Model extends object>(
  training: FinalTraining<Model>,
  journal: Journal,
): Promise<TrainedNetwork | undefined> {
  const { folder, begin, task, settings, seed, judge, peers } = training;
  const files = trainingFiles(folder);
  const network = initialised(training.build, seed, settings.device);
  const run = new NetworkTraining<Model>({ task, network, settings, seed, peers });
  try {
    journal.write(begin, clockNow());
    const led = peers === undefined ? undefined : new LedEpochs(run, peers);
    if (!(await journalEpochs(led ?? run, journal, { ...training, checkpoint: files.checkpoint })))
      return undefined;
    led?.end();
    run.finish();
    network.eval();
    // Before the test: whatever is wrong with the test data must not cost the training.
    saveTensors(files.weights, network.stateDict(), {}, { checksum: true });
    const { measures, details } = test(training, network);
    const samples = task.samples?.(network, judge);
    if (samples !== undefined) await writeSamples(folder, samples);
    const loss = run.lastLoss;
    const counted = details === undefined ? {} : { details };
    journal.write({ event: 'end', judge, measures, loss, ...counted, ...training.atEnd }, clockNow());
    journal.finish();
    return { judge, measures, loss };
  } finally {
    run.free();
    network.free();
  }
}

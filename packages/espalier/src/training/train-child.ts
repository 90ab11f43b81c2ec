import { loadTensors, manualSeed, type nn, saveTensors, scope } from '@espalier/torch';
import type { Json } from '../json.js';
import { isBetter, type Measures } from '../measures/measure.js';
import { deriveSeed } from '../random/random.js';
import type { CheckpointStore } from '../runs/checkpoint-store.js';
import type { Outcome } from '../runs/outcome.js';
import { Diverged, evaluate, type Task } from '../tasks/task.js';
import { NetworkTraining, type OptimiserSettings, type StepReport } from './network-training.js';

/** What a child did in one epoch, and its measures on the validation data after it. */
interface EpochResult {
  readonly epoch: number;
  /** Mean training loss. */
  readonly loss: number;
  readonly measures: Measures;
}

/** A network to be trained and measured. */
export interface Child {
  readonly task: Task<object>;
  readonly settings: OptimiserSettings & { readonly device: string };
  build(): nn.Module;
  /** Of one input. */
  multiplyAdds(network: nn.Module): number;
}

/** How many of the last epochs count: "the maximum validation accuracy of the last 5 epochs" (section 4.1). */
const LAST_EPOCHS = 5;

/** Where the training of a child is kept. */
export interface Keeping {
  readonly trial: number;
  /** What a checkpoint must belong to, so that it is not taken for that of another child. */
  readonly identity: string;
  readonly checkpoints: CheckpointStore;
  /** The trial that goes on. Where its checkpoint is missing or unusable, the child is trained from the start. */
  readonly continues?: number;
  /**
   * Keep it also between two epochs, at most once in so many seconds, so that another attempt at the same trial goes on
   * there. Missing: only at the end, where epochs of the settings are left.
   */
  readonly everySeconds?: number;
}

/** How a child is trained. */
export interface ChildContext {
  readonly seed: number;
  /** Epochs that it shall have had in the end, of a child that may go on later. By default those of the settings. */
  readonly epochs?: number;
  /** Missing: nothing of it is kept. It comes to the same. */
  readonly keeping?: Keeping;
  report(step: StepReport): Promise<void>;
}

/** A network as the seed initialises it, in the memory layout that trains fastest, on its device. */
export function initialised<N extends nn.Module>(build: () => N, seed: number, device = 'cpu'): N {
  manualSeed(deriveSeed(seed, 'weights'));
  return build().to({ memoryFormat: 'channels_last', device });
}

/**
 * Trains a child network and measures it as Zoph & Le 2016 do: its measures are those of the best of the last 5 epochs on
 * the validation data. A child that diverges is a failed trial.
 *
 * With epochs of its own its measures are those after the last one. The learning rate follows the schedule for all epochs of the
 * settings, so a training that goes on comes to what it would have come to without the pause, to the bit, and the
 * outcome tells all epochs from the first one on.
 */
export async function trainChild(
  { task, settings, build, multiplyAdds }: Child,
  context: ChildContext,
): Promise<Outcome> {
  const { seed, keeping } = context;
  const until = context.epochs ?? settings.epochs;
  const [objective] = task.measures;
  const network = initialised(build, seed, settings.device);
  const training = new NetworkTraining<object>({ task, network, settings, seed });
  try {
    const params = network.parameterCount();
    const macs = multiplyAdds(network);
    const epochs = keeping === undefined ? [] : goOn(training, keeping, until);
    let kept = performance.now();
    let unkept: string | undefined;
    while (training.epoch < until) {
      for (const step of training.trainEpoch()) await context.report(step);
      epochs.push({ epoch: training.epoch, loss: training.lastLoss, measures: validate() });
      if (keeping === undefined || training.trained) continue;
      const isDue = performance.now() - kept >= (keeping.everySeconds ?? Number.POSITIVE_INFINITY) * 1000;
      if (!isDue && training.epoch < until) continue;
      unkept = keep(training, epochs, keeping);
      kept = performance.now();
    }
    // What was kept on the way is of no use where nothing is left to train.
    if (keeping?.everySeconds !== undefined && training.trained) keeping.checkpoints.remove(keeping.trial);
    const counted = epochs.slice(context.epochs === undefined ? -LAST_EPOCHS : -1);
    const { measures } = counted.reduce((best, one) =>
      isBetter(objective, one.measures[objective.name] as number, best.measures[objective.name] as number)
        ? one
        : best,
    );
    return {
      status: 'ok',
      measures: { ...measures, params, macs },
      epochs: epochs.map((epoch) => ({ ...epoch })) as unknown as Json,
      ...(unkept === undefined ? {} : { clock: { checkpoint: unkept } }),
    };
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    return { status: 'failed', reason: error.message };
  } finally {
    training.free();
    network.free();
  }

  /** With the averaged weights, where the training has begun to average. */
  function validate(): Measures {
    const { measures } = training.endEpoch();
    if (measures !== undefined) return measures as Measures;
    network.eval();
    return training.withAverage(() =>
      evaluate<object>(task, network, 'validation', { size: settings.batchSize }),
    );
  }
}

/**
 * Keeps a training. A disk that is full does not make the child fail: what goes on without a checkpoint trains longer, and
 * comes to the same.
 *
 * @returns why it was not kept; undefined where it was
 */
function keep(
  training: NetworkTraining<object>,
  epochs: readonly EpochResult[],
  { trial, identity, checkpoints }: Keeping,
): string | undefined {
  try {
    checkpoints.save(trial, (file) =>
      scope(() =>
        saveTensors(
          file,
          training.stateDict(),
          {
            identity,
            json: JSON.stringify(training.stateJson()),
            epochs: JSON.stringify(epochs),
          },
          { checksum: true },
        ),
      ),
    );
    return undefined;
  } catch (error) {
    return `not kept: ${(error as Error).message}`;
  }
}

/** Takes a training up where it was kept, if it was. @returns the epochs that are done */
function goOn(
  training: NetworkTraining<object>,
  { trial, identity, checkpoints, continues, everySeconds }: Keeping,
  until: number,
): EpochResult[] {
  // An earlier attempt at the same trial was further.
  const own = everySeconds === undefined ? [] : takeUp(training, checkpoints.load(trial), identity, until);
  if (own.length > 0 || continues === undefined) return own;
  return takeUp(training, checkpoints.load(continues), identity, until);
}

function takeUp(
  training: NetworkTraining<object>,
  file: string | undefined,
  identity: string,
  until: number,
): EpochResult[] {
  if (file === undefined) return [];
  return scope(() => {
    let saved: ReturnType<typeof loadTensors>;
    try {
      saved = loadTensors(file);
    } catch {
      // A torn or damaged file: training from the start comes to the same.
      return [];
    }
    const { tensors, metadata } = saved;
    const epochs = JSON.parse(metadata.epochs ?? '[]') as EpochResult[];
    const last = epochs.at(-1);
    if (metadata.identity !== identity || last === undefined || last.epoch > until) return [];
    training.loadState(tensors, JSON.parse(metadata.json ?? 'null') as Json, last.epoch, last.loss);
    return epochs;
  });
}

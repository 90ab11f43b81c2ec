import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { loadTensors, manualSeed, type nn, saveTensors, scope } from '@espalier/torch';
import type { Json } from '../json.js';
import { deriveSeed } from '../random/random.js';
import type { Outcome } from '../runs/outcome.js';
import { bestValue, type Measured, measured, measuredValue } from '../tasks/measure.js';
import { Diverged, evaluate, type Task } from '../tasks/task.js';
import { NetworkTraining, type OptimiserSettings, type StepReport } from './network-training.js';

/** What a child did in one epoch, and what it then was on the data held out. */
type EpochResult = {
  readonly epoch: number;
  /** Mean training loss. */
  readonly loss: number;
} & Measured;

/** A network to be trained and measured. */
interface Child {
  readonly task: Task<object>;
  readonly settings: OptimiserSettings & { readonly device: string };
  build(): nn.Module;
  /** Of one image, or of one token. */
  multiplyAdds(network: nn.Module): number;
}

/** How many of the last epochs count: "the maximum validation accuracy of the last 5 epochs" (section 4.1). */
const LAST_EPOCHS = 5;

/** A child that is trained for a part of the settings' epochs, and may go on later. */
export interface Pause {
  /** How many epochs it shall have been trained for in the end. */
  readonly epochs: number;
  /** What the files must be of, so that they are not taken for those of another child. */
  readonly identity: string;
  /** File to save the training in, where epochs of the settings are left. */
  readonly save?: string;
  /** File of the training that goes on. Where it is not there or cannot be used, the child is trained from the start. */
  readonly load?: string;
}

/** A network as the seed initialises it, in the layout that trains fastest, on its device. */
export function initialised<N extends nn.Module>(build: () => N, seed: number, device = 'cpu'): N {
  manualSeed(deriveSeed(seed, 'weights'));
  return build().to({ memoryFormat: 'channels_last', device });
}

/**
 * Trains a child network and measures it as Zoph & Le 2016 do: its accuracy is the highest on the held-out images in
 * the last 5 epochs, its perplexity the lowest. A child that diverges is a failed trial.
 *
 * With a pause it is what it is after the last epoch. The learning rate has the schedule of all epochs of the
 * settings, so a training that goes on comes to what it would have come to without the pause, bit by bit; and the
 * outcome tells all epochs from the first one on.
 */
export async function trainChild(
  { task, settings, build, multiplyAdds }: Child,
  context: {
    readonly seed: number;
    readonly pause?: Pause;
    report(step: StepReport): Promise<void>;
  },
): Promise<Outcome> {
  const { seed, pause } = context;
  const network = initialised(build, seed, settings.device);
  const training = new NetworkTraining<object>({ task, network, settings, seed });
  try {
    const params = network.parameterCount();
    const macs = multiplyAdds(network);
    const epochs = pause?.load === undefined ? [] : goOn(training, pause.load, pause);
    while (training.epoch < (pause?.epochs ?? settings.epochs)) {
      for (const step of training.trainEpoch()) await context.report(step);
      epochs.push({ epoch: training.epoch, loss: training.lastLoss, ...validate() });
    }
    if (pause?.save !== undefined && !training.trained) save(training, epochs, pause.save, pause);
    const last = pause === undefined ? LAST_EPOCHS : 1;
    const value = bestValue(task.measure, epochs.slice(-last).map(measuredValue)) as number;
    return {
      status: 'ok',
      ...measured(task.measure, value),
      params,
      macs,
      epochs: epochs.map((epoch) => ({ ...epoch })),
    };
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    return { status: 'failed', reason: error.message };
  } finally {
    training.free();
    network.free();
  }

  /** What the network is on the data held out: with its averaged weights, where the training has begun to average. */
  function validate(): Measured {
    const { name } = task.measure;
    const ended = training.endEpoch()[name];
    network.eval();
    const value =
      typeof ended === 'number'
        ? ended
        : evaluate<object>(task, network, 'validation', { size: settings.batchSize });
    // exp() of a loss that is finite still.
    if (!Number.isFinite(value)) throw new Diverged(`diverged: the validation ${name} is ${value}`);
    return measured(task.measure, value);
  }
}

function save(
  training: NetworkTraining<object>,
  epochs: readonly EpochResult[],
  file: string,
  { identity }: Pause,
): void {
  mkdirSync(dirname(file), { recursive: true });
  scope(() =>
    saveTensors(file, training.stateDict(), {
      identity,
      json: JSON.stringify(training.stateJson()),
      epochs: JSON.stringify(epochs),
    }),
  );
}

/** Takes a training up where it was saved, if it was. @returns the epochs that are done */
function goOn(
  training: NetworkTraining<object>,
  file: string,
  { identity, epochs: until }: Pause,
): EpochResult[] {
  if (!existsSync(file)) return [];
  return scope(() => {
    let saved: ReturnType<typeof loadTensors>;
    try {
      saved = loadTensors(file);
    } catch {
      // Torn: whoever trains from the start comes to the same.
      return [];
    }
    const { tensors, metadata } = saved;
    const epochs = JSON.parse(metadata.epochs ?? '[]') as EpochResult[];
    const last = epochs.at(-1);
    if (metadata.identity !== identity || last === undefined || last.epoch >= until) return [];
    training.loadState(tensors, JSON.parse(metadata.json ?? 'null') as Json, last.epoch, last.loss);
    return epochs;
  });
}

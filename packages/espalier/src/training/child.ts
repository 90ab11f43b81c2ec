import { manualSeed, type nn } from '@espalier/torch';
import { multiplyAdds } from '../networks/multiply-adds.js';
import type { Network } from '../networks/network.js';
import { traceClassifier } from '../networks/operator-trace.js';
import { deriveSeed } from '../random/random.js';
import type { Outcome } from '../runs/outcome.js';
import { ImageClassification } from '../tasks/image-classification.js';
import type { ImageTask } from '../tasks/image-task.js';
import { Diverged, evaluate } from '../tasks/task.js';
import { NetworkTraining, type StepReport } from './network-training.js';
import type { TrainingSettings } from './training-settings.js';

/** What a child did in one epoch. */
interface EpochResult {
  readonly epoch: number;
  /** Mean training loss. */
  readonly loss: number;
  /** On the images held out. */
  readonly accuracy: number;
}

/** How many of the last epochs count: "the maximum validation accuracy of the last 5 epochs" (section 4.1). */
const LAST_EPOCHS = 5;

/** A network as the seed initialises it, in the layout that trains fastest, on its device. */
export function initialised<N extends nn.Module>(build: () => N, seed: number, device = 'cpu'): N {
  manualSeed(deriveSeed(seed, 'weights'));
  return build().to({ memoryFormat: 'channels_last', device });
}

/**
 * Trains a child network and measures it as Zoph & Le 2016 do: its accuracy is the highest on the held-out images in
 * the last 5 epochs. A child that diverges is a failed trial.
 */
export async function trainChild(
  build: () => Network,
  task: ImageTask,
  settings: TrainingSettings,
  context: {
    readonly seed: number;
    report(step: StepReport): Promise<void>;
  },
): Promise<Outcome> {
  const network = initialised(build, context.seed, settings.device);
  const classification = new ImageClassification(task, settings);
  const training = new NetworkTraining({ task: classification, network, settings, seed: context.seed });
  try {
    const params = network.parameterCount();
    const macs = multiplyAdds(traceClassifier(network, task.shape).calls);
    const epochs: EpochResult[] = [];
    while (training.epoch < settings.epochs) {
      for (const step of training.trainEpoch()) await context.report(step);
      network.eval();
      const accuracy = evaluate(classification, network, 'validation', { size: settings.batchSize });
      const { epoch, lastLoss: loss } = training;
      epochs.push({ epoch, loss, accuracy });
    }
    const accuracy = Math.max(...epochs.slice(-LAST_EPOCHS).map((epoch) => epoch.accuracy));
    return {
      status: 'ok',
      accuracy,
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
}

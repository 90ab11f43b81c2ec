import type { nn } from '@espalier/torch';
import type { z } from 'zod';
import { buildLanguageModel } from '../networks/build-language-model.js';
import { buildNetwork } from '../networks/build-network.js';
import type { LanguageModel } from '../networks/language-model.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import type { Network } from '../networks/network.js';
import { traceClassifier, traceLanguageModel } from '../networks/operator-trace.js';
import { requireClassifier } from '../networks/require-classifier.js';
import { resolveOptions } from '../space/options.js';
import type { AnySpaceDefinition, InputShape, Space, TokenInput } from '../space/space.js';
import { ImageClassification } from '../tasks/image-classification.js';
import { openImageTask } from '../tasks/image-task.js';
import { LanguageModelling } from '../tasks/language-modelling.js';
import type { Task } from '../tasks/task.js';
import type { TaskSettings } from '../tasks/task-settings.js';
import { openTextTask } from '../tasks/text-task.js';
import { requireDevice } from '../training/device.js';
import type { OptimiserSettings } from '../training/network-training.js';
import { requirePrecision } from '../training/precision.js';
import { languageTrainingSettings, trainingSettings } from '../training/training-settings.js';

/** The data of a training with its loss, and the networks that it trains. */
export interface OpenedTraining {
  readonly task: Task<object>;
  /** What the networks read. */
  readonly input: InputShape | TokenInput;
  readonly settings: OptimiserSettings & { readonly device: string };
  /** @throws InputError for a network that gives something else than the task needs */
  build(space: Space, architecture: unknown): nn.Module;
  /**
   * Builds the network once and lets it go: what cannot be trained is seen before anything is written.
   *
   * @throws InputError for such a network, and for a device or a precision that it cannot be trained with
   */
  requireTrainable(space: Space, architecture: unknown): void;
  /** Of one image, or of one token. */
  multiplyAdds(network: nn.Module): number;
}

/** The options of a training of the space's networks, by what they read: what `--set` may change. */
export const trainingOptions = ({ reads }: AnySpaceDefinition) =>
  reads === 'tokens' ? languageTrainingSettings : trainingSettings;

/**
 * Opens the data for networks of a space.
 *
 * @throws InputError for data that is not there or of another kind than the networks read, and for wrong options
 */
export function openTraining(
  { definition }: Space,
  task: TaskSettings,
  training: Readonly<Record<string, unknown>>,
): OpenedTraining {
  return definition.reads === 'tokens' ? openLanguage(task, training) : openImages(task, training);
}

function openImages(task: TaskSettings, training: object): OpenedTraining {
  const settings = optionsOf(trainingSettings, training);
  const images = openImageTask(task);
  const build = (space: Space, architecture: unknown) => {
    const network = buildNetwork(space, architecture, images.shape);
    requireClassifier(network, images.shape, space.name);
    return network;
  };
  return {
    settings,
    task: new ImageClassification(images, settings),
    input: images.shape,
    build,
    requireTrainable(space, architecture) {
      requireDevice(settings.device);
      const network = build(space, architecture);
      try {
        requirePrecision(settings.precision, network, images.shape);
      } finally {
        network.free();
      }
    },
    multiplyAdds: (network) => multiplyAdds(traceClassifier(network as Network, images.shape).calls),
  };
}

function openLanguage(task: TaskSettings, training: object): OpenedTraining {
  const settings = optionsOf(languageTrainingSettings, training);
  const { stretch, activationAlpha: alpha, activationBeta: beta, device } = settings;
  const text = openTextTask(task);
  const build = (space: Space, architecture: unknown) => buildLanguageModel(space, architecture, text.input);
  return {
    settings,
    task: new LanguageModelling(text, { stretch, alpha, beta, device }),
    input: text.input,
    build,
    requireTrainable(space, architecture) {
      requireDevice(device);
      build(space, architecture).free();
    },
    multiplyAdds: (network) => multiplyAdds(traceLanguageModel(network as LanguageModel).calls),
  };
}

function optionsOf<T extends z.ZodObject>(schema: T, options: object): z.infer<T> {
  return resolveOptions('the training', schema, options) as z.infer<T>;
}

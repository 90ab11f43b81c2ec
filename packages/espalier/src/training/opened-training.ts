import type { nn } from '@espalier/torch';
import type { Json } from '../json.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import { resolveOptions } from '../space/options.js';
import type { Space } from '../space/space.js';
import { findTask } from '../tasks/find-task.js';
import type { Task } from '../tasks/task.js';
import type { AnyTaskDefinition, OpenedData, TrainingOptions } from '../tasks/task-definition.js';
import type { TaskSettings } from '../tasks/task-settings.js';
import type { OptimiserSettings } from './network-training.js';

/** Data that is open, with the task that it is for. */
export interface OpenedTask {
  readonly definition: AnyTaskDefinition;
  /** Of the file of a user's task. */
  readonly graph?: ImportGraph;
  readonly data: OpenedData<object, object>;
}

/** Data that is open, with the networks that are trained on it. */
export interface OpenedTraining extends OpenedTask {
  readonly task: Task<object>;
  readonly settings: OptimiserSettings & { readonly device: string };
  /** The same settings as plain JSON. */
  readonly options: TrainingOptions;
  build(space: Space, architecture: unknown): nn.Module;
  /**
   * Builds the network once and frees it, so that what cannot be trained is found before anything is written.
   *
   * @throws InputError for such a network, and for a device or a precision that it cannot be trained with
   */
  requireTrainable(space: Space, architecture: unknown): void;
  /** Of one input. */
  multiplyAdds(network: nn.Module): number;
}

/**
 * Opens the data of a task.
 *
 * @param settings with paths from the root, or from the working folder
 * @param validationShare see `OpenOptions`
 * @throws InputError for a task or data that is missing or damaged
 */
export async function openTask(settings: TaskSettings, validationShare?: number): Promise<OpenedTask> {
  const { definition, graph } = await findTask(settings.name, process.cwd());
  const data = await definition.open(settings, validationShare === undefined ? {} : { validationShare });
  return { definition, ...(graph === undefined ? {} : { graph }), data };
}

/**
 * Opens the data of a task to train networks on it.
 *
 * @throws InputError for a task or data that is missing or damaged, and for wrong options
 */
export async function openTraining(
  settings: TaskSettings,
  training: Readonly<Record<string, unknown>>,
): Promise<OpenedTraining> {
  const opened = await openTask(settings);
  const { definition, data } = opened;
  const { networks } = definition;
  const options = resolveOptions('the training', definition.training.options, training);
  const build = (space: Space, architecture: unknown): nn.Module =>
    networks.build(space, architecture, data.input);
  return {
    ...opened,
    options,
    settings: options as unknown as OpenedTraining['settings'],
    task: data.task(options),
    build,
    requireTrainable(space, architecture) {
      const network = build(space, architecture);
      try {
        data.requireTrainable(network, space.name, options);
      } finally {
        network.free();
      }
    },
    multiplyAdds: (network) => multiplyAdds(networks.trace(network, data.input).calls),
  };
}

/** The data's input as plain JSON, for the header of a run. */
export function plainInput({ data }: OpenedTask): Record<string, Json> {
  return JSON.parse(JSON.stringify(data.input)) as Record<string, Json>;
}

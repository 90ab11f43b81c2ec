import type { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import { networkError } from '../networks/network-fault.js';
import { requireActivations, requireMemory } from '../networks/required-memory.js';
import { resolveOptions } from '../space/options.js';
import type { Space } from '../space/space.js';
import { findTask } from '../tasks/find-task.js';
import type { Part, Task } from '../tasks/task.js';
import type { AnyTaskDefinition, OpenedData, TrainingOptions } from '../tasks/task-definition.js';
import type { TaskSettings } from '../tasks/task-settings.js';
import type { OptimiserSettings } from './network-training.js';
import { requireUseful } from './optimisers.js';
import { rehearse } from './rehearsal.js';

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
   * Builds the network once, rehearses its training (see `rehearse`) and frees it, so that what cannot work is found before
   * anything is written.
   *
   * @param evaluates the parts of the data that it will be evaluated on
   * @throws InputError for a network that cannot be trained, that names the architecture, the layer and the user's line;
   *   for a device or a precision that it cannot be trained with; for data that has not enough for a batch
   */
  requireTrainable(space: Space, architecture: unknown, evaluates: readonly Part[]): void;
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
  const optimiser = options as unknown as OpenedTraining['settings'];
  requireUseful(optimiser);
  requireOneAverage(optimiser);
  const task = data.task(options);
  const build = (space: Space, architecture: unknown): nn.Module =>
    networks.build(space, architecture, data.input);
  return {
    ...opened,
    options,
    settings: optimiser,
    task,
    build,
    requireTrainable(space, architecture, evaluates) {
      const own = () => build(space, architecture);
      requireMemory({ owner: `space ${space.name}`, build: own, copies: 2 });
      const { batchSize, device } = optimiser;
      rehearse({
        build: own,
        named: (error, doing) => networkError(error, doing, { space, architecture, build: own }),
        require(network) {
          data.requireTrainable(network, space.name, options);
          requireActivations(networks.trace(network, data.input), batchSize, task.timeSteps);
        },
        task,
        batchSize,
        device,
        trains: ['train'],
        evaluates: validates(optimiser) ? [...evaluates, 'validation'] : evaluates,
      });
    },
    multiplyAdds: (network) => multiplyAdds(networks.trace(network, data.input).calls),
  };
}

/** @throws InputError where two options ask for two averages of the weights */
function requireOneAverage({ averageDecay = 0, nonMonotone = 0 }: OptimiserSettings): void {
  if (averageDecay > 0 && nonMonotone > 0)
    throw new InputError(
      `training option 'averageDecay' is ${averageDecay}, and 'nonMonotone' ${nonMonotone} averages the weights too; allowed: ` +
        'one of the two, the other 0',
    );
}

/** Whether a training looks at the validation data on its way. */
const validates = ({ keepBest = false, nonMonotone = 0 }: OptimiserSettings) => keepBest || nonMonotone > 0;

/** The data's input as plain JSON, for the header of a run. */
export function plainInput({ data }: OpenedTask): Record<string, Json> {
  return JSON.parse(JSON.stringify(data.input)) as Record<string, Json>;
}

import { backward, type nn, noGrad, scope } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { attempt, networkFault } from '../networks/network-fault.js';
import type { Batch, Part, PassOptions, Task } from '../tasks/task.js';

/** What is to be tried before a run begins. */
export interface Rehearsal<Network extends nn.Module> {
  readonly task: Task<object>;
  readonly build: () => Network;
  /** Refuses a network that the task cannot train. @throws InputError */
  readonly require: (network: Network) => void;
  /** Makes an error in the network one that names it. @param doing `cannot be trained` */
  readonly named: (error: unknown, doing: string) => InputError;
  readonly batchSize: number;
  readonly device: string;
  /** The parts of the data that the weights, or the architecture, learn from. */
  readonly trains: readonly Part[];
  /** The parts that the network is evaluated on, on the way or at the end. */
  readonly evaluates: readonly Part[];
}

/**
 * Does once, on few inputs, what a run will do many times: a forward and a backward pass of a network on batches of each
 * length that an epoch has, and an evaluation on each part of the data. So whatever cannot work is found before the first
 * step.
 *
 * @throws InputError for a part without a batch, for a file that is damaged, and for a network that cannot be trained
 */
export function rehearse<Network extends nn.Module>(rehearsal: Rehearsal<Network>): void {
  const { task, batchSize, trains, evaluates, device, named } = rehearsal;
  for (const part of new Set([...trains, ...evaluates]))
    if (task.count(part) === 0) throw new InputError(`the ${part} data is empty`);
  for (const part of trains)
    if (task.batchCount(part, batchSize) < 1)
      throw new InputError(`the ${part} data has no batch of ${batchSize}`);
  const network = attempt(rehearsal.build, (error) => named(error, 'cannot be built'));
  try {
    attempt(
      () => rehearsal.require(network),
      (error) => named(error, 'cannot be run'),
    );
    network.to({ memoryFormat: 'channels_last', device });
    network.train();
    for (const part of trains) rehearseTraining(rehearsal, network, part);
    network.eval();
    for (const part of evaluates) rehearseEvaluation(rehearsal, network, part);
  } finally {
    network.free();
  }
}

/** Inputs of a batch that stands for all that have more than one: batch norm needs two. */
const FEW = 2;

function rehearseTraining<Network extends nn.Module>(
  { task, batchSize, build, named }: Rehearsal<Network>,
  network: Network,
  part: Part,
): void {
  const step = (size: number, explained: (error: unknown) => InputError) =>
    withBatch(task, part, { size, training: { seed: 0, epoch: 1 } }, (batch) =>
      attempt(() => scope(() => backward(batch.trainingLoss(network).total)), explained),
    );
  const count = task.count(part);
  // Columns of a text are all of one length.
  const usual = task.independentBatches ? Math.min(batchSize, count, FEW) : batchSize;
  step(usual, (error) => named(error, 'cannot be trained'));
  // A task may leave a short batch out.
  const last = task.batchCount(part, batchSize) * batchSize < count ? 0 : count % batchSize;
  if (task.independentBatches && last > 0 && last < usual)
    step(
      last,
      (error) =>
        new InputError(
          `the ${part} data has ${count} inputs, so with batches of ${batchSize} the last one has only ${last}, and on so ` +
            `few this network cannot be trained: ${networkFault(error, build)}; choose another --batch-size or --limit`,
        ),
    );
}

function rehearseEvaluation<Network extends nn.Module>(
  { task, batchSize, named }: Rehearsal<Network>,
  network: Network,
  part: Part,
): void {
  const size = task.independentBatches ? Math.min(batchSize, FEW) : batchSize;
  withBatch(task, part, { size }, (batch) =>
    attempt(
      () => scope(() => noGrad(() => batch.tally(network))),
      (error) => named(error, 'cannot be evaluated'),
    ),
  );
}

/** Does something with the first batch of a pass, which is open meanwhile. */
function withBatch(
  task: Task<object>,
  part: Part,
  options: PassOptions,
  body: (batch: Batch<object>) => void,
): void {
  for (const batch of task.pass(part, options)) {
    body(batch);
    return;
  }
}

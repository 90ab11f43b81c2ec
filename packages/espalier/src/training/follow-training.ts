import { isDeepStrictEqual } from 'node:util';
import type { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { Task } from '../tasks/task.js';
import { followEpochs } from './led-epochs.js';
import { NetworkTraining, type OptimiserSettings } from './network-training.js';
import type { Peers } from './peers.js';
import { initialised } from './train-child.js';

/** What a process has to have to train a network with others. */
export interface PreparedTraining {
  readonly build: () => nn.Module;
  readonly task: Task<object>;
  readonly settings: OptimiserSettings & { readonly device: string };
  readonly seed: number;
  /** All that decides what the training comes to; equal in all processes. */
  readonly identity: Readonly<Record<string, Json>>;
}

/** Trains a network with the first process of a group, in one of the others. @throws PeerLost; InputError as `requireSameTraining` */
export function followTraining(
  { build, task, settings, seed, identity }: PreparedTraining,
  peers: Peers,
): void {
  requireSameTraining(peers, identity);
  const network = initialised(build, seed, settings.device);
  const training = new NetworkTraining<object>({ task, network, settings, seed, peers });
  try {
    followEpochs(training, peers);
  } finally {
    training.free();
    network.free();
  }
}

/** @throws InputError in all processes, where one would train something else than the first */
export function requireSameTraining(peers: Peers, identity: Readonly<Record<string, Json>>): void {
  const first = peers.tell(identity);
  const other = Object.keys({ ...first, ...identity }).find(
    (name) => !isDeepStrictEqual(first[name], plain(identity[name])),
  );
  const others = peers.count(other !== undefined);
  if (other !== undefined)
    throw new InputError(
      `this process would train something else than the first: ${other} is ${JSON.stringify(identity[other])}, there ` +
        `${JSON.stringify(first[other])}; give all processes the same arguments`,
    );
  if (others > 0)
    throw new InputError(
      `${others} of the other processes would train something else, and say what; give all the same arguments`,
    );
}

/** As it is once it was sent. */
const plain = (value: Json | undefined): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

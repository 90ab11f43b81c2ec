import { backward, type nn, scope } from '@espalier/torch';
import type { AnyNetworkKind } from '../network-kinds/network-kind.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import { networkError } from '../networks/network-fault.js';
import { Random } from '../random/random.js';
import type { Space } from '../space/space.js';

/** A network that was built and run. */
export interface CheckedNetwork {
  /** Counted from 1. */
  readonly number: number;
  readonly params: number;
  readonly macs: number;
  /** Seconds of a training step, without the update of the weights. */
  readonly stepSeconds: number;
}

export interface NetworkCheckOptions {
  /** Architectures to sample. */
  readonly samples: number;
  readonly seed: number;
  /** Inputs of a step. */
  readonly batchSize: number;
}

/**
 * Samples architectures of a space, builds the network of each, and runs it forward and backward.
 *
 * @param kind what the networks read and give
 * @throws InputError for the first network that cannot be built or run; it names the architecture and the user's line
 */
export function* checkNetworks(
  space: Space,
  kind: AnyNetworkKind,
  input: object,
  { samples, seed, batchSize }: NetworkCheckOptions,
): Generator<CheckedNetwork, void, undefined> {
  const random = Random.of(seed, 'check of networks');
  for (let number = 1; number <= samples; number++) {
    const architecture = space.decode(space.sample(random));
    let doing = 'cannot be built';
    let network: nn.Module | undefined;
    const build = () => kind.build(space, architecture, input) as nn.Module;
    try {
      network = build();
      doing = 'cannot be run';
      const macs = multiplyAdds(kind.trace(network, input).calls);
      doing = 'cannot be trained';
      const stepSeconds = trainingStepSeconds(network, kind, input, batchSize);
      yield { number, params: network.parameterCount(), macs, stepSeconds };
    } catch (error) {
      throw networkError(error, doing, { space, architecture, build });
    } finally {
      network?.free();
    }
  }
}

function trainingStepSeconds(
  network: nn.Module,
  kind: AnyNetworkKind,
  input: object,
  batchSize: number,
): number {
  const step = kind.trainingStep(network, input, batchSize);
  try {
    network.train();
    const begun = performance.now();
    scope(() => backward(step.loss()));
    return (performance.now() - begun) / 1000;
  } finally {
    step.free();
  }
}

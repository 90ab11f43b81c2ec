import { backward, type nn, scope } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { AnyNetworkKind } from '../network-kinds/network-kind.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import { layerOfError } from '../networks/operator-trace.js';
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
  /** The path of the user's file, to find the line where something goes wrong. */
  readonly file?: string;
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
  { samples, seed, batchSize, file }: NetworkCheckOptions,
): Generator<CheckedNetwork, void, undefined> {
  const random = Random.of(seed, 'check of networks');
  for (let number = 1; number <= samples; number++) {
    const architecture = space.decode(space.sample(random));
    let doing = 'cannot be built';
    let network: nn.Module | undefined;
    try {
      network = kind.build(space, architecture, input) as nn.Module;
      doing = 'cannot be run';
      const macs = multiplyAdds(kind.trace(network, input).calls);
      doing = 'cannot be trained';
      const stepSeconds = trainingStepSeconds(network, kind, input, batchSize);
      yield { number, params: network.parameterCount(), macs, stepSeconds };
    } catch (error) {
      throw new InputError(
        `space ${space.name}: the network of ${JSON.stringify(architecture)} ${doing}: ` +
          `${firstLine(error)}${layerIn(error)}${placeIn(error, file)}`,
      );
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

/** `, in its layer 'features.3'`. */
function layerIn(error: unknown): string {
  const layer = layerOfError(error);
  return layer === undefined || layer === '' ? '' : `, in its layer '${layer}'`;
}

/** libtorch's messages go on for many lines of C++. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
}

/** ` (my-space.ts:23)`: the innermost line of the user's file on the stack. */
function placeIn(error: unknown, file: string | undefined): string {
  if (file === undefined || !(error instanceof Error)) return '';
  const at = error.stack?.split('\n').find((line) => line.includes(file));
  const line = at === undefined ? undefined : /:(\d+):\d+\)?$/.exec(at.trim())?.[1];
  return line === undefined ? '' : ` (${file.replace(/^.*[/\\]/, '')}:${line})`;
}

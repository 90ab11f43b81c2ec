import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type nn, scope } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { loadStartingWeights, readWeights } from '../prediction/weights.js';
import { replaceWith } from '../runs/atomic-file.js';
import type { Space } from '../space/space.js';
import type { OpenedTask } from '../training/opened-training.js';

/** What a training begins with, as its header has it. */
export const startingWeightsSettings = z.strictObject({
  /** As the user named it: a file, or the folder of a training. */
  from: z.string(),
  /** The safetensors file, from the folder that the training was begun in. */
  file: z.string(),
  /** SHA-256 of the file. */
  checksum: z.string(),
  /** Whether the layers that depend on the number of classes begin anew. */
  newClassifier: z.boolean(),
});

type StartingWeightsSettings = z.infer<typeof startingWeightsSettings>;

/** Weights that a training is asked to begin with. */
export interface GivenWeights extends Omit<StartingWeightsSettings, 'checksum'> {
  /** Where the file is kept, if it is not read from its place: in the folder of a training that is done again. */
  readonly kept?: string;
}

/** Where a training keeps the weights that it began with. */
export const startingWeightsFile = (folder: string) => join(folder, 'starting-weights.safetensors');

/** The weights with their checksum. @throws InputError where there is no such file */
export function withChecksum({ kept, ...given }: GivenWeights): StartingWeightsSettings {
  return { ...given, checksum: checksumOf(kept ?? given.file) };
}

/**
 * Keeps the weights in the folder of the training, so that it needs no other file.
 *
 * @param source where they are
 * @throws InputError where the file is gone or is another meanwhile
 */
export function keepStartingWeights(
  folder: string,
  source: string,
  { checksum }: StartingWeightsSettings,
): void {
  const kept = startingWeightsFile(folder);
  if (existsSync(kept)) {
    if (checksumOf(kept) !== checksum)
      throw new InputError(`${kept}: not the weights that the training began with: the checksum is another`);
    return;
  }
  if (checksumOf(source) !== checksum)
    throw new InputError(`${source}: has changed since the training was begun with these weights`);
  replaceWith(kept, (temporary) => copyFileSync(source, temporary));
}

function checksumOf(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new InputError(`${file}: the weights cannot be read: ${(error as Error).message}`);
  }
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * What puts starting weights into a fresh network.
 *
 * @throws InputError for a file of another kind and where a new classifier is asked for without there being one; the
 *   function returned throws it for weights that do not fit
 */
export function startingFrom(
  file: string,
  { newClassifier, from }: Pick<GivenWeights, 'newClassifier' | 'from'>,
  opened: OpenedTask,
  space: Space,
  architecture: unknown,
): (network: nn.Module) => void {
  const anew = newClassifier ? classifierOf(opened, space, architecture) : new Set<string>();
  return (network) =>
    scope(() => {
      try {
        loadStartingWeights(network, readWeights(file), from, anew);
      } catch (error) {
        if (!(error instanceof InputError) || newClassifier) throw error;
        throw new InputError(
          `${error.message}. For other classes than those of the weights: --new-classifier`,
        );
      }
    });
}

/** The tensors whose shape depends on the number of outputs: those of the classifier, in a language model those of words. */
function classifierOf(
  { definition, data }: OpenedTask,
  space: Space,
  architecture: unknown,
): ReadonlySet<string> {
  const { networks } = definition;
  const { outputs } = networks;
  if (outputs === undefined)
    throw new InputError(
      `--new-classifier: the networks of task ${definition.name} do not say which of their layers are the classifier`,
    );
  const input = data.input as Readonly<Record<string, unknown>>;
  const shapes = (more: number) => {
    const network: nn.Module = networks.build(space, architecture, {
      ...input,
      [outputs]: (input[outputs] as number) + more,
    });
    try {
      return new Map([...network.stateDict()].map(([name, { shape }]) => [name, shape.join()]));
    } finally {
      network.free();
    }
  };
  const [own, wider] = [shapes(0), shapes(1)];
  return new Set([...own].flatMap(([name, shape]) => (wider.get(name) === shape ? [] : [name])));
}

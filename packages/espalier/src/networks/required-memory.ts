import { generatorState, nn, setGeneratorState } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { evaluationBytes } from './activation-memory.js';
import type { OperatorTrace } from './operator-trace.js';

/** Of a weight, and of an activation. */
const BYTES = 4;

/** A network about to be built, and what it is built for. */
export interface RequiredMemory {
  /** For messages: `space darts-cnn`. */
  readonly owner: string;
  readonly build: () => nn.Module;
  /** How many numbers each weight takes: 1, or 2 with its gradient. */
  readonly copies: number;
}

/**
 * Builds a network without memory for its weights and counts them.
 *
 * @throws InputError where they take more memory than is free
 */
export function requireMemory({ owner, build, copies }: RequiredMemory): void {
  const weights = countWeights(build);
  if (weights === undefined) return;
  requireFreeMemory(
    weights * BYTES * copies,
    `${owner}: the ${weights.toLocaleString('en')} weights of this network${copies > 1 ? ' and their gradients' : ''}`,
    'choose fewer channels, units or layers',
  );
}

/**
 * @param timeSteps of an input
 * @throws InputError where the activations of a batch take more memory than is free, in evaluation already
 */
export function requireActivations(trace: OperatorTrace, batchSize: number, timeSteps: number): void {
  requireFreeMemory(
    evaluationBytes(trace) * batchSize * timeSteps,
    `batch size ${batchSize}: the activations`,
    'choose a smaller --batch-size, or fewer channels or units',
  );
}

/**
 * @param bytes that something takes at least
 * @param what begins the message: `batch size 96: the activations`
 * @param remedy ends it
 * @throws InputError where that is more memory than is free
 */
export function requireFreeMemory(bytes: number, what: string, remedy: string): void {
  const free = process.availableMemory();
  if (bytes <= free) return;
  throw new InputError(
    `${what} take at least ${gibibytes(bytes)} of memory, and ${gibibytes(free)} are free; ${remedy}`,
  );
}

/** Bytes as `16.5 GiB`. */
export const gibibytes = (bytes: number) =>
  `${(bytes / 2 ** 30).toLocaleString('en', { maximumFractionDigits: 1 })} GiB`;

/** Undefined where that is not known: a user's network may compute with its weights as it is built. */
function countWeights(build: () => nn.Module): number | undefined {
  // A user's network may draw numbers; it draws the same ones when it is built in earnest.
  const state = generatorState();
  try {
    const network = nn.withoutWeights(build);
    const weights = network.parameterCount();
    network.free();
    return weights;
  } catch {
    return undefined;
  } finally {
    setGeneratorState(state);
  }
}

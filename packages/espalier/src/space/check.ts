import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import { findIndeterminism } from './determinism.js';
import { findDependence } from './independence.js';
import type { Question } from './language.js';
import type { Space } from './space.js';

export interface SpaceCheckOptions {
  /** The number of random decision sequences; 100 by default. */
  readonly sequences?: number;
  /** Equal seeds, equal sequences; 0 by default. */
  readonly seed?: number;
}

/**
 * Checks what a space promises, on random decision sequences:
 *
 * - equal answers lead to equal questions and an equal architecture (`findIndeterminism`);
 * - no question depends on the answers in an earlier block or subset (`findDependence`);
 * - questions of one name are of one kind;
 * - an architecture survives JSON and is read back into its decision sequence.
 *
 * A space may still break a promise for sequences that were not drawn.
 *
 * @throws InputError for the first broken promise, and for a program that breaks a rule of the language
 */
export function checkSpace(space: Space, { sequences = 100, seed = 0 }: SpaceCheckOptions = {}): void {
  const random = Random.of(seed, 'check of a space');
  // First for all sequences: what the other checks find in an indeterministic program would mislead.
  for (let i = 0; i < sequences; i++) {
    const changing = findIndeterminism(space, random);
    if (changing !== undefined)
      throw new InputError(
        `space ${space.name}: ${changing} differs between two runs with equal answers; ` +
          'a program may depend on nothing but its options and its answers',
      );
  }
  const kinds = new Map<string, Question>();
  for (let i = 0; i < sequences; i++) {
    const dependence = findDependence(space, random);
    if (dependence !== undefined) throw new InputError(`space ${space.name}: ${dependence}`);
    checkSequence(space, space.sample(random), kinds);
  }
}

function checkSequence(
  space: Space,
  sequence: ReturnType<Space['sample']>,
  kinds: Map<string, Question>,
): void {
  for (const { question } of space.trace(sequence)) {
    const other = kinds.get(question.name) ?? question;
    kinds.set(question.name, other);
    if (other.kind !== question.kind)
      throw new InputError(
        `space ${space.name}: '${other.path}' is a ${other.kind} and '${question.path}' a ${question.kind}; ` +
          `questions with the name '${question.name}' must be of one kind`,
      );
  }
  const architecture = space.decode(sequence);
  const text = JSON.stringify(architecture);
  const saved: unknown = text === undefined ? undefined : JSON.parse(text);
  const read = space.encode(saved);
  if (!isDeepStrictEqual(read, sequence))
    throw new InputError(
      `space ${space.name}: the answers ${JSON.stringify(sequence)} make the architecture ${text}, ` +
        `which is read back as the answers ${JSON.stringify(read)}`,
    );
}

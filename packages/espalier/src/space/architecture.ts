import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../input-error.js';
import { answerFor, describeValues, valueFor } from './answers.js';
import type { Answer } from './language.js';
import { type ProgramSource, type Trace, trace } from './trace.js';

/**
 * Reads an architecture: the answer to a question stands at the question's path. What the program makes of
 * these answers must be the architecture again, so that nothing in it goes unread.
 *
 * @throws InputError that names the path, the value there and what is allowed
 */
export function readArchitecture<A>(source: ProgramSource<A>, architecture: unknown): Trace<A> {
  const read = trace(source, ({ question }): Answer => {
    const value = valueAt(architecture, question.path);
    const answer = answerFor(question, value);
    if (answer === undefined) {
      throw new InputError(
        `space ${source.name}: '${question.path}' is ${show(value)}; allowed: ${describeValues(question)}`,
      );
    }
    return answer;
  });
  const difference = firstDifference(architecture, read.architecture, '');
  if (difference !== undefined) throw new InputError(`space ${source.name}: ${difference}`);
  return read;
}

/**
 * Checks that every answer of a trace stands at its place in the architecture.
 *
 * @throws InputError where the program returns something else: it could not be read back
 */
export function checkPlaces(space: string, { asked, architecture }: Trace<unknown>): void {
  for (const { question, answer } of asked) {
    const stands = valueAt(architecture, question.path);
    const value = valueFor(question, answer);
    if (isDeepStrictEqual(stands, value)) continue;
    throw new InputError(
      `space ${space}: the answer to '${question.path}' was ${show(value)}, but the architecture that the program ` +
        `returns has ${show(stands)} there`,
    );
  }
}

function valueAt(architecture: unknown, path: string): unknown {
  return path.split('.').reduce(child, architecture);
}

function child(parent: unknown, key: string): unknown {
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) return undefined;
  return (parent as Record<string, unknown>)[key];
}

/** What is not as it has to be, in words. Keys that hold undefined count as missing: JSON drops them. */
function firstDifference(is: unknown, must: unknown, path: string): string | undefined {
  const bothHoldMore = typeof is === 'object' && is !== null && typeof must === 'object' && must !== null;
  if (!bothHoldMore || Array.isArray(is) !== Array.isArray(must)) {
    if (Object.is(is, must)) return undefined;
    const where = path === '' ? 'the architecture' : `'${path}'`;
    return must === undefined
      ? `${where} is ${show(is)}, but nothing may stand there`
      : `${where} is ${show(is)}; allowed: ${show(must)}`;
  }
  for (const key of new Set([...Object.keys(must), ...Object.keys(is)])) {
    const difference = firstDifference(
      child(is, key),
      child(must, key),
      path === '' ? key : `${path}.${key}`,
    );
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'missing';
}

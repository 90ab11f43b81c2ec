import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../input-error.js';
import { answerFor, describeValues, valueFor } from './answers.js';
import type { Answer } from './language.js';
import { type ProgramSource, type Trace, trace } from './trace.js';

/**
 * Reads an architecture: the value at a question's path is its answer. The program must return the same architecture for
 * these answers, so every part of it is read.
 *
 * @throws InputError that names the path, the value there and the allowed values
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
 * Checks that the architecture holds every answer of a run at the path of its question.
 *
 * @throws InputError if the program returns something else, which could not be read back
 */
export function checkPlaces(space: string, { asked, architecture }: Trace<unknown>): void {
  for (const { question, answer } of asked) {
    const found = valueAt(architecture, question.path);
    const value = valueFor(question, answer);
    if (isDeepStrictEqual(found, value)) continue;
    throw new InputError(
      `space ${space}: the answer to '${question.path}' was ${show(value)}, but in the architecture that the program ` +
        `returns it is ${show(found)}`,
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

/** The first difference between a value and the expected one, in words. A key that holds undefined counts as missing, as in JSON. */
function firstDifference(value: unknown, expected: unknown, path: string): string | undefined {
  if (!isParent(value) || !isParent(expected) || Array.isArray(value) !== Array.isArray(expected)) {
    if (Object.is(value, expected)) return undefined;
    const where = path === '' ? 'the architecture' : `'${path}'`;
    return expected === undefined
      ? `${where} is ${show(value)}, but nothing may stand there`
      : `${where} is ${show(value)}; allowed: ${show(expected)}`;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(value)])) {
    const inner = path === '' ? key : `${path}.${key}`;
    const difference = firstDifference(child(value, key), child(expected, key), inner);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isParent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'missing';
}

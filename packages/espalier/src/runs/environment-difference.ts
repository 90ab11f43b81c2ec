import { InputError } from '../input-error.js';
import { shorten } from './first-difference.js';
import { type Environment, environmentHere, readManifest } from './manifest.js';

/** A key of two environments that differ in it. */
export interface EnvironmentDifference {
  readonly key: keyof Environment;
  readonly first: string;
  readonly second: string;
}

export function environmentDifferences(first: Environment, second: Environment): EnvironmentDifference[] {
  return (Object.keys(second) as (keyof Environment)[]).flatMap((key) => {
    const [ours, theirs] = [textOf(first[key]), textOf(second[key])];
    return ours === theirs ? [] : [{ key, first: ours, second: theirs }];
  });
}

function textOf(value: Environment[keyof Environment]): string {
  return Array.isArray(value) ? value.join('; ') : String(value);
}

/** What decides how numbers are added up: with another value a result may differ in its last bits. */
const DECIDING: ReadonlySet<keyof Environment> = new Set([
  'libtorch',
  'libtorchBuild',
  'instructionSet',
  'cpu',
  'cores',
]);

/** What of an environment decides how numbers are added up, as text. */
export function decidingValues(environment: Environment): Record<string, string> {
  return Object.fromEntries([...DECIDING].map((key) => [key, textOf(environment[key])]));
}

/**
 * What of this process is not as it was when a run was begun, one sentence; undefined where everything is.
 *
 * @param file the manifest of the run
 */
export function changedEnvironment(file: string): string | undefined {
  let before: Environment | undefined;
  try {
    before = readManifest(file)?.environment;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return `${error.message}; whether the machine is the same is not known`;
  }
  if (before === undefined) return undefined;
  const changed = environmentDifferences(before, environmentHere()).filter(({ key }) => DECIDING.has(key));
  if (changed.length === 0) return undefined;
  const told = changed.map(({ key, first, second }) => `${key} is ${shorten(second)} (${shorten(first)})`);
  return `since the run was begun, ${told.join(', ')}, its value then in brackets; results may differ in their last bits`;
}

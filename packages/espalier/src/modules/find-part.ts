import { resolve } from 'node:path';
import { InputError } from '../input-error.js';
import { didYouMean } from '../nearest-name.js';
import type { ImportGraph } from './import-graph.js';
import { isFile, loadModule } from './user-module.js';

/** A kind of part that users may write themselves: spaces, strategies, estimators, tasks. */
export interface PartKind<D> {
  /** For messages: `space`. */
  readonly what: string;
  /** The parts in the box. */
  readonly known: ReadonlyMap<string, D>;
  /** Whether the default export of a module is such a part. */
  isPart(exported: unknown): boolean;
  /** How a module exports one, for messages. */
  readonly example: string;
}

/** A part as it was named: one in the box, or a user's file. */
export interface FoundPart<D> {
  readonly definition: D;
  /** The name of one in the box, or the path of a file from the root: what other folders and processes find it by. */
  readonly name: string;
  /** Of a file. */
  readonly graph?: ImportGraph;
}

/**
 * The part with a name in the box, or the default export of the TypeScript or JavaScript module at a path.
 *
 * @param from the folder that a relative path begins at
 * @throws InputError for an unknown name, and for a file that is missing, broken, or exports something else
 */
export async function findPart<D>(
  { what, known, isPart, example }: PartKind<D>,
  name: string,
  from: string,
): Promise<FoundPart<D>> {
  const inBox = known.get(name);
  if (inBox !== undefined) return { definition: inBox, name };
  if (!isFile(name))
    throw new InputError(
      `${what} '${name}' is unknown;${didYouMean(name, known.keys())} known: ${[...known.keys()].join(', ')}, or the path of a file such as ./my-${what}.ts`,
    );
  const { exported, graph } = await loadModule(what, name, from);
  if (!isPart(exported))
    throw new InputError(`${what} '${name}': its default export is no ${what}; write '${example}'`);
  return { definition: exported as D, name: resolve(from, name), graph };
}

/** Whether a value is an object with a name and with functions under these keys. */
export function hasFunctions(value: unknown, ...keys: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const candidate = value as Readonly<Record<string, unknown>>;
  return typeof candidate.name === 'string' && keys.every((key) => typeof candidate[key] === 'function');
}

/** A part's name for people: of a file its own name without folder and ending. */
export function partLabel(name: string): string {
  return isFile(name) ? name.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '') : name;
}

import { readFileSync, statSync } from 'node:fs';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { findArchitecture } from '../kinds/kinds-of-run.js';
import { toArchitectureFile } from '../space/architecture-file.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';

/**
 * The decision sequences of the architectures that `--enqueue` names: what a run has found, or the architectures of a
 * file. A file may have one in any form, or several as JSON lines.
 *
 * @throws InputError for an architecture that is not of this space, with the file and the line
 */
export async function enqueued(paths: readonly string[], space: Space): Promise<Answer[][]> {
  const sequences: Answer[][] = [];
  for (const path of paths) {
    const lines = jsonLines(path);
    if (lines === undefined) {
      const { space: its, architecture } = await findArchitecture(path);
      sequences.push(sequenceOf({ ...toArchitectureFile(its, architecture) }, space, path));
    } else
      for (const [i, line] of lines.entries()) sequences.push(sequenceOf(line, space, `${path}:${i + 1}`));
  }
  return sequences;
}

/** The lines of a file with several lines of JSON objects; undefined for anything else. */
function jsonLines(path: string): Record<string, Json>[] | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  if (lines.length < 2) return undefined;
  try {
    const values = lines.map((line) => JSON.parse(line) as Json);
    return values.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one))
      ? (values as Record<string, Json>[])
      : undefined;
  } catch {
    return undefined;
  }
}

/** Options that differ, such as a number of channels, do not matter as long as the architecture is one of the space. */
function sequenceOf(
  { space: name, options: _, ...architecture }: Record<string, Json>,
  space: Space,
  place: string,
): Answer[] {
  if (name !== undefined && name !== space.name)
    throw new InputError(`--enqueue ${place}: the architecture is of space '${name}', not ${space.name}`);
  try {
    return space.encode(architecture);
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`--enqueue ${place}: ${error.message}`);
    throw error;
  }
}

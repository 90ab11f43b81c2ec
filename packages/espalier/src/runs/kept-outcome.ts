import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { replaceFile } from './atomic-file.js';
import type { TrialRequest } from './estimator.js';
import { type Outcome, parseOutcome } from './outcome.js';

/**
 * Keeps what a trial came to until the journal takes it: results are journaled in an order of their own, so
 * a fast one may have to wait for a slow one, and a kill meanwhile must not cost its training. What a power failure takes
 * of it is measured again.
 *
 * @param folder of the trial
 */
export function keepOutcome(folder: string, { trial, ...asked }: TrialRequest, outcome: Outcome): void {
  mkdirSync(folder, { recursive: true });
  replaceFile(fileOf(folder), `${JSON.stringify({ ...asked, outcome })}\n`);
}

/**
 * What was kept of a trial, if it is the same trial still.
 *
 * @param unusable is told why an outcome that is there is not used
 */
export function keptOutcome(
  folder: string,
  { trial, ...asked }: TrialRequest,
  unusable: (reason: string) => void,
): Outcome | undefined {
  const file = fileOf(folder);
  if (!existsSync(file)) return undefined;
  try {
    const { outcome, ...kept } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (isDeepStrictEqual(kept, asked)) return parseOutcome(outcome);
    unusable(`${file} is of another architecture or seed; trial ${trial} is run again`);
  } catch (error) {
    unusable(`${file} cannot be read (${(error as Error).message}); trial ${trial} is run again`);
  }
  return undefined;
}

function fileOf(folder: string): string {
  return join(folder, 'result.json');
}

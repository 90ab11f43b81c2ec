import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Objectives } from '../measures/measure.js';
import { replaceFile } from './atomic-file.js';
import type { TrialRequest } from './estimator.js';
import { type Outcome, parseOutcome } from './outcome.js';

/**
 * Keeps the outcome of a trial that has to wait for its turn in the journal, so that it need not be measured again if
 * the search is killed in the meantime. An outcome that a power failure destroys is measured again.
 *
 * @param folder folder of the trial
 */
export function keepOutcome(folder: string, { trial, ...asked }: TrialRequest, outcome: Outcome): void {
  mkdirSync(folder, { recursive: true });
  replaceFile(fileOf(folder), `${JSON.stringify({ ...asked, outcome })}\n`);
}

/**
 * The outcome that was kept of a trial, provided that it is still the same trial.
 *
 * @param unusable is called with the reason if there is an outcome that cannot be used
 */
export function keptOutcome(
  folder: string,
  { trial, ...asked }: TrialRequest,
  objectives: Objectives,
  unusable: (reason: string) => void,
): Outcome | undefined {
  const file = fileOf(folder);
  if (!existsSync(file)) return undefined;
  try {
    const { outcome, ...kept } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (isDeepStrictEqual(kept, asked)) return parseOutcome(outcome, objectives);
    unusable(`${file} is of another architecture or seed; trial ${trial} is measured again`);
  } catch (error) {
    unusable(`${file} cannot be read (${(error as Error).message}); trial ${trial} is measured again`);
  }
  return undefined;
}

/** Forgets the outcome that was kept of a trial, which is tried again. */
export function dropOutcome(folder: string): void {
  rmSync(fileOf(folder), { force: true });
}

function fileOf(folder: string): string {
  return join(folder, 'result.json');
}

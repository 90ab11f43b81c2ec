import { InputError } from '../input-error.js';

/** What is changed of a begun run when it goes on. Its journal has each change in an event `amended`. */
export interface Amendments {
  /** Budget of a search: number of trials in all. */
  readonly trials?: number | undefined;
  /** Epochs of a training in all. */
  readonly epochs?: number | undefined;
  /** A child that takes longer from now on has failed. */
  readonly timeoutSeconds?: number | undefined;
  /** Children that have failed are tried again. */
  readonly retryFailed?: boolean | undefined;
}

/** The event of a change. Besides what is changed it names trials that are tried again: `retry`. */
export const AMENDED = 'amended';

const FLAGS: Readonly<Record<keyof Amendments, string>> = {
  trials: '--trials',
  epochs: '--epochs',
  timeoutSeconds: '--timeout',
  retryFailed: '--retry-failed',
};

/** Whether anything is changed. */
export function amendsSomething(amendments: Amendments | undefined): amendments is Amendments {
  return Object.values(amendments ?? {}).some((value) => value !== undefined && value !== false);
}

/** @throws InputError for a change that a kind of run does not know */
export function refuseAmendments(
  amendments: Amendments | undefined,
  names: readonly (keyof Amendments)[],
  reason: string,
): void {
  for (const name of names) {
    const value = amendments?.[name];
    if (value === undefined || value === false) continue;
    throw new InputError(`${FLAGS[name]}${value === true ? '' : ` ${value}`}: ${reason}`);
  }
}

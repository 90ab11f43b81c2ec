import type { JournalEvent } from '../runs/journal-event.js';

/** What carried values between the processes of a run by epochs, as its last epoch says; null where one process works alone. */
export const collectivesOf = (epochs: readonly JournalEvent[]): string | null => {
  const { collectives } = epochs.at(-1)?.clock ?? {};
  return typeof collectives === 'string' ? collectives : null;
};

/** A line for the terminal, where several processes work. */
export const collectivesLine = (collectives: string | null): string[] =>
  collectives === null ? [] : [`  several processes exchange through ${collectives}`];

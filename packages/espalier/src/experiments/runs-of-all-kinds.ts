import type { FoundArchitecture, RankedArchitecture } from './found-architecture.js';
import type { RunResult } from './run-result.js';

/** What differs in a search of the same method: with the same code of the user, which must not have changed. */
export interface SearchChanges {
  readonly seed: number;
  /** Where its data is now, `kind:path`, if not where the settings say. */
  readonly data?: string | undefined;
}

/** Runs of all kinds, as work that consists of other runs needs them: the table of kinds implements it. */
export interface RunsOfAllKinds {
  /** What a run has come to. @throws InputError for a folder without a run, and for a kind that has no such result */
  resultOf(path: string): RunResult;
  /** The architecture of a published name, a file, or a run. @throws InputError where there is none */
  findArchitecture(path: string): Promise<FoundArchitecture>;
  /**
   * The best `count` different architectures that a search has measured, best first.
   *
   * @throws InputError for a run that has not measured several
   */
  bestArchitectures(path: string, count: number): Promise<readonly RankedArchitecture[]>;
  /**
   * Begins a run of the same settings in a new folder.
   *
   * @throws InputError for what is missing meanwhile; with changes also for code that has changed
   */
  beginAgain(path: string, out: string, changes?: SearchChanges): Promise<void>;
}

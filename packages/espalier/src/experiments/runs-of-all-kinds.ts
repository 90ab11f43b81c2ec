import type { FoundArchitecture } from './found-architecture.js';
import type { RunResult } from './run-result.js';

/** What differs in a search that is begun again. */
export interface SearchChanges {
  readonly seed?: number;
  /** The folder that relative paths of the settings begin at; the working folder by default. */
  readonly from?: string;
}

/** Runs of all kinds, as work that consists of other runs needs them: the table of kinds implements it. */
export interface RunsOfAllKinds {
  /** What a run has come to. @throws InputError for a folder without a run, and for a kind that has no such result */
  resultOf(path: string): RunResult;
  /** The architecture of a published name, a file, or a run. @throws InputError where there is none */
  findArchitecture(path: string): Promise<FoundArchitecture>;
  /** Begins a run of the same settings in a new folder. @throws InputError for what is missing meanwhile */
  beginAgain(path: string, out: string, changes?: SearchChanges): Promise<void>;
}

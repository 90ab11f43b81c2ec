import type { FoundArchitecture } from '../experiments/found-architecture.js';
import type { ReadResult } from '../experiments/run-result.js';
import type { SearchChanges } from '../experiments/runs-of-all-kinds.js';
import type { TrainedArchitecture } from '../experiments/training-run.js';
import type { JournalEvent } from '../runs/journal-event.js';
import type { Terminal } from '../terminal/terminal.js';

/** What a command says of a run: text for people, one JSON value for programs. */
export interface Said {
  readonly text: string;
  readonly json: unknown;
}

/** How a run that went on ended. */
export interface WentOn extends Said {
  /** False where it was stopped. */
  readonly finished: boolean;
}

/**
 * A kind of run: a search, a search with shared weights, a training, an evaluation. Every command that takes a run's
 * folder looks up here what to do.
 */
export interface KindOfRun {
  /** The word that its journals begin with. */
  readonly event: string;
  /** For messages: `search`. */
  readonly name: string;
  /** Reads what it has come to, for comparisons. Missing: it has no single value. */
  readonly result?: ReadResult;
  /** The architecture that it has found, or trains. @throws InputError where there is none (yet) */
  architecture(path: string): Promise<FoundArchitecture>;
  /** The network with its weights. Missing: it has the architecture only. */
  network?(path: string): Promise<TrainedArchitecture>;
  /** How far it is. */
  status(path: string): Promise<Said>;
  /** What it has come to; writes its report. */
  show(path: string): Promise<Said>;
  /**
   * Goes on to the end, and shows it on the terminal.
   *
   * @param follow the events of a run that this one repeats
   */
  goOn(path: string, terminal: Terminal, follow?: readonly JournalEvent[]): Promise<WentOn>;
  /**
   * Begins a run of the same settings in a new folder.
   *
   * @throws InputError for what is missing meanwhile: a file of the user, the data
   */
  beginAgain(path: string, out: string, changes?: SearchChanges): Promise<void>;
}

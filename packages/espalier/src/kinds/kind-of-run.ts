import type { FoundArchitecture, RankedArchitecture } from '../experiments/found-architecture.js';
import type { MeetingOptions } from '../experiments/processes.js';
import type { ReadResult } from '../experiments/run-result.js';
import type { SearchChanges } from '../experiments/runs-of-all-kinds.js';
import type { TrainedArchitecture } from '../experiments/trained-network.js';
import type { Amendments } from '../runs/amendments.js';
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

/** How a run goes on. */
export interface GoingOn {
  /** The events of a run that this one repeats. */
  readonly follow?: readonly JournalEvent[];
  /** Where its data is now, `kind:path`, if not where its settings say. */
  readonly data?: string | undefined;
  /** The Redis whose workers train its children; false for this machine, undefined for where it was begun. */
  readonly redis?: string | false | undefined;
  /** How its processes meet, where several train one network. */
  readonly meeting?: MeetingOptions | undefined;
  /** What is changed of its settings from now on. */
  readonly amend?: Amendments | undefined;
}

/**
 * A kind of run: a search, a search with shared weights, a training, an evaluation. Every command that takes a run's
 * folder looks up here what to do.
 */
export interface KindOfRun {
  /** The word that its journals begin with. */
  readonly event: string;
  /** Whether several processes can train its one network. */
  readonly hasPeers?: boolean;
  /** For messages: `search`. */
  readonly name: string;
  /** Reads what it has come to, for comparisons. Missing: it has no single value. */
  readonly result?: ReadResult;
  /** The architecture that it has found, or trains. @throws InputError where there is none (yet) */
  architecture(path: string): Promise<FoundArchitecture>;
  /** The best `count` different architectures that it has measured, best first. Missing: it measures one. */
  best?(path: string, count: number): Promise<readonly RankedArchitecture[]>;
  /** The children of a search, counted from 1. Missing: it has none. */
  readonly children?: {
    /** @throws InputError where there is no such child */
    architecture(path: string, child: number): Promise<FoundArchitecture>;
    /** What it has come to. @throws InputError where there is no such child */
    show(path: string, child: number): Promise<Said>;
  };
  /** The network with its weights. Missing: it has the architecture only. */
  network?(path: string): Promise<TrainedArchitecture>;
  /** How far it is. */
  status(path: string): Promise<Said>;
  /** What it has come to; writes its report. */
  show(path: string): Promise<Said>;
  /** Goes on to the end, and shows it on the terminal. */
  goOn(path: string, terminal: Terminal, how?: GoingOn): Promise<WentOn>;
  /**
   * Begins a run of the same settings in a new folder.
   *
   * @param changes of a search that is one more of the same method
   * @throws InputError for what is missing meanwhile: a file of the user, the data
   */
  beginAgain(path: string, out: string, changes?: SearchChanges): Promise<void>;
}

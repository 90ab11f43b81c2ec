import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { InputError } from '../input-error.js';
import { syncFolder, temporaryOf } from './atomic-file.js';
import { createJournal } from './journal.js';
import type { JournalEvent, RunHeader } from './journal-event.js';
import { writeManifest } from './manifest.js';
import { acquireLock, isLock } from './run-lock.js';

/** Where the files of a run are. */
export class RunFolder {
  private constructor(readonly path: string) {}

  /**
   * Begins a run: the folder with a journal of one line and the manifest. Everything that may be wrong with the run has to be
   * checked before.
   *
   * @throws InputError for a folder that exists and isn't empty, or cannot be made; nothing is written then
   */
  static create(path: string, header: RunHeader): RunFolder {
    return RunFolder.begin(path, { event: 'run', ...header });
  }

  /** Begins a run of any kind, such as a training, with the first event of its journal. Errors: see `create`. */
  static begin(path: string, event: JournalEvent): RunFolder {
    const folder = new RunFolder(path);
    let made: string | undefined;
    try {
      made = mkdirSync(path, { recursive: true });
    } catch (error) {
      throw new InputError(`${path}: no run folder can be made here: ${(error as Error).message}`);
    }
    folder.#requireEmpty();
    let lock: ReturnType<typeof acquireLock>;
    try {
      lock = acquireLock(path);
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new InputError(`${path}: no run can be written here: ${(error as Error).message}`);
    }
    try {
      // Once more: another process may have begun a run here in the meantime, and ended it.
      folder.#requireEmpty();
      createJournal(folder.journal, event, {
        time: new Date().toISOString(),
        host: hostname(),
        pid: process.pid,
        cwd: process.cwd(),
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
      });
      writeManifest(folder.manifest, event);
      if (made !== undefined) syncFolder(join(path, '..'));
    } finally {
      lock.release();
    }
    return folder;
  }

  /** @throws InputError for a folder that holds no run */
  static open(path: string): RunFolder {
    const folder = new RunFolder(path);
    if (!existsSync(path)) throw new InputError(`${path}: no such folder; a run folder was expected`);
    if (!statSync(path).isDirectory())
      throw new InputError(`${path}: not a folder; a run folder was expected`);
    if (!existsSync(folder.journal)) {
      throw new InputError(`${path}: not a run folder: it has no ${basename(folder.journal)}`);
    }
    return folder;
  }

  /** The events of the run; the run is nothing but these. */
  get journal(): string {
    return join(this.path, 'journal.jsonl');
  }

  /** Where and with what the run was begun: see `Manifest`. */
  get manifest(): string {
    return join(this.path, 'manifest.json');
  }

  /** Where the strategy stood at some line of the journal, so that a resumed run need not replay it all. */
  get snapshot(): string {
    return join(this.path, 'snapshot.json');
  }

  /** What belongs to one trial. */
  trial(trial: number): string {
    return join(this.path, 'trials', `${trial}`);
  }

  /** Where the training of a trial is kept that may go on. */
  checkpoint(trial: number): string {
    return join(this.trial(trial), 'checkpoint.safetensors');
  }

  #requireEmpty(): void {
    const unfinished = basename(temporaryOf(this.journal));
    const found = readdirSync(this.path).filter((name) => name !== unfinished && !isLock(name));
    if (found.length === 0) return;
    throw new InputError(
      existsSync(this.journal)
        ? `${this.path}: a run is in this folder already; resume it or name another folder`
        : `${this.path}: the folder isn't empty (${found[0]}); a new run needs a folder of its own`,
    );
  }
}

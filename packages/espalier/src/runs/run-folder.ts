import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { keepCode } from '../modules/kept-code.js';
import { syncFolder, temporaryOf } from './atomic-file.js';
import { createJournal } from './journal.js';
import type { Clock, JournalEvent, RunHeader } from './journal-event.js';
import { writeManifest } from './manifest.js';
import { acquireLock, isLock } from './run-lock.js';

/** The folder of a run, and the files in it. */
export class RunFolder {
  private constructor(readonly path: string) {}

  /**
   * Refuses the folder of a run that is yet to be prepared, which may take minutes; writes nothing.
   *
   * @throws InputError for a folder that is not empty
   */
  static requireFree(path: string): void {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
      new RunFolder(path).#requireEmpty();
  }

  /**
   * Begins a run: makes the folder, with a journal of one line, a manifest, and copies of the user's code. The settings
   * of the run must have been checked before.
   *
   * @param code of the user, that the run works with
   * @param clock what else is to be known of where it was begun
   * @throws InputError for a folder that is not empty or cannot be made. Nothing is written then
   */
  static create(
    path: string,
    header: RunHeader,
    code: readonly ImportGraph[] = [],
    clock: Clock = {},
  ): RunFolder {
    return RunFolder.begin(path, { event: 'run', ...(header as Record<string, Json>) }, code, clock);
  }

  /**
   * Begins a run of any kind, such as a training. @param event the first event of its journal. Errors as in `create`
   */
  static begin(
    path: string,
    event: JournalEvent,
    code: readonly ImportGraph[] = [],
    clock: Clock = {},
  ): RunFolder {
    const folder = new RunFolder(path);
    let made: string | undefined;
    try {
      made = mkdirSync(path, { recursive: true });
    } catch (error) {
      throw new InputError(`${path}: no run folder can be made here: ${(error as Error).message}`);
    }
    folder.#requireEmpty();
    let lock: ReturnType<typeof acquireLock> | undefined;
    try {
      lock = acquireLock(path);
      // Check again: in the meantime another process may have begun a run here and ended.
      folder.#requireEmpty();
      createJournal(folder.journal, event, {
        time: new Date().toISOString(),
        host: hostname(),
        pid: process.pid,
        cwd: process.cwd(),
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
        ...clock,
      });
      writeManifest(folder.manifest, event);
      keepCode(path, code);
      if (made !== undefined) syncFolder(join(path, '..'));
    } catch (error) {
      if (error instanceof InputError) throw error;
      // A full disk, or one that cannot be written.
      if (made === undefined) folder.#removeRun();
      else rmSync(made, { recursive: true, force: true });
      throw new InputError(`${path}: no run can be written here: ${(error as Error).message}`);
    } finally {
      lock?.release();
    }
    return folder;
  }

  /** @throws InputError for a folder that contains no run */
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

  /** The file with the events of the run, which contain everything about it. */
  get journal(): string {
    return join(this.path, 'journal.jsonl');
  }

  /** The file of the `Manifest`. */
  get manifest(): string {
    return join(this.path, 'manifest.json');
  }

  /** The file with the state of the strategy at some line of the journal, so that not all of it need be replayed. */
  get snapshot(): string {
    return join(this.path, 'snapshot.json');
  }

  /** The folder of one trial. */
  trial(trial: number): string {
    return join(this.path, 'trials', `${trial}`);
  }

  /** Leaves a folder that was there before as it was: empty. */
  #removeRun(): void {
    for (const file of [this.journal, this.manifest]) rmSync(file, { force: true });
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

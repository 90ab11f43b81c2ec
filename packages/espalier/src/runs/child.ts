import { type ChildProcess, fork } from 'node:child_process';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { FromWorker, Job, ToWorker, WorkerSettings } from './child-message.js';

/** How the worker processes of a pool are started. */
export interface ChildOptions {
  /** A module that calls `serve`. */
  readonly module: string | URL;
  readonly argv?: readonly string[];
  /** Is passed to `begin` of `serve` in every worker. */
  readonly init: Json;
}

/** A worker process ended before it reported its outcome. */
export class ChildDeath extends Error {
  override readonly name = 'ChildDeath';

  /**
   * @param message how it ended, such as `killed by SIGSEGV`
   * @param output its last output
   */
  constructor(
    message: string,
    readonly output: string,
  ) {
    super(message);
  }
}

const MOST_OUTPUT = 4000;

/** How long to wait for the exit and the last output of a process. A grandchild may keep its output open forever. */
const GRACE_MS = 1000;

/** The pool's view of one worker process. */
export class Child {
  /** Resolves when the worker can take trials. Rejects with a ChildDeath, or with the reason why it cannot work. */
  readonly ready: Promise<void>;
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;
  #usable = true;
  #output = '';
  readonly #process: ChildProcess;
  #trial:
    | {
        readonly trial: number;
        readonly progress: (progress: Json) => void;
        readonly resolve: (outcome: unknown) => void;
        readonly reject: (error: Error) => void;
      }
    | undefined;

  constructor({ module, argv = [], init }: ChildOptions, settings: WorkerSettings) {
    this.#process = fork(module, argv, {
      env: { ...process.env, OMP_NUM_THREADS: String(settings.threads) },
      execArgv: [],
      // The default, JSON, would turn NaN into null.
      serialization: 'advanced',
      // The output of a worker must not mix with the lines on a terminal or the JSON on stdout.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-MOST_OUTPUT);
      });
    }
    let begun = { resolve: () => {}, reject: (_: Error) => {} };
    this.ready = new Promise((resolve, reject) => {
      begun = { resolve, reject };
    });
    // Only a trial waits for its worker. Without one, such as in a pool that is closed, the rejection needs a handler.
    this.ready.catch(() => {});
    this.#process.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') begun.resolve();
      else if (message.kind === 'unable') {
        this.#usable = false;
        begun.reject(message.input ? new InputError(message.message) : new Error(message.message));
      } else this.#hear(message);
    });
    // This may be the first sign of an exit. Killing the process now would hide its exit code.
    this.#process.on('disconnect', () => {
      this.#usable = false;
      const late = setTimeout(() => this.kill(), GRACE_MS);
      this.#process.once('exit', () => clearTimeout(late));
    });
    this.gone = this.#end().then((death) => {
      begun.reject(death);
      this.#trial?.reject(death);
    });
    this.#send({ kind: 'begin', parent: process.pid, init, settings });
  }

  /** Whether the worker can take another trial. */
  get usable(): boolean {
    return this.#usable;
  }

  /**
   * Measures a trial. Call it once the worker is ready, for one trial at a time.
   *
   * @returns the outcome as the worker reports it, unchecked
   * @throws ChildDeath
   */
  run(request: Job, progress: (progress: Json) => void): Promise<unknown> {
    this.#output = '';
    return new Promise((resolve, reject) => {
      this.#trial = { trial: request.trial, progress, resolve, reject };
      this.#send({ kind: 'trial', request });
    });
  }

  /** Ends the process at once, whatever it is doing. */
  kill(): void {
    this.#usable = false;
    this.#process.kill('SIGKILL');
  }

  #hear(message: Extract<FromWorker, { trial: number }>): void {
    const current = this.#trial;
    if (current?.trial !== message.trial) return;
    if (message.kind === 'progress') {
      current.progress(message.progress);
      return;
    }
    if (message.last) this.#usable = false;
    this.#trial = undefined;
    current.resolve(message.outcome);
  }

  /** Resolves when the process has ended and its last messages and output have arrived. */
  #end(): Promise<ChildDeath> {
    const worker = this.#process;
    return new Promise((resolve) => {
      const ended = (how: string) => {
        this.#usable = false;
        const done = () => resolve(new ChildDeath(how, this.#output));
        const late = setTimeout(done, GRACE_MS);
        // This event comes after the last message and the last output.
        worker.once('close', () => {
          clearTimeout(late);
          done();
        });
      };
      worker.once('exit', (code, signal) => {
        ended(signal === null ? `exited with code ${code}` : `killed by ${signal}`);
      });
      worker.on('error', (error) => {
        if (worker.pid === undefined) ended(`not started: ${error.message}`);
      });
    });
  }

  #send(message: ToWorker): void {
    // A worker that cannot be reached is about to end, and its exit is handled elsewhere.
    this.#process.send(message, () => {});
  }
}

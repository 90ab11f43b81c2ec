import { type ChildProcess, fork } from 'node:child_process';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { FromWorker, ToWorker } from './child-message.js';
import type { EstimateRequest } from './estimator.js';

/** How the worker processes of a pool are started. */
export interface ChildOptions {
  /** A module that calls `serve`. */
  readonly module: string | URL;
  readonly argv?: readonly string[];
  /** Set besides the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the worker's `serve` is given to begin with. */
  readonly init: Json;
}

/** A worker process ended before it had said what it was to say. */
export class ChildDeath extends Error {
  override readonly name = 'ChildDeath';

  /**
   * @param message how it ended, such as `killed by SIGSEGV`
   * @param output the last lines that it wrote
   */
  constructor(
    message: string,
    readonly output: string,
  ) {
    super(message);
  }
}

const MOST_OUTPUT = 4000;

/** So long a process that is ending has for it, and its last lines: a grandchild may hold its output open. */
const GRACE_MS = 1000;

/** One worker process, as its pool sees it. */
export class Child {
  /** Resolved when it can take trials; rejected with a ChildDeath, or with what keeps it from working. */
  readonly ready: Promise<void>;
  /** Resolved when the process is gone. */
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

  constructor({ module, argv = [], env, init }: ChildOptions) {
    this.#process = fork(module, argv, {
      env: { ...process.env, ...env },
      execArgv: [],
      // JSON would make a NaN null on the way.
      serialization: 'advanced',
      // What a worker prints must not get between the lines of a terminal or the JSON on stdout.
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
    // Whoever needs the worker waits for it; a pool that closes meanwhile does not.
    this.ready.catch(() => {});
    this.#process.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') begun.resolve();
      else if (message.kind === 'unable') {
        this.#usable = false;
        begun.reject(message.input ? new InputError(message.message) : new Error(message.message));
      } else this.#hear(message);
    });
    // Also the first sign of an exit, whose code a kill would hide.
    this.#process.on('disconnect', () => {
      this.#usable = false;
      const late = setTimeout(() => this.kill(), GRACE_MS);
      this.#process.once('exit', () => clearTimeout(late));
    });
    this.gone = this.#end().then((death) => {
      begun.reject(death);
      this.#trial?.reject(death);
    });
    this.#send({ kind: 'begin', parent: process.pid, init });
  }

  /** Whether it may be given another trial. */
  get usable(): boolean {
    return this.#usable;
  }

  /**
   * Has it measure a trial, one at a time, once it is ready.
   *
   * @returns what it says the outcome is, unchecked
   * @throws ChildDeath
   */
  run(request: EstimateRequest, progress: (progress: Json) => void): Promise<unknown> {
    this.#output = '';
    return new Promise((resolve, reject) => {
      this.#trial = { trial: request.trial, progress, resolve, reject };
      this.#send({ kind: 'trial', request });
    });
  }

  /** Whatever it is doing. */
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

  /** The end of the process, with what it said and wrote at the very last. */
  #end(): Promise<ChildDeath> {
    const worker = this.#process;
    return new Promise((resolve) => {
      const ended = (how: string) => {
        this.#usable = false;
        const done = () => resolve(new ChildDeath(how, this.#output));
        const late = setTimeout(done, GRACE_MS);
        // Comes after the last message and the last output.
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
    // A worker that cannot be reached is about to end, which is heard of otherwise.
    this.#process.send(message, () => {});
  }
}

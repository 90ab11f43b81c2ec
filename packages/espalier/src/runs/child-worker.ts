import { Worker } from 'node:worker_threads';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { FromWorker, ToWorker } from './child-message.js';
import type { EstimateRequest } from './estimator.js';
import { failureOf } from './failure.js';
import type { Outcome } from './outcome.js';

/** Measures one trial in a worker process. What it throws makes a failed trial. */
export type TrialHandler = (
  request: EstimateRequest,
  progress: (progress: Json) => void,
) => Promise<Outcome> | Outcome;

/**
 * The worker's side of a `ChildPool`: the whole program of a worker process is one call of it.
 *
 * @param begin takes what the pool was given as `init`, loads what all trials need and returns what measures one
 */
export function serve(begin: (init: Json) => Promise<TrialHandler> | TrialHandler): void {
  if (process.send === undefined)
    throw new Error('a worker of a pool: it is started by the pool, not by hand');
  let handler: TrialHandler | undefined;
  let trial: number | undefined;

  const leave = (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    const current = trial;
    trial = undefined;
    if (current === undefined) process.exit(1);
    send({ kind: 'outcome', trial: current, outcome: failureOf(error), last: true }, () => process.exit(1));
  };
  // Whatever is left running after such an error could spoil the next trial.
  process.on('uncaughtException', leave);
  process.on('unhandledRejection', leave);
  // A terminal sends Ctrl-C to the workers too; it is for the search to say when they stop.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());

  process.on('message', async (message: ToWorker) => {
    if (message.kind === 'begin') {
      dieWith(message.parent);
      try {
        handler = await begin(message.init);
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        send({ kind: 'unable', message: said, input: error instanceof InputError }, () => process.exit(1));
        return;
      }
      send({ kind: 'ready' });
      return;
    }
    const current = message.request.trial;
    trial = current;
    let outcome: unknown;
    try {
      outcome = await (handler as TrialHandler)(message.request, (progress) => {
        if (trial === current) send({ kind: 'progress', trial: current, progress });
      });
    } catch (error) {
      outcome = failureOf(error);
    }
    if (trial !== current) return;
    trial = undefined;
    send({ kind: 'outcome', trial: current, outcome, last: false });
  });
}

function send(message: FromWorker, sent: () => void = () => {}): void {
  // The pool may be gone; then there is nobody to tell, and the disconnection ends this process.
  process.send?.(message, undefined, undefined, sent);
}

const LOOKS_EVERY_MS = 250;

/**
 * Ends this process when its parent is gone, also while a training step or a native call keeps the main thread
 * from hearing of the disconnection: a thread of its own looks.
 */
function dieWith(parent: number): void {
  const watch = new Worker(
    `setInterval(() => { if (process.ppid !== ${parent}) process.kill(process.pid, 'SIGKILL'); }, ${LOOKS_EVERY_MS});`,
    { eval: true, execArgv: [], env: {} },
  );
  watch.unref();
}

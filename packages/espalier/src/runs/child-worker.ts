import { Worker } from 'node:worker_threads';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { FromWorker, Job, ToWorker, WorkerRequest, WorkerSettings } from './child-message.js';
import { failureOf } from './failure.js';
import type { Measured } from './outcome.js';

/** Measures one trial in a worker process, or does another job. If it throws an error, the trial has failed. */
export type TrialHandler<R extends Job = WorkerRequest, O = Measured> = (
  request: R,
  progress: (progress: Json) => void,
) => Promise<O> | O;

/**
 * The worker's side of a `ChildPool`. The program of a worker process consists of one call of this function.
 *
 * @param begin takes the `init` of the pool and the settings of this worker, loads everything that all trials need, and
 *   returns the function that measures a trial
 */
export function serve<R extends Job = WorkerRequest, O = Measured>(
  begin: (init: Json, settings: WorkerSettings) => Promise<TrialHandler<R, O>> | TrialHandler<R, O>,
): void {
  if (process.send === undefined)
    throw new Error('this program is a worker of a pool, which starts it; it cannot be started by hand');
  let handler: TrialHandler<R, O> | undefined;
  let trial: number | undefined;

  const leave = (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    const current = trial;
    trial = undefined;
    if (current === undefined) process.exit(1);
    send({ kind: 'outcome', trial: current, outcome: failureOf(error), last: true }, () => process.exit(1));
  };
  // After such an error, code that is still running could disturb the next trial.
  process.on('uncaughtException', leave);
  process.on('unhandledRejection', leave);
  // A terminal sends Ctrl-C to the workers too, but only the search decides when they stop.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());

  process.on('message', async (message: ToWorker) => {
    if (message.kind === 'begin') {
      dieWith(message.parent);
      try {
        handler = await begin(message.init, message.settings);
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
      outcome = await (handler as TrialHandler<R, O>)(message.request as R, (progress) => {
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
  // If the pool has ended, nobody listens, and the disconnection ends this process.
  process.send?.(message, undefined, undefined, sent);
}

const LOOKS_EVERY_MS = 250;

/**
 * Ends this process when its parent has ended. A separate thread watches the parent, because a training step or a
 * native call may keep the main thread from noticing the disconnection.
 */
function dieWith(parent: number): void {
  const watch = new Worker(
    `setInterval(() => { if (process.ppid !== ${parent}) process.kill(process.pid, 'SIGKILL'); }, ${LOOKS_EVERY_MS});`,
    { eval: true, execArgv: [], env: {} },
  );
  watch.unref();
}

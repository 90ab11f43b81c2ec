import { setImmediate } from 'node:timers/promises';
import type { Json } from '../json.js';
import { networkFault } from '../networks/network-fault.js';
import { requireMemory } from '../networks/required-memory.js';
import { openStore } from '../runs/checkpoint-store.js';
import type { WorkerRequest } from '../runs/child-message.js';
import { failureOf } from '../runs/failure.js';
import type { Outcome } from '../runs/outcome.js';
import type { Space } from '../space/space.js';
import type { StepReport } from '../training/network-training.js';
import type { OpenedTraining } from '../training/opened-training.js';
import { trainChild } from '../training/train-child.js';

const REPORT_EVERY_MS = 200;

/** So much of a child's training is lost at most when its worker dies, besides the epoch that it was at. */
const KEEP_EVERY_SECONDS = 10;

/**
 * Measures one trial: decodes its architecture, builds the network, trains it and evaluates it. Any process that has the
 * data open can call it.
 *
 * @param space that the answers are of, at its own depth
 * @param progress says how far the child is
 */
export async function measureTrial(
  { task, settings, build, multiplyAdds }: OpenedTraining,
  space: Space,
  { trial, answers, depth, seed, epochs, continues, checkpoints, keeps = false }: WorkerRequest,
  progress: (progress: Json) => void,
): Promise<Outcome> {
  const own = depth === undefined ? space : space.withDepth(depth);
  const architecture = own.decode(answers);
  let reported = 0;
  const builds = () => build(own, architecture);
  const child = { task, settings, build: builds, multiplyAdds };
  const context = {
    seed,
    ...(epochs === undefined ? {} : { epochs }),
    ...(checkpoints === undefined
      ? {}
      : {
          keeping: {
            trial,
            identity: JSON.stringify({ answers, depth, seed }),
            checkpoints: openStore(checkpoints),
            ...(continues === undefined ? {} : { continues }),
            ...(keeps ? { everySeconds: KEEP_EVERY_SECONDS } : {}),
          },
        }),
    async report({ epoch, step, stepsPerEpoch, loss }: StepReport) {
      const now = performance.now();
      if (now - reported < REPORT_EVERY_MS) return;
      reported = now;
      progress({ epoch, epochs: epochs ?? settings.epochs, step, stepsPerEpoch, loss });
      // Lets the message go out before the next step keeps the thread.
      await setImmediate();
    },
  };
  try {
    // The system may end another process for a network that takes all the memory there is.
    requireMemory({ owner: `space ${space.name}`, build: builds, copies: 2 });
    return await trainChild(child, context);
  } catch (error) {
    return { ...failureOf(error), reason: networkFault(error, builds) };
  }
}

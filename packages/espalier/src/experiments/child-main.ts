/** The program of a worker process: trains one child network after the other. */
import { setImmediate } from 'node:timers/promises';
import { setThreads } from '@espalier/torch';
import { serve } from '../runs/child-worker.js';
import { Space } from '../space/space.js';
import { trainChild } from '../training/child.js';
import type { ChildInit } from './experiment.js';
import { findSpace } from './find-space.js';
import { openTraining } from './opened-training.js';

const REPORT_EVERY_MS = 200;

serve(async (init) => {
  const {
    space: name,
    spaceOptions,
    task: taskSettings,
    training,
    threads,
    folder,
  } = init as unknown as ChildInit;
  setThreads(threads);
  const space = Space.configure((await findSpace(name, folder)).definition, spaceOptions);
  const { task, settings, build, multiplyAdds } = openTraining(space, taskSettings, training);
  return ({ answers, depth, seed, epochs, checkpoints }, progress) => {
    const own = depth === undefined ? space : space.withDepth(depth);
    const architecture = own.decode(answers);
    let reported = 0;
    const child = { task, settings, build: () => build(own, architecture), multiplyAdds };
    return trainChild(child, {
      seed,
      ...(epochs === undefined
        ? {}
        : { pause: { epochs, identity: JSON.stringify({ answers, depth, seed }), ...checkpoints } }),
      async report({ epoch, step, stepsPerEpoch, loss }) {
        const now = performance.now();
        if (now - reported < REPORT_EVERY_MS) return;
        reported = now;
        progress({ epoch, epochs: epochs ?? settings.epochs, step, stepsPerEpoch, loss });
        // Lets the message go out before the next step keeps the thread.
        await setImmediate();
      },
    });
  };
});

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { beginSupernetRun, continueSupernetRun, weightSharing } from '../../packages/espalier/dist/index.js';
import { share } from './share.mjs';

/** What of an epoch of DARTS is neither a step nor a validation. */
export async function darts(/** @type {string} */ folder, /** @type {(line: string) => void} */ say) {
  return [
    await epochsOfDarts(join(folder, 'a'), say, '16 channels, 8 cells', { channels: 16, layers: 8 }, 2560),
    await epochsOfDarts(join(folder, 'b'), say, '4 channels, 5 cells', { channels: 4, layers: 5 }, 8000),
  ];
}

/** Epochs of first-order DARTS on MNIST. What is no step and no validation of the supernet is reading data and saving. */
async function epochsOfDarts(
  /** @type {string} */ path,
  /** @type {(line: string) => void} */ say,
  /** @type {string} */ name,
  /** @type {Record<string, number>} */ spaceOptions,
  /** @type {number} */ limit,
) {
  const definition = weightSharing.get('darts');
  const { create } = definition;
  let work = 0;
  let begun = 0;
  let ended = 0;
  definition.create = (start) => {
    const search = create(start);
    for (const method of ['step', 'endEpoch']) {
      const own = search[method].bind(search);
      search[method] = (...given) => {
        const from = performance.now();
        try {
          return own(...given);
        } finally {
          work += performance.now() - from;
        }
      };
    }
    const choose = search.choose.bind(search);
    search.choose = () => {
      ended = performance.now();
      return choose();
    };
    return search;
  };
  const epochs = 2;
  await beginSupernetRun(path, {
    space: 'darts-cnn',
    spaceOptions,
    strategy: 'darts',
    strategyOptions: { epochs },
    task: { name: 'image-classification', data: 'mnist', limit, seed: 1 },
    seed: 1,
    threads: availableParallelism(),
  });
  let steps = 0;
  await continueSupernetRun(path, {
    signal: new AbortController().signal,
    step() {
      // The first step is left out with all that came before it: supernet and optimisers are made in it.
      if (steps++ === 0) {
        begun = performance.now();
        work = 0;
      }
    },
    epochEnded() {},
    choice() {},
    message() {},
  });
  definition.create = create;
  const total = ended - begun;
  say(
    `darts, ${name}: ${epochs} epochs of ${(total / epochs / 1000).toFixed(1)} s, ${steps / epochs} steps each, ` +
      `${share(1 - work / total)} of them neither step nor validation`,
  );
  return { name, share: 1 - work / total };
}

// Faults on purpose, which the tests of the fuzzer ask for by name.
import { ones } from '../../dist/index.js';

const draw = () => ({});

export const wrongSubjects = {
  wrong: { draw, ours: () => [ones([2])], theirs: () => [ones([2]).mul(2)] },
};

export const endlessDoors = {
  killed: { draw, run: () => process.kill(process.pid, 'SIGKILL') },
  hang: {
    draw,
    run() {
      for (;;);
    },
  },
};

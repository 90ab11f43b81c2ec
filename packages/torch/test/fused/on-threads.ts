import { afterEach, beforeEach, describe } from 'vitest';
import { setThreads } from '../../src/index.js';
import { native } from '../../src/native.js';

/** Registers the tests of `body` twice: with kernels on one thread, and on two that divide even the smallest work. */
export function onOneAndTwoThreads(body: () => void): void {
  describe.each([1, 2])('on %d threads', (threads) => {
    let leastWork: number;
    beforeEach(() => {
      setThreads(threads);
      leastWork = native.setLeastWork(0);
    });
    afterEach(() => {
      native.setLeastWork(leastWork);
    });
    body();
  });
}

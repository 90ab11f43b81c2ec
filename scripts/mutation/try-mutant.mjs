import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * What test files do with a fault.
 * @typedef {object} Trial
 * @property {'failed' | 'timed out' | 'crashed' | 'passed'} outcome of the first file that does not pass
 * @property {string} [by] that file; left out where the process ended between two of them
 * @property {string} [why] the test that failed, and its message
 * @property {ReadonlyMap<string, number>} seconds that each file took
 */

const program = fileURLToPath(new URL('run-tests.mjs', import.meta.url));

/** A file that takes longer than this and five times what it usually takes does not end. */
const PATIENCE_SECONDS = 20;

/** The same for a file that has not run before. */
const FIRST_PATIENCE_SECONDS = 600;

/**
 * Runs test files in a process of their own, with a fault in one source file.
 *
 * @param {import('./run-tests.mjs').Task} task at least one test file
 * @param {string} folder the working folder
 * @param {ReadonlyMap<string, number>} usual how many seconds files take, as far as known
 * @returns {Promise<Trial>}
 */
export function tryMutant(task, folder, usual) {
  return new Promise((resolve) => {
    /** @type {Map<string, number>} */
    const seconds = new Map();
    /** @type {Omit<Trial, 'seconds'> | undefined} */
    let result;
    /** @type {string | undefined} */
    let current;
    let begun = 0;
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    let output = '';
    // A process group of its own, so that what the tests start ends too.
    const child = fork(program, { cwd: folder, silent: true, detached: true });
    const end = () => {
      try {
        process.kill(-(child.pid ?? 0), 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    process.once('exit', end);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text) => {
        output = (output + text).slice(-2000);
      });
    child.on('message', (/** @type {any} */ message) => {
      if (message.begun !== undefined) {
        current = message.begun;
        begun = performance.now();
        const before = usual.get(message.begun);
        const limit = before === undefined ? FIRST_PATIENCE_SECONDS : PATIENCE_SECONDS + 5 * before;
        let left = limit;
        // Seconds are counted rather than read off a clock: while the machine sleeps or this process stands, none go by.
        timer = setInterval(() => {
          if (left-- > 0) return;
          result ??= { outcome: 'timed out', by: current };
          end();
        }, 1000);
      } else if (message.ended !== undefined) {
        clearInterval(timer);
        seconds.set(message.ended, (performance.now() - begun) / 1000);
        if (!message.ok) result ??= { outcome: 'failed', by: message.ended, why: message.why };
        current = undefined;
      } else if (message.errors.length > 0)
        result ??= { outcome: 'failed', by: task.tests.at(-1), why: message.errors[0] };
      else result ??= { outcome: 'passed' };
    });
    child.on('exit', () => {
      clearInterval(timer);
      end();
      process.off('exit', end);
      resolve({ ...(result ?? { outcome: 'crashed', by: current, why: output }), seconds });
    });
    child.send({ tests: task.tests, mutant: task.mutant });
  });
}

/**
 * A process that runs test files once, on sources in which one file has another text: nothing on the disk changes. It is
 * forked, and sends a message when a test file begins and when it ends. The first failure ends the run.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, startVitest } from 'vitest/node';

/**
 * @typedef {object} Task
 * @property {readonly string[]} tests files, in the order in which they run
 * @property {{ file: string, start: number, end: number, replacement: string } | undefined} mutant
 */

const compiled = fileURLToPath(new URL('../../.mutation/modules', import.meta.url));

process.once('message', async (/** @type {Task} */ { tests, mutant }) => {
  class InOrder extends BaseSequencer {
    /** @param {any[]} specifications @returns {Promise<any[]>} */
    async sort(specifications) {
      return specifications.toSorted((a, b) => tests.indexOf(a.moduleId) - tests.indexOf(b.moduleId));
    }
  }
  await startVitest(
    'test',
    [...tests],
    {
      run: true,
      bail: 1,
      // Test files that share a process load libtorch and the sources once.
      isolate: false,
      fileParallelism: false,
      sequence: { sequencer: InOrder },
      reporters: [
        {
          onTestModuleStart: ({ moduleId }) => send({ begun: moduleId }),
          onTestModuleEnd: (module) => send({ ended: module.moduleId, ok: module.ok(), why: why(module) }),
          onTestRunEnd: (_, errors) => send({ errors: errors.map(({ message }) => message) }),
        },
      ],
      setupFiles: ['test/properties.setup.ts', 'test/properties-mutation.setup.ts'],
      // The next run finds compiled what is not mutated.
      experimental: { fsModuleCache: true, fsModuleCachePath: compiled },
    },
    { plugins: [pluginOf(mutant)] },
  );
  process.disconnect();
});

/** @param {Task['mutant']} mutant @returns {any} a plugin of Vite */
function pluginOf(mutant) {
  return {
    name: 'mutant',
    enforce: 'pre',
    /** @param {string} id */
    load: (id) => (id === mutant?.file ? mutated(mutant) : null),
    // The cache knows a file by its text on the disk.
    /** @param {any} vitest */
    configureVitest: ({ experimental_defineCacheKeyGenerator: keysFrom }) =>
      keysFrom(({ id }) => (id === mutant?.file ? false : undefined)),
  };
}

/** @param {NonNullable<Task['mutant']>} mutant */
function mutated({ file, start, end, replacement }) {
  const text = readFileSync(file, 'utf8');
  return text.slice(0, start) + replacement + text.slice(end);
}

/** The first test that failed, and its message. @param {import('vitest/node').TestModule} module */
function why(module) {
  for (const test of module.children.allTests('failed'))
    return `${test.fullName}: ${test.result().errors?.[0]?.message ?? ''}`;
  return module.errors()[0]?.message ?? '';
}

/** @param {object} message */
function send(message) {
  process.send?.(message);
}

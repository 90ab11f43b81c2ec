/**
 * Builds the addon with AddressSanitizer, in a copy of the working tree, and runs the fuzzer of packages/torch once on it: finds
 * accesses outside of tensors that happen to hit memory of the process. Needs GCC or Clang, on Linux. Exit code 1 where a case fails;
 * the fuzzer prints the case and the sanitizer's report.
 *
 *     node scripts/check-address-sanitizer.mjs [--cases N] [--seed N] [--folder FOLDER for the copy]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runScript, SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';
import { copyWorkingTree } from './copy-working-tree.mjs';

const { values: flags } = parseArgs({
  options: {
    cases: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    folder: { type: 'string', default: join(tmpdir(), 'espalier-address-sanitizer') },
  },
});
const folder = resolve(flags.folder);
const compiler = process.env.CXX ?? 'g++';

await runScript(() => {
  copyWorkingTree(folder);
  // With -O0 the vectorised loops compile in a small part of the time, and the cases are small.
  const sanitizer = '-fsanitize=address -fno-omit-frame-pointer -g1 -O0';
  run('The addon does not build', ['packages/torch/scripts/build.mjs'], {
    CXXFLAGS: sanitizer,
    LDFLAGS: '-fsanitize=address',
  });
  run('The TypeScript does not compile', ['node_modules/typescript/bin/tsc', '-b', 'packages/torch']);
  run(
    'The fuzzer has found faults',
    ['packages/torch/test/fuzz/fuzz.mjs', '--cases', flags.cases, '--seed', flags.seed],
    {
      // Node itself is not built with the sanitizer, which must be loaded before everything else.
      LD_PRELOAD: execFileSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim(),
      // Node leaves its memory to the system when it ends. More memory than there is must be an error of ours, as without the sanitizer.
      ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:abort_on_error=1',
    },
  );
});

/**
 * @param {string} problem the error where the program fails
 * @param {string[]} args of Node, in the copy
 * @param {Record<string, string>} [env]
 */
function run(problem, args, env = {}) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new SetupProblem(`${problem}.`);
}

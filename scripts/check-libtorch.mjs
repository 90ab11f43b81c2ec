/**
 * Builds the addon and runs the tests of packages/torch with the oldest and the newest supported libtorch: 1.13 on this
 * machine (Debian 12), and 2.6 in a Debian 13 chroot. Needs root.
 *
 *     node scripts/check-libtorch.mjs [folder of the Debian 13]
 */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScript, SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';
import { copyWorkingTree } from './copy-working-tree.mjs';
import { makeDebianFolder, runInside } from './debian-folder.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = ['g++', 'make', 'python3', 'libtorch-dev', 'libopenblas0-pthread'];
const cloneInside = '/root/espalier';

await runScript(() => {
  const folder = resolve(process.argv[2] ?? join(tmpdir(), 'espalier-trixie'));
  makeDebianFolder('trixie', folder, packages);
  copyWorkingTree(join(folder, cloneInside));
  const rows = [
    check('this machine', '1.13', (command, stdout = 'inherit') =>
      spawnSync('sh', ['-c', command], { cwd: root, stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' }),
    ),
    check('Debian 13', '2.6', (command, stdout) => runInside(folder, cloneInside, command, stdout)),
  ];
  console.table(rows);
  if (rows.some(({ result }) => result !== 'passed')) throw new SetupProblem('Not everything passed.');
});

/**
 * @param {string} where
 * @param {string} wanted the expected version of libtorch
 * @param {(command: string, stdout?: 'inherit' | 'pipe') => { status: number | null, stdout: string }} run
 */
function check(where, wanted, run) {
  console.error(`\n== ${where}`);
  const found = JSON.parse(run('node packages/torch/scripts/find-libtorch.mjs', 'pipe').stdout || 'null');
  const start = performance.now();
  const steps = {
    'addon does not build': 'node packages/torch/scripts/build.mjs',
    'TypeScript does not compile': 'node_modules/.bin/tsc -b packages/torch',
    'tests fail': 'npx vitest run packages/torch',
  };
  let result = found?.version.startsWith(`${wanted}.`) ? 'passed' : `libtorch is not ${wanted}`;
  for (const [failure, command] of Object.entries(steps)) {
    if (result === 'passed' && run(command).status !== 0) result = failure;
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  return { where, libtorch: found?.version ?? 'none', result, seconds };
}

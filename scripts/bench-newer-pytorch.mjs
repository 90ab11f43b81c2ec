/**
 * Runs the benchmarks against PyTorch 2.6, with Espalier on libtorch 2.6, in a Debian 13 chroot. Reuses the chroot of
 * check-libtorch.mjs, or creates it. Needs root. Takes the options of `npm run bench`; with --write it updates the section
 * in BENCHMARKS.md here.
 *
 *     node scripts/bench-newer-pytorch.mjs [--only NAME,... and the other options]
 */
import { cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScript, SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';
import { copyWorkingTree } from './copy-working-tree.mjs';
import { makeDebianFolder, runInside } from './debian-folder.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = ['g++', 'make', 'python3', 'libtorch-dev', 'libopenblas0-pthread', 'python3-torch'];
const cloneInside = '/root/espalier-bench';
const page = 'BENCHMARKS.md';

await runScript(() => {
  const options = process.argv.slice(2);
  const folder = join(tmpdir(), 'espalier-trixie');
  makeDebianFolder('trixie', folder, packages);
  copyWorkingTree(join(folder, cloneInside));
  const quoted = options.map((option) => `'${option.replaceAll("'", "'\\''")}'`).join(' ');
  const command = `node scripts/setup.mjs && node benchmarks/run.mjs ${quoted}`;
  const { status } = runInside(folder, cloneInside, command);
  if (status !== 0) throw new SetupProblem('The benchmarks failed.', status === 2 ? 2 : 1);
  if (options.includes('--write')) cpSync(join(folder, cloneInside, page), join(root, page));
});

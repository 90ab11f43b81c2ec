/**
 * Packs all that a machine with a GPU, Python's PyTorch and g++ needs to prove Espalier on that GPU, without a network: the
 * working tree as it is compiled, the npm packages, this Node, and this make. Prints what to run there.
 *
 *     node scripts/check-cuda.mjs [FOLDER]      default: espalier-cuda in the system's temporary folder
 *
 * The folder has two files; `bash check.sh` there unpacks and runs scripts/cuda/check.mjs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScript, SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';
import { copyWorkingTree } from './copy-working-tree.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const mostBytes = 60e6;

/** What neither the addon, nor the tests of the torch package, nor a training on images in memory needs. */
const leftOut = [
  'onnxruntime-web',
  'onnxruntime-node',
  '@biomejs',
  '@typescript',
  'mnist',
  'knip',
  'typescript',
];

/** The headers of Node that an addon includes through Node-API, and what node-gyp reads. */
const nodeFiles = [
  ...['node_api.h', 'node_api_types.h', 'js_native_api.h', 'js_native_api_types.h', 'node_version.h'],
  ...['common.gypi', 'config.gypi'],
];

const checkScript = `#!/bin/bash
# Needs bash, python3 with PyTorch, and g++; see scripts/cuda/check.mjs for its options.
set -e
cd "$(dirname "$0")"
python3 -c "import tarfile; tarfile.open('espalier.tar.xz').extractall('.')"
exec espalier/node/bin/node espalier/scripts/cuda/check.mjs "$@"
`;

await runScript(() => {
  const target = resolve(process.argv[2] ?? join(tmpdir(), 'espalier-cuda'));
  const headers = join(dirname(dirname(process.execPath)), 'include/node');
  for (const file of nodeFiles)
    if (!existsSync(join(headers, file)))
      throw new SetupProblem(
        `${join(headers, file)} is missing: this Node came without its headers, which the addon is compiled with; ` +
          'run it with a Node of nodejs.org',
      );
  const make = spawnSync('sh', ['-c', 'command -v make'], { encoding: 'utf8' }).stdout.trim();
  if (make === '') throw new SetupProblem('make is missing: it is packed for machines that have none');
  const work = mkdtempSync(join(tmpdir(), 'espalier-pack-'));
  try {
    const tree = join(work, 'espalier');
    copyWorkingTree(tree);
    for (const name of leftOut) rmSync(join(tree, 'node_modules', name), { recursive: true, force: true });
    for (const name of ['torch', 'espalier'])
      cpSync(join(root, 'packages', name, 'dist'), join(tree, 'packages', name, 'dist'), { recursive: true });
    cpSync(process.execPath, join(tree, 'node/bin/node'));
    cpSync(make, join(tree, 'tools/make'), { dereference: true });
    for (const file of nodeFiles) cpSync(join(headers, file), join(tree, 'node/include/node', file));
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    const archive = join(target, 'espalier.tar.xz');
    execFileSync('tar', ['-cJf', archive, '-C', work, 'espalier'], { env: { ...process.env, XZ_OPT: '-6' } });
    writeFileSync(join(target, 'check.sh'), checkScript, { mode: 0o755 });
    const { size } = statSync(archive);
    if (size > mostBytes)
      throw new SetupProblem(`${archive} has ${size} bytes; allowed: ${mostBytes}. Leave out more packages.`);
    console.log(
      `${target}: ${(size / 1e6).toFixed(1)} MB. Copy it to a machine with a GPU, and there: bash check.sh`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});

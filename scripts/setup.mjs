/**
 * Sets up a fresh clone: libtorch (installed automatically for root on Debian or Ubuntu), the npm packages, the addon and
 * the compiled TypeScript. Completed steps are skipped, so every command can run this first.
 *
 *     node scripts/setup.mjs [--tests]     --tests: also what only tests need: redis-server, which they start themselves
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildAddon } from '../packages/torch/scripts/build.mjs';
import { findLibtorch } from '../packages/torch/scripts/find-libtorch.mjs';
import { runCommand, shortened } from '../packages/torch/scripts/run-command.mjs';
import { runScript, SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';

/** @typedef {import('../packages/torch/scripts/find-libtorch.mjs').Libtorch} Libtorch */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNode = [20, 19];
const fastBlas = 'libopenblas0-pthread';
const redis = 'redis-server';
const forTests = process.argv.includes('--tests');

await runScript(async () => {
  checkNode();
  await withLock(async () => {
    const libtorch = await installLibtorch();
    await installPackages();
    if (forTests) await installRedis();
    await buildAddon(libtorch);
    await compileTypeScript();
  });
});

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new SetupProblem(
      `Node ${oldestNode.join('.')} or newer is needed; this is ${process.versions.node}.`,
    );
  }
}

/**
 * Finds libtorch and the build tools. Missing packages are installed if this is permitted.
 * @returns {Promise<Libtorch>}
 */
async function installLibtorch() {
  const tools = ['g++', 'make', 'python3'].filter((tool) => !isOnPath(tool));
  let libtorch = findLibtorch();
  const slow = libtorch !== undefined && hasReferenceBlas(libtorch);
  const packages = [...tools];
  if (libtorch === undefined) packages.push('libtorch-dev', fastBlas);
  if (slow) packages.push(fastBlas);
  if (packages.length > 0 && mayUseApt()) {
    await aptInstall(packages);
    tools.length = 0;
    libtorch = findLibtorch();
  } else if (slow) {
    console.error(
      `Warning: libtorch uses the reference BLAS, which makes matrix products 30 times slower. Install ${fastBlas}.`,
    );
  }
  if (libtorch === undefined)
    throw new SetupProblem(whatToInstall([...tools, 'libtorch 1.13 or newer with its headers']));
  if (tools.length > 0) throw new SetupProblem(whatToInstall(tools));
  return libtorch;
}

/** Without it the tests of searches over many machines are skipped, and say so. */
async function installRedis() {
  if (isOnPath(redis)) return;
  if (!mayUseApt()) {
    console.error(
      `Warning: tests that need ${redis} are skipped. To run them, install it: sudo apt-get install ${redis}`,
    );
    return;
  }
  await aptInstall([redis]);
  // Debian starts a service on the usual port, which nobody has asked for.
  await runCommand('service', [redis, 'stop'], { cwd: root });
}

/** @param {string[]} packages */
async function aptInstall(packages) {
  await step(`Installing ${packages.join(', ')}`, 'apt-get', ['update']);
  const options = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
  await step(undefined, 'apt-get', ['install', ...options, ...packages]);
}

/** @param {string} name */
function isOnPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Whether libtorch uses the reference BLAS. Debian's libtorch loads the libblas.so.3 in its own folder, which is a link to
 * one of the installed implementations.
 * @param {Libtorch} libtorch
 */
function hasReferenceBlas(libtorch) {
  if (process.platform !== 'linux') return false;
  const library = realpathSync(join(libtorch.libFolders[0] ?? '', 'libtorch_cpu.so'));
  const blas = join(dirname(library), 'libblas.so.3');
  return existsSync(blas) && realpathSync(blas).includes('/blas/');
}

function mayUseApt() {
  if (process.getuid?.() !== 0 || !isOnPath('apt-get') || !existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/** @param {string[]} missing */
function whatToInstall(missing) {
  return `Missing: ${missing.join(', ')}. Install the missing packages and run the command again:
  Debian, Ubuntu   sudo apt-get install g++ make python3 libtorch-dev ${fastBlas}
  Fedora           sudo dnf install gcc-c++ make python3 python3-pip && python3 -m pip install torch
  macOS            xcode-select --install && brew install python pytorch
  elsewhere        a C++17 compiler as g++, make, python3, and PyTorch for it: python3 -m pip install torch
To use any other libtorch, 1.13 or newer, such as a zip from pytorch.org/get-started (LibTorch, C++), set the environment
variable LIBTORCH to its folder, which contains include/ and lib/.`;
}

/** Runs `npm ci`, unless node_modules already matches the lock file. */
async function installPackages() {
  if (hasLockedPackages()) return;
  // Skip install scripts: no dependency needs one (that of onnxruntime-node downloads CUDA), and the addon is built next.
  await step('Installing the npm packages', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
}

function hasLockedPackages() {
  const installedFile = join(root, 'node_modules/.package-lock.json'); // npm's record of what it installed
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const locked = Object.entries(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages);
  return locked.every(([path, { version, integrity, optional }]) => {
    const there = installed[path];
    if (path === '' || (optional && there === undefined)) return true; // the workspace itself, or a package for another platform
    return there?.version === version && there?.integrity === integrity;
  });
}

async function compileTypeScript() {
  const { code, output, seconds } = await runCommand(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-b', '--listEmittedFiles'],
    { cwd: root },
  );
  const lines = output.trimEnd().split('\n');
  const errors = lines.filter((line) => !line.startsWith('TSFILE:'));
  if (code !== 0) throw new SetupProblem(`${errors.join('\n')}\nThe TypeScript did not compile.`);
  if (errors.length < lines.length) console.error(`Compiled the TypeScript (${seconds} s)`);
}

/**
 * Runs a command of the set-up. If it fails, its output becomes the error message.
 * @param {string | undefined} title
 * @param {string} command
 * @param {string[]} args
 */
async function step(title, command, args) {
  if (title !== undefined) console.error(title);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { code, output } = await runCommand(command, args, { cwd: root, env });
  if (code !== 0)
    throw new SetupProblem(
      `${shortened(output)}\n\`${command} ${args.join(' ')}\` failed (exit code ${code}).`,
    );
}

/**
 * Allows only one set-up of this clone at a time. The lock of a process that no longer exists is taken over.
 * @param {() => Promise<void>} work
 */
async function withLock(work) {
  const lock = join(root, '.setup/lock');
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = 0; !tryLock(lock); waited++) {
    if (waited === 0) console.error(`Waiting for another set-up of this folder (${lock})`);
    await sleep(200);
  }
  try {
    await work();
  } finally {
    rmSync(lock);
  }
}

/** @param {string} lock */
function tryLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder > 0) process.kill(holder, 0); // throws if there is no such process; an empty file is still being written
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(lock, { force: true });
  }
  return false;
}

import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScript, SetupProblem } from './setup-problem.mjs';

/**
 * @typedef {object} Libtorch
 * @property {'LIBTORCH' | 'python' | 'system'} origin where it was found: by the environment variable, by `python3`, or
 *   in the system's folders
 * @property {string[]} includes its header folders
 * @property {string[]} libFolders
 * @property {string} version such as `1.13.0`
 * @property {boolean} cxx11Abi whether it uses libstdc++'s new std::string; older pip packages use the old one
 * @property {string[]} gpu the names of its libraries for GPUs, CUDA's or ROCm's; empty where it was built without
 * @property {boolean} gloo whether it was built with gloo, for several processes
 * @property {string[] | undefined} nccl where it was built with NCCL, for several GPUs: the folders of the headers of NCCL and CUDA
 *   that its own headers include; undefined where it was not, or one of them is missing
 */

const oldestVersion = [1, 13];
const libraryEnding = process.platform === 'darwin' ? 'dylib' : 'so';
// Some versions divide CUDA's in two. No symbol of ours is in them: they register their operators when they are loaded.
const gpuLibraries = ['torch_cuda', 'torch_cuda_cpp', 'torch_cuda_cu', 'c10_cuda', 'torch_hip', 'c10_hip'];
const ncclHeaders = ['nccl.h', 'cuda_runtime_api.h', 'cublas_v2.h', 'cusparse.h', 'cusolverDn.h'];
const systemPrefixes =
  process.platform === 'darwin' ? ['/opt/homebrew', '/usr/local'] : ['/usr', '/usr/local'];
const multiarch = `${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch}-linux-gnu`;

/**
 * Finds the libtorch to build against: the folder in the environment variable LIBTORCH, else the PyTorch that `python3`
 * imports, else the system's.
 * @returns {Libtorch | undefined} undefined if none of them is version 1.13 or newer with headers
 * @throws {SetupProblem} if the folder in LIBTORCH is no such libtorch
 */
export function findLibtorch() {
  const chosen = process.env.LIBTORCH;
  if (chosen) {
    const found = lookIn(resolve(chosen), 'LIBTORCH');
    if (typeof found === 'string') throw new SetupProblem(`LIBTORCH=${chosen} ${found}`, 2);
    return found;
  }
  const python = pythonsTorch();
  const places = systemPrefixes.map((prefix) => lookIn(prefix, 'system'));
  if (python !== undefined) places.unshift(lookIn(python, 'python'));
  return places.find((found) => typeof found !== 'string');
}

/**
 * @param {string} prefix a folder with include/ and lib/
 * @param {Libtorch['origin']} origin
 * @returns {Libtorch | string} a string says what is wrong with the folder
 */
function lookIn(prefix, origin) {
  const headers = join(prefix, 'include');
  const apiHeaders = join(headers, 'torch/csrc/api/include');
  for (const header of [join(headers, 'ATen/ATen.h'), join(apiHeaders, 'torch/torch.h')]) {
    if (!existsSync(header)) return `is not a libtorch folder (with include/ and lib/): ${header} is missing`;
  }
  const version = versionIn(headers);
  if (version === undefined) return `does not say its version in ${join(apiHeaders, 'torch/version.h')}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1])) {
    return `is libtorch ${version}; ${oldestVersion.join('.')} or newer is needed`;
  }
  const libFolders = ['lib', `lib/${multiarch}`, 'lib64'].map((folder) => join(prefix, folder));
  const library = (name) => `lib${name}.${libraryEnding}`;
  const hasSymbol = (name, symbol) => contains(join(libraries, library(name)), symbol);
  const libraries = libFolders.find((folder) => existsSync(join(folder, library('torch_cpu'))));
  if (libraries === undefined) {
    return `has no ${library('torch_cpu')}; looked in ${libFolders.join(', ')}`;
  }
  const gpu = gpuLibraries.filter((name) => existsSync(join(libraries, library(name))));
  const c10d = join(headers, 'torch/csrc/distributed/c10d');
  const hasNccl =
    existsSync(join(c10d, 'ProcessGroupNCCL.hpp')) &&
    gpu.some((name) => name.startsWith('torch_cuda') && hasSymbol(name, '_ZN4c10d16ProcessGroupNCCLC1'));
  return {
    origin,
    includes: [headers, apiHeaders],
    libFolders: [libraries],
    version,
    cxx11Abi: !hasOldStrings(join(libraries, library('c10'))),
    gpu,
    gloo:
      existsSync(join(c10d, 'ProcessGroupGloo.hpp')) &&
      hasSymbol('torch_cpu', '_ZN4c10d16ProcessGroupGlooC1'),
    nccl: hasNccl ? gpuHeaders(prefix) : undefined,
  };
}

/**
 * Where the headers of NCCL and CUDA are that c10d's header of NCCL includes: beside libtorch, in a toolkit, or in the packages of
 * NVIDIA that pip installs beside PyTorch.
 * @param {string} prefix of libtorch
 * @returns {string[] | undefined} undefined if one of them is nowhere
 */
function gpuHeaders(prefix) {
  const packages = join(dirname(prefix), 'nvidia');
  const folders = [
    ...[prefix, process.env.CUDA_HOME].filter(Boolean),
    ...(existsSync(packages) ? readdirSync(packages).map((name) => join(packages, name)) : []),
    ...['/usr/local/cuda', '/usr'],
  ].map((folder) => join(folder, 'include'));
  const found = ncclHeaders.map((header) => folders.find((folder) => existsSync(join(folder, header))));
  return found.includes(undefined) ? undefined : [...new Set(found)];
}

/**
 * @param {string} headers
 * @returns {string | undefined}
 */
function versionIn(headers) {
  for (const file of ['torch/csrc/api/include/torch/version.h', 'torch/headeronly/version.h']) {
    if (!existsSync(join(headers, file))) continue;
    const text = readFileSync(join(headers, file), 'utf8');
    const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
      (part) => new RegExp(`#define TORCH_VERSION_${part}\\s+(\\d+)`).exec(text)?.[1],
    );
    if (!numbers.includes(undefined)) return numbers.join('.');
  }
  return undefined;
}

/**
 * Whether c10::detail::torchCheckFail takes the std::string of libstdc++'s old ABI (mangled `Ss`). A downloaded libtorch
 * does not record its ABI anywhere else than in the library.
 * @param {string} file
 */
function hasOldStrings(file) {
  return existsSync(file) && readFileSync(file).includes('_ZN3c106detail14torchCheckFailEPKcS2_jRKSs');
}

/**
 * Whether a file has some bytes. A library of libtorch is too large to be read as a whole.
 * @param {string} file
 * @param {string} text
 */
function contains(file, text) {
  const descriptor = openSync(file, 'r');
  const buffer = Buffer.alloc(1 << 22);
  try {
    let kept = 0;
    for (;;) {
      const read = readSync(descriptor, buffer, kept, buffer.length - kept, null);
      if (read === 0) return false;
      const filled = buffer.subarray(0, kept + read);
      if (filled.includes(text)) return true;
      // The text may lie across two pieces.
      kept = Math.min(text.length - 1, filled.length);
      buffer.copy(buffer, 0, filled.length - kept, filled.length);
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The folder of the `torch` package that `python3` would import. Finding it takes milliseconds, importing it seconds.
 * The search leaves out the working directory, which may well have a folder `torch`.
 * @returns {string | undefined}
 */
function pythonsTorch() {
  const script = `
import sys, os, importlib.util
sys.path = [folder for folder in sys.path if folder]
spec = importlib.util.find_spec('torch')
if spec and spec.origin: print(os.path.dirname(spec.origin))
`;
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    return execFileSync('python3', ['-c', script], options).trim() || undefined;
  } catch {
    return undefined; // no python3, or a broken one, offers no PyTorch
  }
}

// As a program, it prints what a build would use.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(() => console.log(JSON.stringify(findLibtorch() ?? null)));
}

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLibtorch } from './find-libtorch.mjs';
import { runCommand, shortened } from './run-command.mjs';
import { runScript, SetupProblem } from './setup-problem.mjs';

/** @typedef {import('./find-libtorch.mjs').Libtorch} Libtorch */

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const buildFolder = join(packageFolder, 'build');
const addon = join(buildFolder, 'Release/espalier_torch.node');
const variablesFile = join(buildFolder, 'libtorch.gypi');
const stampFile = join(buildFolder, 'stamp');

/**
 * Compiles the addon into build/Release, unless the addon there comes from the same sources, libtorch and Node major.
 * @param {Libtorch} libtorch
 * @returns {Promise<boolean>} whether it compiled anything
 * @throws {SetupProblem} with the compiler's errors
 */
export async function buildAddon(libtorch) {
  const files = readdirSync(join(packageFolder, 'native'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(packageFolder, 'native'), join(entry.parentPath, entry.name)))
    .sort();
  const variables = gypVariables(libtorch, files);
  const stamp = stampOf(files, variables);
  if (existsSync(addon) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return false;

  const where = `libtorch ${libtorch.version} (${libtorch.origin}: ${libtorch.libFolders.join(', ')})`;
  console.error(`Compiling the addon against ${where}`);
  mkdirSync(buildFolder, { recursive: true });
  rmSync(stampFile, { force: true });
  writeFileSync(variablesFile, variables);
  const configured = await nodeGyp('configure', '--', '-I', variablesFile);
  const built =
    configured.code === 0 ? await nodeGyp('build', '--jobs', String(availableParallelism())) : configured;
  if (built.code !== 0) {
    const log = join(buildFolder, 'build.log');
    writeFileSync(log, configured.output + built.output);
    throw new SetupProblem(
      `${errorsIn(built.output)}
The addon did not compile; the full output is in ${log}. Check that the C++ compiler suits ${where}, headers in ${libtorch.includes[0]}. The environment variable LIBTORCH selects another libtorch.`,
    );
  }
  writeFileSync(stampFile, stamp);
  console.error(`Compiled the addon (${configured.seconds + built.seconds} s)`);
  return true;
}

/**
 * @param {Libtorch} libtorch
 * @param {string[]} files
 */
function gypVariables(libtorch, files) {
  // System headers cause no warnings. The compiler's own folders must keep their place in its search order.
  const all = [...libtorch.includes, ...(libtorch.nccl ?? [])];
  const includes = [...new Set(all)].filter((folder) => !/^\/usr(\/local)?\/include$/.test(folder));
  const libraries = ['torch', 'torch_cpu', 'c10', ...libtorch.gpu];
  const variables = {
    native_sources: files.filter((file) => file.endsWith('.cc')).map((file) => `native/${file}`),
    libtorch_flags: [
      `-D_GLIBCXX_USE_CXX11_ABI=${libtorch.cxx11Abi ? 1 : 0}`,
      ...(libtorch.gloo ? ['-DUSE_C10D_GLOO'] : []),
      ...(libtorch.gloo && libtorch.nccl ? ['-DUSE_C10D_NCCL'] : []),
      ...includes.map((folder) => `-isystem${folder}`),
    ],
    libtorch_libraries: [
      ...libtorch.libFolders.flatMap((folder) => [`-L${folder}`, `-Wl,-rpath,${folder}`]),
      ...libraries.map((name) => `-l${name}`),
    ],
  };
  return JSON.stringify({ variables }, null, 2);
}

/**
 * @param {string[]} files
 * @param {string} variables
 */
function stampOf(files, variables) {
  const hash = createHash('sha256');
  const parts = [variables, process.platform, process.arch, process.versions.node.split('.')[0] ?? ''];
  for (const file of ['binding.gyp', ...files.map((name) => join('native', name))]) {
    parts.push(file, readFileSync(join(packageFolder, file), 'utf8'));
  }
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex');
}

/** @param {...string} args */
function nodeGyp(...args) {
  const script = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  // If the running Node comes with headers, use them: they fit for certain and need no download.
  const nodePrefix = dirname(dirname(process.execPath));
  const ownHeaders = existsSync(join(nodePrefix, 'include/node/node_api.h'));
  const env = { ...process.env };
  if (ownHeaders) {
    delete env.npm_config_nodedir; // would override the option
    args.splice(1, 0, '--nodedir', nodePrefix);
  }
  return runCommand(process.execPath, [script, ...args], { cwd: packageFolder, env });
}

/** @param {string} output */
function errorsIn(output) {
  const errors = output.split('\n').filter((line) => /\berror\b|undefined reference|cannot find/i.test(line));
  const compilers = errors.filter((line) => !/^(gyp|npm) |^make/.test(line));
  return compilers.length > 0 ? compilers.slice(0, 20).join('\n') : shortened(output);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    const libtorch = findLibtorch();
    if (libtorch === undefined) {
      throw new SetupProblem(
        'Found no libtorch with headers, version 1.13 or newer. Set LIBTORCH to its folder, install PyTorch for the python3 on the PATH, or install Debian’s libtorch-dev.',
      );
    }
    await buildAddon(libtorch);
  });
}

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/** @typedef {{ command: string, version: string }} Python */

/**
 * Finds a Python with PyTorch: the requested one, or else the one on the PATH, or else Debian's. Debian's PyTorch is
 * installed if it is missing and this is permitted (root with apt-get).
 * @param {string | undefined} asked
 * @returns {Python}
 */
export function findPython(asked) {
  if (asked !== undefined) {
    const python = withTorch(asked);
    if (python === undefined) throw new SetupProblem(`'${asked}' cannot import torch.`, 2);
    return python;
  }
  const found = withTorch('python3') ?? withTorch('/usr/bin/python3') ?? install();
  if (found === undefined)
    throw new SetupProblem(
      'No python3 with PyTorch was found for the comparison. Install PyTorch (Debian, Ubuntu: apt-get install python3-torch; elsewhere: python3 -m pip install torch numpy), or select a Python that has it with --python.',
    );
  return found;
}

/**
 * @param {string} command
 * @returns {Python | undefined}
 */
function withTorch(command) {
  const { status, stdout } = spawnSync(command, ['-c', 'import torch; print(torch.__version__)'], {
    encoding: 'utf8',
  });
  return status === 0 ? { command, version: stdout.trim() } : undefined;
}

function install() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  console.error('Installing python3-torch');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
  for (const args of [['update'], ['install', ...options, 'python3-torch']]) {
    const { status, stdout, stderr } = spawnSync('apt-get', args, { encoding: 'utf8', env });
    if (status !== 0) throw new SetupProblem(`${stdout}${stderr}\napt-get ${args.join(' ')} failed.`);
  }
  return withTorch('/usr/bin/python3');
}

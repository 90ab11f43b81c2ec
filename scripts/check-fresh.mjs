/**
 * Checks that a fresh machine needs no manual set-up. In an untouched Debian 12 with Node, npm, g++, make, python3, git and
 * certificates, it clones HEAD of this repository and runs a command, which has to do the whole set-up itself. Needs root.
 *
 *     node scripts/check-fresh.mjs [command ...]     by default "npm run demo" "npm test", each in its own fresh Debian
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScript, SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';
import { makeDebianFolder, runInside } from './debian-folder.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = ['g++', 'make', 'python3', 'ca-certificates', 'git'];
const untouched = join(tmpdir(), 'espalier-bookworm');
const used = join(tmpdir(), 'espalier-bookworm-used');
const cloneInside = '/root/espalier';

await runScript(() => {
  const commands = process.argv.length > 2 ? process.argv.slice(2) : ['npm run demo', 'npm test'];
  makeDebianFolder('bookworm', untouched, packages);
  const rows = commands.map(check);
  console.table(rows);
  if (rows.some(({ result }) => result !== 'passed')) throw new SetupProblem('Not everything passed.');
});

/** @param {string} command */
function check(command) {
  console.error(`\n== ${command}`);
  rmSync(used, { recursive: true, force: true });
  execFileSync('cp', ['-a', untouched, used]);
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, join(used, cloneInside)]);
  const first = timed(command);
  const again = timed('npm run setup');
  rmSync(used, { recursive: true, force: true });
  const result = first.status === 0 && again.status === 0 ? 'passed' : 'failed';
  return { command, result, seconds: first.seconds, 'set-up again, seconds': again.seconds };
}

/** @param {string} command */
function timed(command) {
  const start = performance.now();
  const { status } = runInside(used, cloneInside, command);
  return { status, seconds: Math.round((performance.now() - start) / 100) / 10 };
}

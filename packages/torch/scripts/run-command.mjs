import { spawn } from 'node:child_process';

const secondsBetweenSigns = 20;

/**
 * Runs a command and collects its output. Every 20 seconds it prints the last line to stderr as a sign of progress. A
 * command that cannot start has the exit code 127.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string, seconds: number }>}
 */
export function runCommand(command, args, options = {}) {
  return new Promise((resolve) => {
    const start = performance.now();
    const elapsed = () => Math.round((performance.now() - start) / 1000);
    let output = '';
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    let shown = '';
    const signs = setInterval(() => {
      const last = output.trimEnd().split('\n').at(-1) ?? '';
      console.error(`  ${elapsed()} s ${last === shown ? '' : last.slice(0, 100)}`);
      shown = last;
    }, secondsBetweenSigns * 1000);
    const end = (code) => {
      clearInterval(signs);
      resolve({ code, output, seconds: elapsed() });
    };
    child.on('error', (error) => {
      output += error.message;
      end(127);
    });
    child.on('close', (code) => end(code ?? 1));
  });
}

/**
 * Shortens a long output to its start and its end, for an error message.
 * @param {string} output
 */
export function shortened(output) {
  const lines = output.trimEnd().split('\n');
  return lines.length <= 30
    ? lines.join('\n')
    : [...lines.slice(0, 10), '...', ...lines.slice(-20)].join('\n');
}

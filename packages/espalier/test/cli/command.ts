import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The command line as a user runs it: the built program in a process of its own, in a group that can be killed.
 *
 * @param through a command that runs it, such as one that enters a namespace
 */
export function start(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): { child: ChildProcess; ended: Promise<Ended> } {
  const [command, ...words] = [...through, process.execPath, main, ...args] as [string, ...string[]];
  const child = spawn(command, words, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (text) => {
    stdout += text;
  });
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

export function run(args: readonly string[], cwd: string): Promise<Ended> {
  return start(args, cwd).ended;
}

/** The whole lines of a run's journal without what depends on the clock; a process that is killed may tear the last. */
export function journalOf(folder: string): string[] {
  return readFileSync(join(folder, 'journal.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { clock: _, ...event } = JSON.parse(line);
      return JSON.stringify(event);
    });
}

/** Waits until a run's journal has more lines than that, or its process has ended. */
export async function journalReaches(path: string, lines: number, child: ChildProcess): Promise<void> {
  const journal = join(path, 'journal.jsonl');
  while (
    child.exitCode === null &&
    !(existsSync(journal) && readFileSync(journal, 'utf8').split('\n').length > lines)
  )
    await setTimeout(10);
}

/** Kills the whole group of a process, workers included, unless it has ended. */
export function kill(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGKILL');
}

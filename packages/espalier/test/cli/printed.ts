import { Command, CommanderError } from 'commander';
import { vi } from 'vitest';
// Files of the user import the whole library.
import '../../src/index.js';
import { InputError } from '../../src/input-error.js';

/** What a command prints. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What a command prints, in this process: a process for each of many cases would take minutes.
 *
 * @param add gives the command to a program
 */
export async function spoken(add: (program: Command) => void, args: readonly string[]): Promise<Printed> {
  const program = new Command().exitOverride();
  add(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  const said = { stdout: '', stderr: '' };
  const streams = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += text;
      return true;
    }),
  );
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    for (const stream of streams) stream.mockRestore();
  }
  return said;
}

/** What a command prints on stdout. */
export async function printed(add: (program: Command) => void, args: readonly string[]): Promise<string> {
  return (await spoken(add, args)).stdout;
}

/** The one message of a command that refuses its arguments. */
export async function refusal(add: (program: Command) => void, args: readonly string[]): Promise<string> {
  const error = await printed(add, args).then(
    (text) => new Error(`nothing was refused; printed: ${text}`),
    (thrown: Error) => thrown,
  );
  // Both end with exit code 2: cli/main.ts.
  if (!(error instanceof InputError || error instanceof CommanderError)) throw error;
  return error.message;
}

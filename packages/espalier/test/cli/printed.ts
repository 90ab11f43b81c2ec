import { Command, CommanderError } from 'commander';
import { vi } from 'vitest';
// Files of the user import the whole library.
import '../../src/index.js';
import { InputError } from '../../src/input-error.js';

/**
 * What a command prints on stdout, in this process: a process for each of many cases would take minutes.
 *
 * @param add gives the command to a program
 */
export async function printed(add: (program: Command) => void, args: readonly string[]): Promise<string> {
  const program = new Command().exitOverride();
  add(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  let stdout = '';
  const streams = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += text;
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockReturnValue(true),
  ];
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    for (const stream of streams) stream.mockRestore();
  }
  return stdout;
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

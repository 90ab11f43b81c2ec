import { CommanderError } from 'commander';
import { ProcessLost } from '../experiments/processes.js';
import { InputError } from '../input-error.js';
import { lineOfUser } from '../modules/user-module.js';
import { Diverged } from '../tasks/task.js';

/** Exit code of wrong input. */
const WRONG_INPUT = 2;
/** Of whatever else goes wrong. */
const FAILED = 1;

/** How a command ends that threw an error. */
interface Explained {
  readonly exitCode: number;
  /** For stderr; undefined where everything has been said. */
  readonly message?: string;
}

/** One message for an error that a person can do something about; the stack of any other. */
export function explain(error: unknown): Explained {
  // Commander has said what is wrong; help and version are no error.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : WRONG_INPUT };
  if (error instanceof InputError) return { exitCode: WRONG_INPUT, message: error.message };
  if (error instanceof Diverged || error instanceof ProcessLost)
    return { exitCode: FAILED, message: error.message };
  if (isFileError(error)) return { exitCode: FAILED, message: `${error.path}: ${reasonOf(error)}` };
  const line = error instanceof Error ? lineOfUser(error.stack) : undefined;
  if (line !== undefined)
    return { exitCode: WRONG_INPUT, message: `${line}: ${String(error).split('\n')[0]}` };
  return {
    exitCode: FAILED,
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

interface FileError extends Error {
  readonly path: string;
}

/** Whether the file system has refused something: no space is left, permission is denied. */
function isFileError(error: unknown): error is FileError {
  return error instanceof Error && 'path' in error && typeof error.path === 'string';
}

/** `no space left on device` of `ENOSPC: no space left on device, write`. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /^[A-Z]+: (.*?)(, \w+.*)?$/s.exec(text)?.[1] ?? text;
}

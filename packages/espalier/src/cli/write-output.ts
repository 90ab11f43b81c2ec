import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { InputError } from '../input-error.js';
import { replaceFile } from '../runs/atomic-file.js';
import { reasonOf } from './explain-error.js';

/**
 * Writes the file of `--out` whole or not at all.
 *
 * @throws InputError where it cannot be written
 */
export function writeOutput(file: string, content: string | Uint8Array): void {
  asOutput(file, () => {
    const found = statSync(file, { throwIfNoEntry: false });
    // A pipe or a device, such as /dev/stdout, must not be replaced.
    if (found !== undefined && !found.isFile()) writeFileSync(file, content);
    else replaceFile(found === undefined ? file : realpathSync(file), content);
  });
}

/** Writes a file that `--out` names. @throws InputError where it cannot be written */
export function asOutput(file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new InputError(`--out ${file}: cannot be written: ${reasonOf(error)}`);
  }
}

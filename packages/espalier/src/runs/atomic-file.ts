import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a file so that readers find either the whole old text or the whole new text, even after a power failure.
 *
 * @throws Error of the file system, with the path of the file; its old text is still there then
 */
export function writeFileAtomically(file: string, text: string): void {
  const temporary = temporaryOf(file);
  naming(file, () => {
    try {
      const descriptor = openSync(temporary, 'w');
      try {
        writeFileSync(descriptor, text);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, file);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    syncFolder(dirname(file));
  });
}

/**
 * Replaces a file so that readers find either the whole old text or the whole new text, even if this process is killed.
 * A power failure may destroy both, so this is for files that can be made again. It does not wait for the disk, which
 * can take longer than a trial. Errors as `writeFileAtomically`.
 */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const temporary = temporaryOf(file);
  naming(file, () => {
    try {
      writeFileSync(temporary, content);
      renameSync(temporary, file);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** Does something with a file. An error of the file system names it, also one of a descriptor, which knows no path. */
export function naming<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof Error && 'code' in error) Object.assign(error, { path: file });
    throw error;
  }
}

/**
 * Makes a file so that readers find either none or the whole, even after a power failure.
 *
 * @param write writes the whole to the path that it is given
 */
export function replaceWith(file: string, write: (temporary: string) => void): void {
  const temporary = temporaryOf(file);
  write(temporary);
  const descriptor = openSync(temporary, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncFolder(dirname(file));
}

/** The temporary file that a process killed in mid-write may leave behind. The next write of the file reuses it. */
export function temporaryOf(file: string): string {
  return `${file}.tmp`;
}

/** Puts the names in a folder on the disk. A new file survives a power failure only after this. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

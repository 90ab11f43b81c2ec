import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file so that readers find either the whole old text or the whole new text, even after a power failure. */
export function writeFileAtomically(file: string, text: string): void {
  const temporary = temporaryOf(file);
  const descriptor = openSync(temporary, 'w');
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncFolder(dirname(file));
}

/**
 * Replaces a file so that readers find either the whole old text or the whole new text, even if this process is killed.
 * A power failure may destroy both, so this is for files that can be made again. It does not wait for the disk, which
 * can take longer than a trial.
 */
export function replaceFile(file: string, text: string): void {
  const temporary = temporaryOf(file);
  writeFileSync(temporary, text);
  renameSync(temporary, file);
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

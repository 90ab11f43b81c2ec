import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file so that whoever reads it, also after a power failure, finds the old text or the new, whole. */
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
 * Replaces a file so that whoever reads it, also when this process was killed, finds the old text or the new, whole. A power
 * failure may take both: for what can be made again, for waiting for the disk costs more than some trials do.
 */
export function replaceFile(file: string, text: string): void {
  const temporary = temporaryOf(file);
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

/** What a process that was killed in mid-write may leave behind; the next write of the file takes it over. */
export function temporaryOf(file: string): string {
  return `${file}.tmp`;
}

/** A name is on the disk only when its folder is. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

import { readFileSync, statSync } from 'node:fs';
import { InputError } from '../input-error.js';

/** The bytes of a file of data; an InputError, with `wanted` as what should be there, when it cannot be read. */
export function readDataFile(path: string, wanted: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}; expected ${wanted}`);
  }
}

/** Throws an InputError, with `wanted` as what should be there, unless `path` is a folder. */
export function checkFolder(path: string, wanted: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}; expected ${wanted}`);
  }
  if (!isFolder) throw new InputError(`${path}: is a file; expected ${wanted}`);
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EISDIR':
      return 'is a folder';
    case 'ENOTDIR':
      return 'does not exist (a part of the path is a file)';
    case 'EACCES':
      return 'may not be read (permission denied)';
    default:
      return `cannot be read (${message})`;
  }
}

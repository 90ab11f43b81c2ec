import { type Dirent, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';

/** Reads a file of a data set. @param wanted for messages @throws InputError if the file cannot be read */
export function readDataFile(path: string, wanted: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}; expected ${wanted}`);
  }
}

/** @param wanted for messages @throws InputError unless `path` is a folder */
export function checkFolder(path: string, wanted: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}; expected ${wanted}`);
  }
  if (!isFolder) throw new InputError(`${path}: is a file; expected ${wanted}`);
}

/** An entry of a folder. A symbolic link is what it leads to; a name that begins with a dot is hidden. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'hidden' | 'other';
}

/**
 * The entries of a folder, sorted by code point: the same order on every machine, and in Python.
 *
 * @throws InputError for a folder that cannot be read, and for a symbolic link that leads nowhere (but a hidden one)
 */
export function listFolder(path: string): FolderEntry[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}; expected a folder`);
  }
  return entries
    .map((entry) => ({ entry, utf8: Buffer.from(entry.name) }))
    .sort((a, b) => Buffer.compare(a.utf8, b.utf8))
    .map(({ entry }) => ({ name: entry.name, kind: kindOf(path, entry) }));
}

function kindOf(folder: string, entry: Dirent): FolderEntry['kind'] {
  if (entry.name.startsWith('.')) return 'hidden';
  const found = entry.isSymbolicLink() ? follow(join(folder, entry.name)) : entry;
  return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
}

function follow(link: string): Stats {
  try {
    return statSync(link);
  } catch (error) {
    throw new InputError(
      `${link}: is a symbolic link to ${readlinkSync(link)}, which ${reasonOf(error)}; remove or mend the link`,
    );
  }
}

/** Why a file or folder cannot be read, as the end of a sentence that begins with its path. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EISDIR':
      return 'is a folder';
    case 'ENOTDIR':
      return 'does not exist (a part of the path is a file)';
    case 'ELOOP':
      return 'leads back to itself';
    case 'EACCES':
      return 'may not be read (permission denied)';
    default:
      return `cannot be read (${message})`;
  }
}

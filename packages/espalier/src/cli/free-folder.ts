import { existsSync } from 'node:fs';

/** A run never writes over another: a name that is taken gets a number. */
export function freeFolder(name: string): string {
  let folder = name;
  for (let number = 2; existsSync(folder); number++) folder = `${name}-${number}`;
  return folder;
}

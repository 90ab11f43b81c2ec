import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { RunFolder } from './run-folder.js';

const BLOCK = 65_536;

/**
 * Identifies a run wherever its folder is: it follows from the first line of the journal, which has the moment, the host and
 * the process in which the run was begun. 16 hexadecimal digits.
 *
 * @param path folder of the run
 * @throws InputError for a folder that contains no run
 */
export function runIdOf(path: string): string {
  return createHash('sha256')
    .update(firstLine(RunFolder.open(path).journal))
    .digest('hex')
    .slice(0, 16);
}

function firstLine(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const blocks: Buffer[] = [];
    for (;;) {
      const block = Buffer.alloc(BLOCK);
      const read = readSync(file, block);
      const end = block.subarray(0, read).indexOf('\n');
      blocks.push(block.subarray(0, end < 0 ? read : end));
      if (end >= 0 || read === 0) return Buffer.concat(blocks);
    }
  } finally {
    closeSync(file);
  }
}

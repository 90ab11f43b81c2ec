import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { replaceFile } from './atomic-file.js';
import { isAlive, type ProcessIdentity, thisProcess } from './process-identity.js';

/** The right to write a run, which one process has at a time. */
interface RunLock {
  release(): void;
}

const PREFIX = 'lock-';

const identity = z.object({
  host: z.string(),
  boot: z.string(),
  namespace: z.string(),
  pid: z.int(),
  started: z.string(),
});

/**
 * Takes the right to write a run. A process that is killed does not keep it.
 *
 * Every process first writes a file of its own, and then looks for those of others. So if two processes arrive at the
 * same moment, at least one of them sees the other and gives up (perhaps both do). No file has to change its owner,
 * which would not be safe after the owner was killed.
 *
 * @throws InputError if another process has the right, or if a process of another machine may have it
 */
export function acquireLock(folder: string): RunLock {
  const own = join(folder, `${PREFIX}${process.pid}-${randomBytes(6).toString('hex')}`);
  replaceFile(own, `${JSON.stringify(thisProcess())}\n`);
  const release = () => rmSync(own, { force: true });
  for (const { file, holder } of locks(folder)) {
    if (file === own) continue;
    const alive = isAlive(holder);
    if (alive === false) {
      rmSync(file, { force: true });
      continue;
    }
    release();
    throw new InputError(
      `${folder}: process ${holder.pid} on ${holder.host} is at work on this run` +
        (alive === 'unknown' ? `, as far as can be told from here; if it is not, delete ${file}` : ''),
    );
  }
  return { release };
}

/** The process that is writing a run, if there is one. */
export function lockHolder(folder: string): ProcessIdentity | undefined {
  return locks(folder).find(({ holder }) => isAlive(holder) !== false)?.holder;
}

/** Whether a file in a run folder is the lock of some process. */
export function isLock(file: string): boolean {
  return basename(file).startsWith(PREFIX);
}

function locks(folder: string): { file: string; holder: ProcessIdentity }[] {
  return readdirSync(folder)
    .filter(isLock)
    .flatMap((name) => {
      const file = join(folder, name);
      const holder = readHolder(file);
      return holder === undefined ? [] : [{ file, holder }];
    });
}

/** Undefined for a file that was removed in the meantime, and for one whose process was killed while writing it. */
function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return identity.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

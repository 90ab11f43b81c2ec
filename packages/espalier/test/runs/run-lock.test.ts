import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { acquireLock, lockHolder } from '../../src/runs/run-lock.js';
import { temporaryFolder } from './temporary-folder.js';

const HOLDER = fileURLToPath(new URL('./fixtures/lock-holder.mjs', import.meta.url));

/** Leaves the lock file of this process, changed, as that of another process. */
function leftLock(folder: string, change: object): string {
  const lock = acquireLock(folder);
  const [name] = readdirSync(folder) as [string];
  const identity = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  lock.release();
  const file = join(folder, 'lock-other');
  writeFileSync(file, JSON.stringify({ ...identity, ...change }));
  return file;
}

describe('the lock of a run', () => {
  test('belongs to one process at a time, until it is released', () => {
    const folder = temporaryFolder();
    expect(lockHolder(folder)).toBeUndefined();
    const lock = acquireLock(folder);
    expect(lockHolder(folder)?.pid).toBe(process.pid);
    expect(() => acquireLock(folder)).toThrow(
      new InputError(`${folder}: process ${process.pid} on ${hostname()} is at work on this run`),
    );
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    acquireLock(folder).release();
  });

  test('of another process holds only while that process lives', async () => {
    const folder = temporaryFolder();
    const holder = spawn(process.execPath, [HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    expect(() => acquireLock(folder)).toThrow(
      `process ${holder.pid} on ${hostname()} is at work on this run`,
    );
    expect(lockHolder(folder)?.pid).toBe(holder.pid);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(lockHolder(folder)).toBeUndefined();
    const lock = acquireLock(folder);
    expect(readdirSync(folder)).toHaveLength(1);
    lock.release();
  });

  test.runIf(process.platform === 'linux')(
    'does not hold for a zombie, whose pid is still there',
    async () => {
      const folder = temporaryFolder();
      // The shell becomes a sleep, which never asks for the exit code of its child, the holder.
      const parent = spawn('sh', ['-c', `"${process.execPath}" "${HOLDER}" "${folder}" & exec sleep 60`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void parent.kill('SIGKILL'));
      await once(parent.stdout, 'data');
      const { pid } = lockHolder(folder) as { pid: number };
      process.kill(pid, 'SIGKILL');
      while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await new Promise(setImmediate);
      expect(lockHolder(folder)).toBeUndefined();
      acquireLock(folder).release();
    },
  );

  test('does not hold if another process has the same pid now', () => {
    const folder = temporaryFolder();
    leftLock(folder, { started: 'at another time' });
    acquireLock(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('does not hold after the machine was restarted', () => {
    const folder = temporaryFolder();
    leftLock(folder, { boot: 'another start' });
    acquireLock(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('holds for a process of another machine or container, which cannot be inspected', () => {
    for (const change of [{ host: 'far', boot: 'far' }, { namespace: 'a container' }]) {
      const folder = temporaryFolder();
      const file = leftLock(folder, change);
      expect(() => acquireLock(folder)).toThrow(
        `is at work on this run, as far as can be told from here; if it is not, delete ${file}`,
      );
      expect(readdirSync(folder)).toEqual(['lock-other']);
    }
  });
});

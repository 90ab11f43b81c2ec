import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FolderStore, openStore } from '../../src/runs/checkpoint-store.js';
import { temporaryFolder } from './temporary-folder.js';

const save = (store: FolderStore, trial: number, text: string) =>
  store.save(trial, (file) => writeFileSync(file, text));
const textOf = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file, 'utf8'));

describe('a folder of checkpoints', () => {
  test('keeps the last checkpoint of each trial', () => {
    const store = new FolderStore(temporaryFolder());
    save(store, 0, 'epoch 1');
    save(store, 12, 'other');
    save(store, 0, 'epoch 2');
    expect([0, 12, 1].map((trial) => textOf(store.load(trial)))).toEqual(['epoch 2', 'other', undefined]);
  });

  test('removes the checkpoint of one trial, if there is one', () => {
    const store = new FolderStore(temporaryFolder());
    save(store, 0, 'a');
    save(store, 1, 'b');
    for (const trial of [0, 0, 7]) store.remove(trial);
    expect([0, 1].map((trial) => textOf(store.load(trial)))).toEqual([undefined, 'b']);
    save(store, 0, 'c');
    expect(textOf(store.load(0))).toBe('c');
  });

  test('is reached from another process by its address, which is JSON', () => {
    const folder = temporaryFolder();
    const store = new FolderStore(folder);
    const other = openStore(JSON.parse(JSON.stringify(store.address)));
    other.save(3, (file) => writeFileSync(file, 'from the worker'));
    expect(textOf(store.load(3))).toBe('from the worker');
    store.remove(3);
    expect(other.load(3)).toBeUndefined();
    expect(other.address).toEqual(store.address);
  });

  test('keeps the old checkpoint until the new one is whole', () => {
    const store = new FolderStore(temporaryFolder());
    save(store, 0, 'epoch 1');
    const full = () =>
      store.save(0, (file) => {
        writeFileSync(file, 'epo');
        expect(textOf(store.load(0))).toBe('epoch 1');
        throw new Error('no space left on the disk');
      });
    expect(full).toThrow('no space left on the disk');
    expect(textOf(store.load(0))).toBe('epoch 1');
    save(store, 0, 'epoch 2');
    expect(textOf(store.load(0))).toBe('epoch 2');
  });

  test('has no checkpoint of a trial that was killed while it wrote its first', () => {
    const store = new FolderStore(temporaryFolder());
    const killed = () =>
      store.save(0, (file) => {
        writeFileSync(file, 'epo');
        throw new Error('killed');
      });
    expect(killed).toThrow('killed');
    expect(store.load(0)).toBeUndefined();
  });

  test('is the folder of the trial in the run', () => {
    const folder = temporaryFolder();
    save(new FolderStore(folder), 5, 'weights');
    expect(existsSync(join(folder, 'trials', '5', 'checkpoint.safetensors'))).toBe(true);
  });
});

test('a store of an unknown kind cannot be opened', () => {
  expect(() => openStore({ store: 'bucket' })).toThrow("checkpoints: there is no store 'bucket'");
});

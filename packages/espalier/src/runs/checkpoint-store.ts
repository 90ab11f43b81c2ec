import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Json } from '../json.js';
import { temporaryOf } from './atomic-file.js';

/** Keeps checkpoints of trials that may be continued later. Other processes open the same store by its address. */
export interface CheckpointStore {
  /** The argument for `openStore` in another process. */
  readonly address: Json;
  /** Replaces the checkpoint of a trial. @param write writes the whole checkpoint to the file */
  save(trial: number, write: (file: string) => void): void;
  /** The file with the checkpoint of a trial; undefined if there is none. */
  load(trial: number): string | undefined;
  remove(trial: number): void;
}

/** Stores each checkpoint in the folder of its trial, within the folder of the run. */
export class FolderStore implements CheckpointStore {
  /** @param folder of the run */
  constructor(private readonly folder: string) {}

  get address(): Json {
    return { store: 'folder', folder: this.folder };
  }

  save(trial: number, write: (file: string) => void): void {
    const file = this.#fileOf(trial);
    mkdirSync(dirname(file), { recursive: true });
    const temporary = temporaryOf(file);
    try {
      write(temporary);
      renameSync(temporary, file);
    } catch (error) {
      // Half a checkpoint on a full disk is in the way of everything else.
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  load(trial: number): string | undefined {
    const file = this.#fileOf(trial);
    return existsSync(file) ? file : undefined;
  }

  remove(trial: number): void {
    rmSync(this.#fileOf(trial), { force: true });
  }

  #fileOf(trial: number): string {
    return join(this.folder, 'trials', `${trial}`, 'checkpoint.safetensors');
  }
}

/** The kinds of stores, by the key `store` of their addresses. */
const STORES: ReadonlyMap<string, (address: Readonly<Record<string, Json>>) => CheckpointStore> = new Map([
  ['folder', ({ folder }) => new FolderStore(folder as string)],
]);

/** Opens the store at an address. @throws Error for an unknown kind of store */
export function openStore(address: Json): CheckpointStore {
  const known = address as Readonly<Record<string, Json>>;
  const open = STORES.get(String(known.store));
  if (open === undefined) throw new Error(`checkpoints: there is no store '${String(known.store)}'`);
  return open(known);
}

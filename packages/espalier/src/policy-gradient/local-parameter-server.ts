import type { Tensor } from '@espalier/torch';
import { z } from 'zod';
import { Controller, type ControllerOptions } from '../controller/controller.js';
import { fromHost, toHost } from '../controller/host-tensors.js';
import type { HostTensor } from '../host-tensor.js';
import type { Fetched, Gradient, ParameterServer, Pushed } from './parameter-server.js';
import { Shard, type ShardOptions, shardOf } from './shard.js';

export interface LocalServerOptions extends ShardOptions {
  /** S, the number of shards. */
  readonly shards: number;
  readonly controller: ControllerOptions;
}

/** The counts of a server in a snapshot; the tensors are beside it. */
export const serverJson = z.object({
  heads: z.array(z.string()),
  shards: z.array(z.object({ version: z.int().min(0), accumulated: z.int().min(0) })),
});

/** A parameter server whose shards are all in this process. So their versions are always the same. */
export class LocalParameterServer implements ParameterServer {
  /** Has the parameters of all shards. */
  readonly #controller: Controller;
  readonly #shards: readonly Shard[];
  readonly #assigned = new Set<string>();

  constructor(options: LocalServerOptions) {
    this.#controller = new Controller(options.controller);
    this.#shards = Array.from({ length: options.shards }, () => new Shard(options));
    this.#assign();
  }

  /** Number of updates made. */
  get version(): number {
    return (this.#shards[0] as Shard).counts.version;
  }

  /** Gradients since the last update. */
  get accumulated(): number {
    return (this.#shards[0] as Shard).counts.accumulated;
  }

  fetch(): Fetched {
    return {
      versions: this.#versions(),
      heads: Object.keys(this.#controller.heads),
      parameters: this.#controller.parametersByName(),
    };
  }

  grow(heads: readonly string[]): void {
    const fresh = heads.filter((name) => !(name in this.#controller.heads));
    if (fresh.length === 0) return;
    for (const name of fresh) this.#controller.addHead(name);
    this.#assign();
  }

  push({ parameters, drawnAt }: Gradient): Pushed {
    const before = this.#versions();
    for (const shard of this.#shards) shard.push(parameters);
    const versions = this.#versions();
    return {
      staleness: Math.max(...before.map((version, shard) => version - (drawnAt[shard] as number))),
      updated: versions[0] !== before[0],
      versions,
    };
  }

  #versions(): readonly number[] {
    return this.#shards.map(({ counts }) => counts.version);
  }

  /** Gives the parameters that are new to their shards. */
  #assign(): void {
    const fresh = this.#shards.map(() => new Map<string, Tensor>());
    for (const [name, parameter] of this.#controller.parametersByName()) {
      if (this.#assigned.has(name)) continue;
      this.#assigned.add(name);
      (fresh[shardOf(name, this.#shards.length)] as Map<string, Tensor>).set(name, parameter);
    }
    for (const [index, shard] of this.#shards.entries()) shard.add(fresh[index] as Map<string, Tensor>);
  }

  snapshot(): { readonly json: z.infer<typeof serverJson>; readonly tensors: [string, HostTensor][] } {
    return {
      json: {
        heads: Object.keys(this.#controller.heads),
        shards: this.#shards.map(({ counts }) => ({ ...counts })),
      },
      tensors: [
        ...toHost(this.#controller.stateDict(), 'controller.'),
        ...this.#shards.flatMap((shard, index) => toHost(shard.stateDict(), `shard.${index}.`)),
      ],
    };
  }

  /** Restores a snapshot into a server that has made no updates. @throws Error for a snapshot of another server */
  restore({ heads, shards }: z.infer<typeof serverJson>, tensors: ReadonlyMap<string, HostTensor>): void {
    if (shards.length !== this.#shards.length)
      throw new Error(`it has ${shards.length} shards, not ${this.#shards.length}`);
    this.grow(heads);
    this.#controller.loadStateDict(fromHost(tensors, 'controller.'));
    for (const [index, shard] of this.#shards.entries())
      shard.loadStateDict(
        fromHost(tensors, `shard.${index}.`),
        shards[index] as { version: number; accumulated: number },
      );
  }

  free(): void {
    this.#controller.free();
    for (const shard of this.#shards) shard.free();
  }
}

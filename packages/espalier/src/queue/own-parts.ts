import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';
import type { WorkerInit } from '../estimators/worker-init.js';
import { InputError } from '../input-error.js';
import { graphOf, type ImportGraph } from '../modules/import-graph.js';
import { isFile } from '../modules/user-module.js';
import { version } from '../version.js';
import { anyOffer, type Offer, offer, PROTOCOL } from './queue-message.js';

/**
 * What a worker has of its own: the only code that it runs, and where its data is. An offer names what it needs by checksum.
 */
export class OwnParts {
  readonly #code: readonly ImportGraph[];
  readonly #data: readonly string[];

  /**
   * @param code paths of the user's files: spaces and tasks
   * @param data `kind:path`
   * @throws InputError for a file that cannot be read, and for data without a kind or a path
   */
  constructor(code: readonly string[], data: readonly string[]) {
    this.#code = code.map((path) => graphOf(resolve(path)));
    this.#data = data.map((text) => {
      const [, kind, path] = /^([^:]+):(.+)$/s.exec(text) ?? [];
      if (kind === undefined || path === undefined)
        throw new InputError(
          `--data '${text}': allowed: KIND:PATH, such as cifar10:/data/cifar-10-batches-bin`,
        );
      return `${kind}:${resolve(path)}`;
    });
  }

  /**
   * What a process of this worker begins with. Where there is data of the kind in several places, there are several: its
   * checksum decides.
   *
   * @throws InputError for what this worker lacks
   */
  initsFor({ init, data }: Offer): [WorkerInit, ...WorkerInit[]] {
    const { task } = init;
    const common = {
      ...init,
      dataChecksum: data.checksum,
      space: this.codeFor('space', init.space, init.spaceChecksum),
      folder: process.cwd(),
    };
    const name = this.codeFor('task', task.name, init.taskChecksum);
    const inits = this.#placesOf(task.data).map((place) => ({
      ...common,
      task: { ...task, name, data: place },
    }));
    const [first, ...more] = inits;
    if (first === undefined)
      throw new InputError(
        `data ${task.data} is not on this machine; where it is, --data ${task.data.split(':')[0]}:PATH says`,
      );
    return [first, ...more];
  }

  /**
   * @returns a name in the box, or the path of one of the worker's own files
   * @throws InputError for a file that is not among them
   */
  codeFor(what: string, name: string, checksum: string | undefined): string {
    if (checksum === undefined) {
      if (!isFile(name)) return name;
      throw new InputError(`${what} ${name} comes without a checksum`);
    }
    const graph = this.#code.find((one) => one.checksum === checksum);
    if (graph !== undefined) return graph.entry;
    throw new InputError(
      `${what} ${name} is a program, and no file of --code is the same; start the worker with --code FILE`,
    );
  }

  #placesOf(data: string): string[] {
    const [, kind, path] = /^([^:]+):(.*)$/s.exec(data) ?? [];
    if (path === undefined) return [data];
    const own = this.#data.filter((one) => one.startsWith(`${kind}:`));
    if (own.length > 0) return own;
    return existsSync(path) ? [data] : [];
  }
}

/**
 * An offer for workers, if this version of Espalier can take it.
 *
 * @param text as it stands in Redis
 * @throws InputError that says why not
 */
export function readOffer(text: string): Offer {
  return readVersioned(text, offer);
}

/** The same for an offer of any kind. */
export function readVersioned<T>(text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError('its offer is no JSON');
  }
  const any = anyOffer.safeParse(json);
  if (!any.success) throw new InputError('its offer is none of a run of Espalier');
  if (any.data.version !== version || any.data.protocol !== PROTOCOL)
    throw new InputError(
      `it needs a worker of Espalier ${any.data.version}; this is ${version}, whose results may differ`,
    );
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new InputError(`its offer is wrong at '${issue?.path.join('.')}': ${issue?.message}`);
}

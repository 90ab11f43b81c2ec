import type { Redis } from 'ioredis';
import { decidingValues } from '../runs/environment-difference.js';
import type { SearchAtWork } from '../runs/estimator.js';
import { environmentHere } from '../runs/manifest.js';
import { spaceText } from '../runs/memory-in-use.js';
import { type WorkerNote, workerNote } from './queue-message.js';

/** Notes are read this often. */
const READ_EVERY_MS = 5000;

/** A worker that has been silent for so long is gone. */
const SILENT_SECONDS = 60;

/** So long a search waits in silence for its first worker. */
const ALONE_MS = 10_000;

/** The workers of a run, as the coordinator knows them: it says when one comes, goes, or refuses. */
export class WorkersAtHand {
  readonly #known = new Map<string, WorkerNote>();
  readonly #begun = performance.now();
  #read = Number.NEGATIVE_INFINITY;
  #saidAlone = false;

  constructor(
    private readonly client: Redis,
    private readonly key: string,
    private readonly shown: string,
    private readonly search: Pick<SearchAtWork, 'message'>,
  ) {}

  async look(): Promise<void> {
    const now = performance.now();
    if (now - this.#read < READ_EVERY_MS) return;
    this.#read = now;
    const [seconds] = await this.client.time();
    const notes = await this.client.hgetall(this.key);
    for (const [name, text] of Object.entries(notes)) {
      const note = workerNote.safeParse(JSON.parse(text));
      if (!note.success || Number(seconds) - note.data.at > SILENT_SECONDS) {
        await this.client.hdel(this.key, name);
        continue;
      }
      this.#meet(name, note.data);
    }
    for (const name of [...this.#known.keys()])
      if (!(name in notes)) {
        if (this.#known.get(name)?.refuses === undefined) this.search.message(`worker ${name} has left`);
        this.#known.delete(name);
      }
    const helpers = [...this.#known.values()].filter(({ refuses }) => refuses === undefined);
    if (helpers.length > 0 || this.#saidAlone || now - this.#begun < ALONE_MS) return;
    this.#saidAlone = true;
    this.search.message(
      `no worker trains the children of this run; start one: espalier worker --redis ${this.shown}`,
    );
  }

  #meet(name: string, note: WorkerNote): void {
    const before = this.#known.get(name);
    this.#known.set(name, note);
    if (before !== undefined && before.refuses === note.refuses) return;
    const { slots, refuses, environment, memory = [] } = note;
    if (refuses !== undefined) {
      this.search.message(`worker ${name} does not help: ${refuses}`);
      return;
    }
    this.search.message(
      [
        `worker ${name} helps, with ${slots} ${slots === 1 ? 'child' : 'children'} at a time`,
        ...memory.map(spaceText),
      ].join('; '),
    );
    const here = decidingValues(environmentHere());
    const other = Object.keys(here).filter((key) => here[key] !== environment[key]);
    if (other.length > 0)
      this.search.message(
        `worker ${name} computes with another ${other.join(', ')} than this machine: results may differ in their last bits`,
      );
  }
}

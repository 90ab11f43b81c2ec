import { z } from 'zod';
import { workerInit } from '../estimators/worker-init.js';
import type { Json } from '../json.js';
import { objectivesSchema } from '../measures/measure.js';
import { optionValues } from '../space/options.js';
import { answersJson } from '../strategies/answers-json.js';

/** Of these messages. A worker of another one refuses. */
export const PROTOCOL = 1 as const;

/** What every version of an offer has. */
export const anyOffer = z.looseObject({ protocol: z.int(), version: z.string() });

/**
 * What a run says to all workers before they take a child: names, checksums and plain settings. Nothing in it is executed: a
 * worker looks the names up in what it has itself.
 */
export const offer = z.strictObject({
  protocol: z.literal(PROTOCOL),
  /** Of Espalier. */
  version: z.string(),
  run: z.string().regex(/^[0-9a-f]{16}$/),
  /** The run's folder. A worker that finds this very run there keeps checkpoints in it. */
  folder: z.string(),
  /** Runs with a higher one go first. */
  priority: z.int(),
  threads: z.int().min(1),
  timeoutSeconds: z.number().positive().optional(),
  objectives: objectivesSchema,
  data: z.strictObject({ name: z.string(), checksum: z.string() }),
  init: workerInit,
});

export type Offer = z.infer<typeof offer>;

/** One attempt at a trial. */
export const attempt = z.strictObject({
  /** Counted from 1. */
  attempt: z.int().min(1),
  /** The fencing token: a later attempt of the run has a higher one, and of a trial only the last one counts. */
  token: z.int().min(1),
});

export type Attempt = z.infer<typeof attempt>;

/** A child to be trained: the data of a job. */
export const childJob = z.strictObject({
  ...attempt.shape,
  request: z.strictObject({
    trial: z.int().min(0),
    answers: answersJson,
    depth: z.number().optional(),
    epochs: z.int().min(1).optional(),
    continues: z.int().min(0).optional(),
    epochsDone: z.int().min(0).optional(),
    seed: z.int(),
  }),
  /** Epochs to be trained. */
  work: z.number().positive(),
});

export type ChildJob = z.infer<typeof childJob>;

/** What came of an attempt. */
export const childResult = z.strictObject({
  ...attempt.shape,
  trial: z.int().min(0),
  worker: z.string(),
  /** The outcome: see `parseOutcome`. */
  outcome: z.intersection(
    z.record(z.string(), z.json() as z.ZodType<Json>),
    z.looseObject({ clock: z.exactOptional(optionValues) }),
  ),
});

export type ChildResult = z.infer<typeof childResult>;

/** What a worker says of itself to a run. */
export const workerNote = z.strictObject({
  /** Children that it trains at a time, of all runs together. */
  slots: z.int().min(1),
  /** Why it does not help; missing: it does. */
  refuses: z.string().optional(),
  /** What decides how its numbers are added up; see `Environment`. */
  environment: z.record(z.string(), z.string()),
  /** What its devices have, in bytes; of one that helps. */
  memory: z.array(z.strictObject({ device: z.string(), free: z.number(), total: z.number() })).optional(),
  /** Redis's own time of the note, in seconds: clocks of machines differ. */
  at: z.number(),
});

export type WorkerNote = z.infer<typeof workerNote>;

/** What others have written into Redis, for a schema to judge: undefined where it is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

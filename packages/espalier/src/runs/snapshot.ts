import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { StrategySnapshot } from '../strategies/strategy.js';
import { replaceFile } from './atomic-file.js';
import { plainJson } from './plain-json.js';

const ASKING = ['open', 'wait', 'finished'] as const;

/** Whether a strategy may be asked. */
export type Asking = (typeof ASKING)[number];

/** The state of a search at some line of its journal. Trials are not included, because the journal has them. */
export interface Snapshot {
  /** Number of lines of the journal up to this state. */
  readonly events: number;
  /** SHA-256 of these lines. */
  readonly journal: string;
  /** Whether the strategy may be asked, waits for a result, or is finished. */
  readonly asking: Asking;
  readonly strategy: StrategySnapshot;
}

/** Writes a snapshot. If a power failure destroys it, the journal is replayed instead. */
export function writeSnapshot(file: string, { strategy, ...engine }: Snapshot): void {
  const tensors = [...strategy.tensors].map(([name, { dtype, shape, data }]) => ({
    name,
    dtype,
    shape: [...shape],
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  }));
  const content = { ...engine, strategy: { json: plainJson(strategy.json), tensors } };
  replaceFile(file, `${JSON.stringify({ sha256: checksum(content), content })}\n`);
}

/**
 * Reads a snapshot; undefined if there is none or it cannot be used.
 *
 * @param unusable is called with the reason if there is a snapshot that cannot be used
 */
export function readSnapshot(file: string, unusable: (reason: string) => void): Snapshot | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const { sha256, content } = snapshotFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    if (checksum(content) !== sha256) throw new Error('its content does not match its checksum');
    const { strategy, ...engine } = snapshotContent.parse(content);
    const tensors = new Map(
      strategy.tensors.map(({ name, data, ...tensor }) => [
        name,
        { ...tensor, data: new Uint8Array(Buffer.from(data, 'base64')) },
      ]),
    );
    return { ...engine, strategy: { json: strategy.json, tensors } };
  } catch (error) {
    unusable(error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message);
    return undefined;
  }
}

const snapshotFile = z.strictObject({ sha256: z.string(), content: z.unknown() });

const snapshotContent = z.strictObject({
  events: z.int().min(1),
  journal: z.string(),
  asking: z.enum(ASKING),
  strategy: z.strictObject({
    json: z.json(),
    tensors: z.array(
      z.strictObject({
        name: z.string(),
        dtype: z.enum(['float32', 'float64', 'int64', 'uint8']),
        shape: z.array(z.int().min(0)),
        data: z.base64(),
      }),
    ),
  }),
});

/** Checksum of the JSON text, which stays the same when it is parsed and written again. */
function checksum(content: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(content) ?? '')
    .digest('hex');
}

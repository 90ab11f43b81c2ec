import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { StrategySnapshot } from '../strategies/strategy.js';
import { replaceFile } from './atomic-file.js';
import { plainJson } from './plain-json.js';

/** Where a search stood. The trials are not in it: the journal's lines up to there say all about them. */
export interface Snapshot {
  /** How many lines of the journal it includes. */
  readonly events: number;
  /** SHA-256 of these lines. */
  readonly journal: string;
  /** The strategy said that it must be told a result before it can be asked again. */
  readonly waiting: boolean;
  readonly strategy: StrategySnapshot;
}

/** A power failure may take it; then the journal is replayed. */
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
 * Reads a snapshot; undefined where there is none that can be used.
 *
 * @param unusable is told why one that is there cannot be used
 */
export function readSnapshot(file: string, unusable: (reason: string) => void): Snapshot | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const { sha256, content } = snapshotFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    if (checksum(content) !== sha256) throw new Error('its content does not have the checksum that it names');
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
  waiting: z.boolean(),
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

/** Of the JSON text, which reading and writing again gives back byte by byte. */
function checksum(content: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(content) ?? '')
    .digest('hex');
}

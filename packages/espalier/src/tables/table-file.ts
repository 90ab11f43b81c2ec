import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CsvError, parse } from 'csv-parse/sync';
import { InputError } from '../input-error.js';

/** A row of a table: its values by column. CSV has texts; JSON lines may have anything. */
export interface TableRow {
  /** The place in the file, for messages: `cells.csv:17`. */
  readonly place: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface TableFile {
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** SHA-256 of the file. */
  readonly checksum: string;
}

const GZIP = [0x1f, 0x8b];

/**
 * Reads a table: CSV with a header, or JSON lines (an object a line). Both may be gzipped. The content decides, not the
 * name of the file.
 *
 * @throws InputError with the line, for a file that cannot be read or has no rows
 */
export function readTableFile(file: string): TableFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new InputError(`table ${file}: cannot be read: ${(error as Error).message}`);
  }
  const checksum = createHash('sha256').update(bytes).digest('hex');
  const text = (GZIP.every((byte, place) => bytes[place] === byte) ? unzipped(bytes, file) : bytes).toString(
    'utf8',
  );
  const rows = /^[\s\ufeff]*\{/.test(text) ? jsonLines(text, file) : csv(text, file);
  if (rows.length === 0) throw new InputError(`table ${file}: has no rows`);
  const columns = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  return { columns, rows, checksum };
}

function unzipped(bytes: Buffer, file: string): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new InputError(`table ${file}: the gzipped file is broken: ${(error as Error).message}`);
  }
}

function csv(text: string, file: string): TableRow[] {
  try {
    const rows = parse(text, { bom: true, columns: true, info: true, skip_empty_lines: true }) as unknown as {
      readonly record: Record<string, string>;
      readonly info: { readonly lines: number };
    }[];
    return rows.map(({ record, info }) => ({ place: `${file}:${info.lines}`, values: record }));
  } catch (error) {
    if (error instanceof CsvError) throw new InputError(`table ${file}: ${error.message}`);
    throw error;
  }
}

function jsonLines(text: string, file: string): TableRow[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .flatMap((line, index) => {
      if (line.trim() === '') return [];
      const place = `${file}:${index + 1}`;
      let values: unknown;
      try {
        values = JSON.parse(line);
      } catch (error) {
        throw new InputError(`table ${place}: is not JSON: ${(error as Error).message}`);
      }
      if (typeof values !== 'object' || values === null || Array.isArray(values))
        throw new InputError(`table ${place}: is not an object, but ${line.slice(0, 60)}`);
      return [{ place, values: values as Record<string, unknown> }];
    });
}

import { InputError } from '../input-error.js';
import { goodness, type Measure, type Objectives } from '../measures/measure.js';
import { measures } from '../measures/measure-names.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';
import { readGenotypeText } from '../spaces/genotype-text.js';
import { columnsOf, type TableColumns } from './table-columns.js';
import { readTableFile, type TableRow } from './table-file.js';
import type { TableOptions } from './table-options.js';

/** What a table says of a trial. */
export interface TableEntry {
  /** The value that a search sees. */
  readonly seen: number;
  /** The value that the architecture is judged by. */
  readonly judged: number;
  /** Simulated seconds of the trial. */
  readonly cost: number;
}

/** The numbers of a row. */
interface Known {
  /** In the order of the columns that are seen. */
  readonly seen: readonly number[];
  readonly judged: number;
  readonly cost: number;
}

/** Part of a trial that decides what a table says of it. */
export interface TableTrial {
  readonly answers: readonly Answer[];
  readonly depth?: number;
  /** Epochs when the trial ends; see the option `epochs`. */
  readonly epochs?: number;
  /** Epochs of the trial that is continued. */
  readonly epochsDone?: number;
}

/**
 * A table of measured architectures of a space, so that searches can be compared without training anything. A row has
 * an architecture, what a search sees, what the architecture is judged by, and what a trial costs.
 */
export class Table {
  readonly objectives: Objectives;
  readonly #known: ReadonlyMap<string, Known>;

  private constructor(
    private readonly space: Space,
    readonly file: string,
    readonly columns: TableColumns,
    readonly checksum: string,
    rows: readonly TableRow[],
  ) {
    this.objectives = [measures.get(columns.measure) as Measure];
    this.#known = readRows(rows, columns, this.objectives[0], space);
  }

  /** @throws InputError for a file that cannot be read, and for a row that is wrong, with its line */
  static open(file: string, space: Space, options: TableOptions): Table {
    const { columns, rows, checksum } = readTableFile(file);
    return new Table(space, file, columnsOf(options, columns, file), checksum, rows);
  }

  get size(): number {
    return this.#known.size;
  }

  /** The best value that an architecture of the table is judged by. */
  get optimum(): number {
    const objective = this.objectives[0];
    let best = Number.NaN;
    for (const { judged } of this.#known.values())
      if (!(goodness(objective, judged) <= goodness(objective, best))) best = judged;
    return best;
  }

  /** @throws InputError for an architecture that is not in the table, and for a number of epochs that it has no column for */
  look({ answers, depth, epochs = this.columns.epochs, epochsDone }: TableTrial): TableEntry {
    const space = depth === undefined ? this.space : this.space.withDepth(depth);
    const key = JSON.stringify(space.decode(answers));
    const known = this.#known.get(key);
    if (known === undefined) throw new InputError(`table ${this.file}: has no row for ${key}`);
    const { seen, continues } = this.columns;
    const place = seen.findIndex((one) => one.epochs === epochs || one.epochs === undefined);
    if (place < 0)
      throw new InputError(
        `table ${this.file}: a trial ends after ${epochs} epochs; allowed: ${seen.map((one) => one.epochs).join(', ')}`,
      );
    const share = this.#share(epochs) - (continues && epochsDone !== undefined ? this.#share(epochsDone) : 0);
    return { seen: known.seen[place] as number, judged: known.judged, cost: known.cost * share };
  }

  /** The share of the cost in the table that so many epochs take. */
  #share(epochs: number | undefined): number {
    const { costEpochs } = this.columns;
    return epochs === undefined || costEpochs === undefined ? 1 : epochs / costEpochs;
  }
}

function readRows(
  rows: readonly TableRow[],
  columns: TableColumns,
  objective: Measure,
  space: Space,
): Map<string, Known> {
  const known = new Map<string, Known>();
  const places = new Map<string, string>();
  for (const row of rows) {
    const key = keyOf(row, columns.architecture, space);
    const earlier = places.get(key);
    if (earlier !== undefined)
      throw new InputError(`table ${row.place}: has the architecture of ${earlier} again: ${key}`);
    places.set(key, row.place);
    known.set(key, {
      seen: columns.seen.map(({ column }) => valueIn(row, column, columns.percent, objective)),
      judged: valueIn(row, columns.judged, columns.percent, objective),
      cost: costOf(row, columns.cost),
    });
  }
  return known;
}

/** The architecture as the space writes it: equal ones have equal texts. */
function keyOf({ place, values }: TableRow, column: string, space: Space): string {
  const given = values[column];
  try {
    const content = typeof given === 'string' ? readGenotypeText(given, column).content : given;
    return JSON.stringify(space.decode(space.encode(ofSpace(content, space))));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`table ${place}: ${error.message}`);
  }
}

/** An architecture's own keys, without those that an architecture's file has besides. */
function ofSpace(content: unknown, space: Space): unknown {
  if (typeof content !== 'object' || content === null || !('space' in content)) return content;
  const { space: name, options: _, ...architecture } = content as Record<string, unknown>;
  if (name !== space.name)
    throw new InputError(`the architecture is of space ${JSON.stringify(name)}, not ${space.name}`);
  return architecture;
}

function numberOf({ place, values }: TableRow, column: string): number {
  const given = values[column];
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw new InputError(
      `table ${place}: ${column} is ${JSON.stringify(given) ?? 'missing'}; allowed: a finite number`,
    );
  return number;
}

function valueIn(row: TableRow, column: string, percent: boolean, { name, least, most }: Measure): number {
  const value = percent ? numberOf(row, column) / 100 : numberOf(row, column);
  if (value < (least ?? value) || value > (most ?? value))
    throw new InputError(
      `table ${row.place}: ${column} is ${row.values[column]}, which is no ${name}` +
        (!percent && most === 1 && value <= 100 ? '; --set table.percent=true reads percentages' : ''),
    );
  return value;
}

function costOf(row: TableRow, column: string): number {
  const cost = numberOf(row, column);
  if (cost <= 0) throw new InputError(`table ${row.place}: ${column} is ${cost}; allowed: a number above 0`);
  return cost;
}

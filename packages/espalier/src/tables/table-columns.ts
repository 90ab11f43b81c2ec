import { InputError } from '../input-error.js';
import { knownForm } from './known-forms.js';
import type { TableOptions } from './table-options.js';

/** Where the values of a table stand, with everything decided. */
export interface TableColumns {
  readonly architecture: string;
  /** By ascending epochs; a single column without a number of epochs has undefined. */
  readonly seen: readonly { readonly epochs: number | undefined; readonly column: string }[];
  readonly judged: string;
  readonly cost: string;
  readonly costEpochs: number | undefined;
  readonly epochs: number | undefined;
  readonly measure: string;
  readonly percent: boolean;
  readonly continues: boolean;
}

/**
 * The columns of a table: as the options say, or as a known form has them.
 *
 * @throws InputError for a column that the table lacks, and for one that neither says
 */
export function columnsOf(options: TableOptions, columns: readonly string[], file: string): TableColumns {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const said = { ...knownForm(columns), ...given } as TableOptions;
  const column = (option: 'architecture' | 'seen' | 'cost') => {
    const name = said[option];
    if (name === undefined)
      throw new InputError(
        `table ${file}: is in no known form, so --set table.${option}=COLUMN must say where ` +
          `${MEANINGS[option]}; its columns: ${columns.join(', ')}`,
      );
    return name;
  };
  const architecture = column('architecture');
  const seen = seenIn(column('seen'));
  const resolved: TableColumns = {
    architecture,
    seen,
    judged: said.judged ?? (seen.at(-1) as (typeof seen)[number]).column,
    cost: column('cost'),
    costEpochs: said.costEpochs,
    epochs: said.epochs ?? seen[0]?.epochs,
    measure: said.measure ?? 'accuracy',
    percent: said.percent ?? false,
    continues: said.continues ?? false,
  };
  const needed = [resolved.architecture, ...seen.map((one) => one.column), resolved.judged, resolved.cost];
  const missing = needed.find((name) => !columns.includes(name));
  if (missing !== undefined)
    throw new InputError(`table ${file}: has no column '${missing}'; its columns: ${columns.join(', ')}`);
  if (seen[0]?.epochs !== undefined && !seen.some(({ epochs }) => epochs === resolved.epochs))
    throw new InputError(
      `table ${file}: nothing is seen after epochs ${resolved.epochs}; allowed: ${seen.map(({ epochs }) => epochs).join(', ')}`,
    );
  return resolved;
}

const MEANINGS = {
  architecture: 'the architectures are',
  seen: 'the values are that a search sees',
  cost: 'the costs are',
};

function seenIn(text: string): { epochs: number | undefined; column: string }[] {
  const parts = text.split(',');
  if (parts.length === 1 && !/^\d+:/.test(text)) return [{ epochs: undefined, column: text }];
  const seen = parts.map((part) => {
    const [, epochs, column] = /^(\d+):(.+)$/.exec(part) ?? [];
    if (column === undefined) throw new InputError(`table.seen '${text}': '${part}' is not EPOCHS:COLUMN`);
    return { epochs: Number(epochs), column };
  });
  return seen.sort((a, b) => a.epochs - b.epochs);
}

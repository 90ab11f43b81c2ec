import CliTable from 'cli-table3';

export interface Column {
  readonly heading: string;
  /** Numbers stand at the right. */
  readonly numeric: boolean;
}

/** Of the terminal and of a page alike. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

const NOTHING = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
];

/** Rows under their headings, in columns that are as wide as what is in them. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new CliTable({
    head: columns.map(({ heading }) => heading),
    colAligns: columns.map(({ numeric }) => (numeric ? 'right' : 'left')),
    chars: { ...Object.fromEntries(NOTHING.map((place) => [place, ''])), middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

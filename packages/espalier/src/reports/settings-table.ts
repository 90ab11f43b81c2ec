import type { Table } from './method-report.js';

/** All settings of a run by their paths, for a page. */
export function settingsTable(settings: object): Table {
  return {
    columns: [
      { heading: 'setting', numeric: false },
      { heading: 'value', numeric: false },
    ],
    rows: Object.entries(settings).flatMap(([name, value]) => flattened(name, value)),
  };
}

function flattened(path: string, value: unknown): [string, string][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([name, inner]) => flattened(`${path}.${name}`, inner))
    : [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
}

import type { Table } from './text-table.js';

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

/** Settings of one of several methods, as texts by their paths. */
export interface NamedSettings {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * The settings of several methods: a row for each value of a setting, and which methods have it. Those in which the methods
 * differ come first.
 */
export function sharedSettingsTable(methods: readonly NamedSettings[]): Table {
  const paths = [...new Set(methods.flatMap(({ settings }) => Object.keys(settings)))].sort();
  const rows = paths.map((path) => {
    const values = new Map<string, string[]>();
    for (const { name, settings } of methods) {
      const value = settings[path] ?? 'none';
      values.set(value, [...(values.get(value) ?? []), name]);
    }
    return [...values].map(([value, names]) => [
      path,
      value,
      names.length === methods.length ? 'all' : names.join(', '),
    ]);
  });
  return {
    columns: [
      { heading: 'setting', numeric: false },
      { heading: 'value', numeric: false },
      { heading: 'of', numeric: false },
    ],
    rows: [...rows.filter(({ length }) => length > 1), ...rows.filter(({ length }) => length === 1)].flat(),
  };
}

/** Settings as texts by their paths. */
export function settingTexts(settings: object): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).flatMap(([name, value]) => flattened(name, value)));
}

function flattened(path: string, value: unknown): [string, string][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([name, inner]) => flattened(`${path}.${name}`, inner))
    : [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
}

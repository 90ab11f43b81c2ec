import { describe, expect, test } from 'vitest';
import { settingsTable } from '../../src/reports/settings-table.js';

describe('the settings table', () => {
  test('has a row for every setting, however deep, by its path', () => {
    const table = settingsTable({
      space: 'zoph-cnn',
      spaceOptions: { layers: 6, skips: false },
      estimation: { options: { task: { data: 'mnist', seed: 1 } } },
      trials: 10,
    });
    expect(table).toEqual({
      columns: [
        { heading: 'setting', numeric: false },
        { heading: 'value', numeric: false },
      ],
      rows: [
        ['space', 'zoph-cnn'],
        ['spaceOptions.layers', '6'],
        ['spaceOptions.skips', 'false'],
        ['estimation.options.task.data', 'mnist'],
        ['estimation.options.task.seed', '1'],
        ['trials', '10'],
      ],
    });
  });

  test('writes lists and null as JSON, strings as they are, and has no row for an empty object', () => {
    const { rows } = settingsTable({ filters: [24, 36], dropout: null, name: 'a "b"', strategyOptions: {} });
    expect(rows).toEqual([
      ['filters', '[24,36]'],
      ['dropout', 'null'],
      ['name', 'a "b"'],
    ]);
  });
});

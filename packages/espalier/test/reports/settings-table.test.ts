import { describe, expect, test } from 'vitest';
import { settingsTable, settingTexts, sharedSettingsTable } from '../../src/reports/settings-table.js';

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

describe('the settings of several methods', () => {
  test('have a row for each value with those that have it, the settings that differ first', () => {
    const methods = [
      { name: 'a', settings: settingTexts({ epochs: 3, task: { data: 'mnist' } }) },
      { name: 'b', settings: settingTexts({ epochs: 5, task: { data: 'mnist' }, order: 2 }) },
      { name: 'c', settings: settingTexts({ epochs: 3, task: { data: 'mnist' }, order: 2 }) },
    ];
    expect(sharedSettingsTable(methods).rows).toEqual([
      ['epochs', '3', 'a, c'],
      ['epochs', '5', 'b'],
      ['order', 'none', 'a'],
      ['order', '2', 'b, c'],
      ['task.data', 'mnist', 'all'],
    ]);
  });
});

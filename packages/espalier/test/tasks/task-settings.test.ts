import { describe, expect, it } from 'vitest';
import { taskFrom, taskIn, taskSettings } from '../../src/tasks/task-settings.js';

const settings = { name: 'image-classification', data: 'cifar10:data/cifar', limit: 100, seed: 1 };
const own = { ...settings, name: './tasks/own.ts', data: 'csv:../shared/rows.csv' };

describe('the settings of a task', () => {
  it('have paths from the root for a folder that they begin at, of the data and of a user’s own file', () => {
    expect(taskIn('/runs/a', settings)).toEqual({ ...settings, data: 'cifar10:/runs/a/data/cifar' });
    expect(taskIn('/runs/a', own)).toEqual({
      ...own,
      name: '/runs/a/tasks/own.ts',
      data: 'csv:/runs/shared/rows.csv',
    });
    // A path from the root stays, as does a name in the box and data without a path.
    expect(taskIn('/runs/a', { ...settings, data: 'images:/data/cats:dogs' }).data).toBe(
      'images:/data/cats:dogs',
    );
    expect(taskIn('/runs/a', { ...settings, data: 'mnist' }).data).toBe('mnist');
  });

  it('have paths from the folder again for what lies in it', () => {
    const there = taskIn('/runs/a', { ...own, data: 'csv:rows.csv' });
    expect(taskFrom('/runs/a', there)).toEqual({ ...own, data: 'csv:rows.csv' });
    expect(taskFrom('/runs/a', taskIn('/runs/a', settings))).toEqual(settings);
  });

  it('keep paths from the root for what lies elsewhere', () => {
    for (const outside of ['/runs/shared', '/runs', '/', '/runs/ab'])
      expect(taskFrom('/runs/a', { ...settings, data: `cifar10:${outside}` }).data).toBe(
        `cifar10:${outside}`,
      );
    expect(taskFrom('/runs/a', { ...own, name: '/tasks/own.ts' }).name).toBe('/tasks/own.ts');
    expect(taskFrom('/runs/a', { ...settings, data: 'mnist' }).data).toBe('mnist');
  });

  it('come back to the same place from a folder and in it', () => {
    for (const one of [settings, own, { ...settings, data: 'mnist' }]) {
      const there = taskIn('/runs/a', one);
      expect(taskIn('/runs/a', taskFrom('/runs/a', there))).toEqual(there);
    }
  });

  it('are refused with an unknown key, and with numbers that mean nothing', () => {
    expect(taskSettings.safeParse(settings).success).toBe(true);
    for (const wrong of [{ limit: 1 }, { validation: -1 }, { imageSize: 0 }, { seed: 0.5 }, { colour: 1 }])
      expect(taskSettings.safeParse({ ...settings, ...wrong }).success, JSON.stringify(wrong)).toBe(false);
  });
});

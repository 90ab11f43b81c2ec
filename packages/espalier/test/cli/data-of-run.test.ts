import { describe, expect, it } from 'vitest';
import { dataFor } from '../../src/cli/data-of-run.js';
import type { FoundArchitecture } from '../../src/experiments/found-architecture.js';

const noRun = {} as FoundArchitecture;
const runOf = (data: string, more: object) =>
  ({ task: { name: 'task', data, seed: 1, ...more } }) as unknown as FoundArchitecture;

describe('the data of a training', () => {
  it('is seen in the size of the paper where it has any size, unless a flag says another', () => {
    expect(dataFor('nasnet-a', noRun, { data: 'images:x' }, 331)).toEqual({
      data: 'images:x',
      imageSize: 331,
    });
    expect(dataFor('nasnet-a', noRun, { data: 'images:x', imageSize: 75 }, 331).imageSize).toBe(75);
    expect(dataFor('nasnet-a', noRun, { data: 'images:x' }, undefined)).toEqual({ data: 'images:x' });
    expect(dataFor('nasnet-a', noRun, { data: 'cifar10:x' }, 331)).toEqual({ data: 'cifar10:x' });
    const searched = runOf('images:x', { imageSize: 32 });
    expect(dataFor('run', searched, {}, undefined)).toEqual({ data: 'images:x', imageSize: 32 });
    expect(dataFor('run', searched, {}, 224).imageSize).toBe(224);
  });

  it('is read at the level of the run, also another text, unless a flag says another', () => {
    const searched = runOf('text:x', { level: 'character' });
    expect(dataFor('run', searched, {}, undefined)).toEqual({ data: 'text:x', level: 'character' });
    expect(dataFor('run', searched, { data: 'text:y' }, undefined).level).toBe('character');
    expect(dataFor('run', searched, { level: 'word' }, undefined).level).toBe('word');
    expect(dataFor('run', searched, { data: 'mnist' }, undefined)).toEqual({ data: 'mnist' });
  });
});

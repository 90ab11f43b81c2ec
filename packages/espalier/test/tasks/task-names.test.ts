import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { choose } from '../../src/space/language.js';
import { defineSpace } from '../../src/space/space.js';
import { spaces } from '../../src/spaces/space-names.js';
import { findTask } from '../../src/tasks/find-task.js';
import { tasks, usualTask } from '../../src/tasks/task-names.js';

const spaceOf = (more: object) =>
  defineSpace({
    name: 'own',
    *choices() {
      return { one: yield* choose('one', [1]) };
    },
    ...more,
  });

describe('the tasks in the box', () => {
  it('are found by their names, and an unknown one is named with those that there are', async () => {
    expect([...tasks.keys()]).toEqual([
      'image-classification',
      'language-modelling',
      'semantic-segmentation',
    ]);
    for (const [name, definition] of tasks) expect(await findTask(name, '.')).toEqual({ definition, name });
    await expect(findTask('poetry', '.')).rejects.toThrow(
      new InputError(
        "task 'poetry' is unknown; known: image-classification, language-modelling, semantic-segmentation, or the path of a file such as ./my-task.ts",
      ),
    );
  });

  it('have one for each space in the box, by what its networks read', () => {
    const found = [...spaces.values()].map((definition) => [definition.name, usualTask(definition).name]);
    expect(Object.fromEntries(found)).toEqual({
      'zoph-cnn': 'image-classification',
      'zoph-rnn': 'language-modelling',
      nasnet: 'image-classification',
      'darts-cnn': 'image-classification',
      'darts-rnn': 'language-modelling',
      nasbench201: 'image-classification',
      'auto-deeplab': 'semantic-segmentation',
    });
  });

  it('are what a space names, or the first whose networks read what its networks read', () => {
    expect(usualTask(spaceOf({})).name).toBe('image-classification');
    // Of several with such networks the one that reads such data, unless the space names another.
    expect(usualTask(spaceOf({}), 'camvid:folder').name).toBe('semantic-segmentation');
    expect(usualTask(spaceOf({}), 'cifar10:folder').name).toBe('image-classification');
    expect(usualTask(spaceOf({}), 'unknown:folder').name).toBe('image-classification');
    expect(usualTask(spaceOf({ task: 'image-classification' }), 'camvid:folder').name).toBe(
      'image-classification',
    );
    expect(usualTask(spaceOf({ reads: 'tokens' })).name).toBe('language-modelling');
    expect(usualTask(spaceOf({ reads: 'tokens', task: 'image-classification' })).name).toBe(
      'image-classification',
    );
    expect(() => usualTask(spaceOf({ reads: 'rows' }))).toThrow(
      new InputError(
        'space own: its networks read rows, and no task in the box has such networks; name a file with --task',
      ),
    );
    expect(() => usualTask(spaceOf({ task: 'poetry' }))).toThrow(
      new InputError(
        "space own: its task 'poetry' is unknown; known: image-classification, language-modelling, semantic-segmentation",
      ),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { changedChoices } from '../../src/weight-sharing/changed-choices.js';

describe('the choices that changed', () => {
  it('are counted by the keys of the architecture', () => {
    const before = { path: [0, 0, 1], cell: [[0, 1, 'skip_connect', 'sep_conv_3x3']] };
    const now = { path: [0, 1, 2], cell: [[0, 1, 'skip_connect', 'none']] };
    expect(changedChoices(before, now)).toEqual({ path: 2, cell: 1 });
    expect(changedChoices(now, now)).toEqual({ path: 0, cell: 0 });
  });

  it('are those of a text, too', () => {
    expect(changedChoices({ cell: '|a~0|' }, { cell: '|b~0|' })).toEqual({ cell: 1 });
  });
});

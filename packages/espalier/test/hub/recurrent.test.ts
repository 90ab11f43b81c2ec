import { backward, scope, setThreads, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { dartsV1Rnn } from '../../src/hub/darts-v1-rnn.js';
import { dartsV2Rnn } from '../../src/hub/darts-v2-rnn.js';
import { enasRnn } from '../../src/hub/enas-rnn.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';

setThreads(1);

describe.each([dartsV1Rnn, dartsV2Rnn, enasRnn])('the published $name', (entry) => {
  it('belongs to its space and has the recorded size', () => {
    expect(entry.space).toBe(dartsRnn.name);
    const space = Space.configure(dartsRnn, entry.options);
    const architecture = space.validate(entry.architecture);
    expect(architecture).toEqual(entry.architecture);
    const model = buildLanguageModel(space, architecture, { vocabulary: 10_000 });
    expect(model.parameterCount()).toBe(entry.figures.params);
    model.free();
  });

  it('has a gradient from its loss to every weight', () => {
    const space = Space.configure(dartsRnn, { ...entry.options, hidden: 6 });
    const model = buildLanguageModel(space, entry.architecture, { vocabulary: 5 });
    scope(() => {
      const tokens = tensor(
        [
          [0, 1],
          [4, 2],
          [3, 3],
        ],
        'int64',
      );
      const { logits, state } = model.eval().forward(tokens, model.initialState(2));
      expect(logits.shape).toEqual([3, 2, 5]);
      expect(state.map(({ shape }) => shape)).toEqual([[2, 6]]);
      backward(logits.select(2, 1).square().mean());
      for (const [name, parameter] of model.namedParameters())
        expect(parameter.grad?.abs().sum().item(), name).toBeGreaterThan(0);
    });
    model.free();
  });
});

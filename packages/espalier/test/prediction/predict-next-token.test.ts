import { ones, scope, setThreads, tensor as tensorOf } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { dartsV2Rnn } from '../../src/hub/darts-v2-rnn.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { predictNextToken } from '../../src/prediction/predict-next-token.js';
import { loadWeights } from '../../src/prediction/weights.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { pytorchFixture } from './pytorch-fixture.js';

setThreads(1);

const model = () =>
  buildLanguageModel(Space.configure(dartsRnn, { hidden: 8 }), dartsV2Rnn.architecture, { vocabulary: 20 });

describe('the prediction of the next token', () => {
  it("matches PyTorch's log-probabilities and perplexities, and loads a state with the authors' names unchanged", () => {
    scope(() => {
      const { state, tensor } = pytorchFixture('darts-rnn');
      expect([...state.keys()].slice(0, 3)).toEqual(['encoder.weight', 'rnns.0._W0', 'rnns.0._Ws.0']);
      const network = model();
      loadWeights(network, state, 'darts-rnn');
      // 70 tokens: more than are read at once.
      const { logits, classes, perplexities } = predictNextToken(network, tensor('tokens'));
      const last = tensor('last');
      expect(logits.map((row) => row.length)).toEqual([20, 20]);
      for (const [i, value] of last.toNumbers().entries()) expect(logits.flat()[i]).toBeCloseTo(value, 5);
      expect(classes).toEqual(last.argmax(1).toNumbers());
      const expected = tensor('perplexities').toNumbers();
      for (const [i, value] of expected.entries()) expect(perplexities![i]! / value).toBeCloseTo(1, 5);
      network.free();
    });
  });

  it('gives no perplexity for a text of one token', () => {
    scope(() => {
      const network = model();
      const prediction = predictNextToken(network, tensorOf([[3, 4, 5]], 'int64'));
      expect(Object.keys(prediction).sort()).toEqual(['classes', 'logits', 'probabilities']);
      expect(prediction.logits.length).toBe(3);
      network.free();
    });
  });

  it('gives the size of the vocabulary as the perplexity of a model that finds all tokens equally likely', () => {
    scope(() => {
      const network = model();
      loadWeights(
        network,
        new Map([...network.stateDict()].map(([name, value]) => [name, value.mul(0)])),
        'zeros',
      );
      const { perplexities } = predictNextToken(network, tensorOf([[1], [2], [3]], 'int64'));
      expect(perplexities![0]).toBeCloseTo(20, 4);
      network.free();
    });
  });

  it('rejects tokens outside the vocabulary, and tensors that hold no tokens', () => {
    scope(() => {
      const network = model();
      const predict = (...texts: number[][]) => predictNextToken(network, tensorOf(texts, 'int64'));
      expect(() => predict([0, 1], [2, 20])).toThrow(
        "token 1 of text 1 is 20; the network's vocabulary has the tokens 0 to 19",
      );
      expect(() => predict([-1])).toThrow('token 0 of text 0 is -1');
      expect(() => predict([])).toThrow('the tokens are a int64 tensor [1,0]; allowed: int64 [T, N]');
      expect(() => predictNextToken(network, ones([2, 2], { dtype: 'float32' }))).toThrow(
        'the tokens are a float32 tensor [2,2]',
      );
      network.free();
    });
  });

  it('does not load a state with different embedding and decoder weights into a model that ties them', () => {
    scope(() => {
      const { state } = pytorchFixture('darts-rnn');
      state.set('decoder.weight', state.get('decoder.weight')!.add(1));
      const network = model();
      expect(() => loadWeights(network, state, 'untied')).toThrow(
        'decoder.weight and encoder.weight are one tensor in the network, but differ',
      );
      network.free();
    });
  });
});

import { liveTensors, noGrad, scope, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { tokens } from '../../src/network-kinds/tokens.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';

setThreads(1);

const space = Space.configure(dartsRnn, { hidden: 4, nodes: 2 });
const input = { vocabulary: 6 };
const build = () => tokens.build(space, space.decode(space.sample(Random.of(1, 'cell'))), input);

describe('networks of tokens', () => {
  it('are for the words of Penn Treebank, unless data tells', () => {
    expect(tokens.usualInput(space)).toEqual({ vocabulary: 10_000 });
    expect(tokens.describeInput({ vocabulary: 10_000 })).toBe('token (vocabulary 10,000)');
    expect([tokens.describeBatch(1), tokens.describeBatch(64)]).toEqual([
      'text of 35 tokens',
      'texts of 35 tokens',
    ]);
  });

  it('are built for the vocabulary of their input, as supernets too', () => {
    const model = build();
    expect(model.vocabulary).toBe(6);
    model.free();
    const supernet = tokens.buildSupernet(space, input);
    expect(supernet.vocabulary).toBe(6);
    expect(Object.keys(supernet.architectureParameters())).not.toEqual([]);
    supernet.free();
    expect(() => tokens.build(Space.configure(zophCnn), {}, input)).toThrow(
      'space zoph-cnn: its networks read images; needed here: tokens',
    );
  });

  it('are traced for one token of each text, with the state before it and after it', () => {
    const model = build();
    const { inputs, outputs } = tokens.trace(model, input, 3);
    expect(inputs).toEqual({
      tokens: { dtype: 'int64', shape: [1, 3] },
      'state.0': { dtype: 'float32', shape: [3, 4] },
    });
    expect(Object.keys(outputs)).toEqual(['logProbabilities', 'next.0']);
    expect(tokens.batchDimensions).toBe(2);
    model.free();
  });

  it('have a training step with the cross entropy over all tokens, and leave no tensor behind', () => {
    const model = build();
    noGrad(() => {
      for (const parameter of model.parameters()) parameter.zero_();
    });
    model.train();
    const before = liveTensors();
    const step = tokens.trainingStep(model, input, 2);
    expect(scope(() => step.loss().item())).toBeCloseTo(Math.log(6), 5);
    step.free();
    expect(liveTensors()).toBe(before);
    model.free();
  });
});

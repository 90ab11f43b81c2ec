import { nn, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { choose } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { spaces } from '../../src/spaces/space-names.js';
import { buildLanguageSupernet, buildSupernet } from '../../src/supernets/build-supernet.js';

const SHAPE = { channels: 3, height: 33, width: 33, classes: 3 };

/** A space that says of itself what `supernet` gives. */
function spaceWith(supernet: () => unknown, reads: 'images' | 'tokens'): Space {
  return Space.configure(
    defineSpace({
      name: 'own',
      reads,
      *choices() {
        return { a: yield* choose('a', [1, 2]) };
      },
      supernet,
    }),
  );
}

class Untouched extends nn.Layer {
  forward(input: Tensor): Tensor {
    return input;
  }
}

function refused(build: () => unknown): string {
  try {
    build();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  throw new Error('it was built');
}

describe('the supernet of a space', () => {
  it.each(['darts-cnn', 'nasbench201', 'auto-deeplab', 'darts-rnn'])(
    'keeps its architecture parameters out of its parameters and its state: %s',
    (name) => {
      const definition = spaces.get(name)!;
      const space = Space.configure(definition, definition.small);
      const supernet =
        definition.reads === 'tokens'
          ? buildLanguageSupernet(space, { vocabulary: 7 })
          : buildSupernet(space, SHAPE);
      const architectureParameters = Object.values(supernet.architectureParameters());
      expect(architectureParameters.length).toBeGreaterThan(0);
      const own = new Set([...supernet.stateDict().values()].map(({ handle }) => handle));
      for (const { handle, requiresGrad } of architectureParameters) {
        expect(requiresGrad).toBe(true);
        expect(own.has(handle)).toBe(false);
      }
      supernet.free();
    },
  );

  it('is refused where the space has none, or one that reads something else', () => {
    expect(refused(() => buildSupernet(Space.configure(nasnet), SHAPE))).toBe(
      'space nasnet has no supernet: its architectures share no weights',
    );
    expect(refused(() => buildSupernet(Space.configure(dartsRnn), SHAPE))).toBe(
      'space darts-rnn is of language models: its supernet reads the tokens of a text, not images',
    );
    const images = spaceWith(() => new Untouched(), 'images');
    expect(refused(() => buildLanguageSupernet(images, { vocabulary: 7 }))).toBe(
      'space own is not of language models: its supernet reads images, not tokens',
    );
  });

  it('is refused where it is not what its space must give', () => {
    expect(
      refused(() =>
        buildSupernet(
          spaceWith(() => new Untouched(), 'images'),
          SHAPE,
        ),
      ),
    ).toBe('space own: supernet() returns no nn.Layer with architectureParameters()');
    const tokens = spaceWith(() => new Untouched(), 'tokens');
    expect(refused(() => buildLanguageSupernet(tokens, { vocabulary: 7 }))).toBe(
      'space own: supernet() returns no LanguageModel with architectureParameters()',
    );
  });

  it('is refused for recurrent cells that give out only some of their states', () => {
    const space = Space.configure(dartsRnn, { output: 'ends' });
    expect(refused(() => buildLanguageSupernet(space, { vocabulary: 7 }))).toBe(
      'space darts-rnn has no supernet with output = "ends": in the mixture every state is read by all later nodes',
    );
  });
});

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

/** A space with the supernet that is given. */
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

/** The choices of a small supernet. */
function choicesOf(name: string, options: object) {
  const definition = spaces.get(name)!;
  const space = Space.configure(definition, { ...definition.small, ...options });
  const supernet =
    definition.reads === 'tokens'
      ? buildLanguageSupernet(space, { vocabulary: 7 })
      : buildSupernet(space, SHAPE);
  const choices = supernet.choices!();
  supernet.free();
  return choices;
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

  it('is refused if the space has none, or one that reads something else', () => {
    expect(refused(() => buildSupernet(Space.configure(nasnet), SHAPE))).toBe(
      'space nasnet has no supernet: its architectures share no weights',
    );
    expect(refused(() => buildSupernet(Space.configure(dartsRnn), SHAPE))).toBe(
      'space darts-rnn: its networks read tokens; needed here: images',
    );
    const images = spaceWith(() => new Untouched(), 'images');
    expect(refused(() => buildLanguageSupernet(images, { vocabulary: 7 }))).toBe(
      'space own: its networks read images; needed here: tokens',
    );
  });

  it.each([
    [
      'darts-cnn',
      { nodes: 3 },
      ['normal', 'reduce'],
      [
        [0, 1],
        [2, 3, 4],
        [5, 6, 7, 8],
      ],
      2,
      [1, 2, 3, 4, 5, 6, 7],
    ],
    ['darts-rnn', { nodes: 3 }, ['recurrent'], [[0], [1, 2], [3, 4, 5]], 1, [1, 2, 3, 4]],
    [
      'auto-deeplab',
      { blocks: 2 },
      ['cell'],
      [
        [0, 1],
        [2, 3, 4],
      ],
      2,
      [1, 2, 3, 4, 5, 6, 7],
    ],
  ])(
    "says that a node of %s keeps some of its edges, without 'none'",
    (name, options, kinds, edges, keeps, operations) => {
      const choices = choicesOf(name, options);
      expect(Object.keys(choices)).toEqual(kinds);
      for (const choice of Object.values(choices))
        expect(choice).toEqual({ nodes: edges.map((own) => ({ edges: own, keeps })), operations });
    },
  );

  it("says that a node of nasbench201 keeps all of its edges, with 'none' as one of the operations", () => {
    expect(choicesOf('nasbench201', { nodes: 4 })).toEqual({
      cell: {
        nodes: [
          { edges: [0], keeps: 1 },
          { edges: [1, 2], keeps: 2 },
          { edges: [3, 4, 5], keeps: 3 },
        ],
        operations: [0, 1, 2, 3, 4],
      },
    });
  });

  it('has the stem of the layout that the space is configured with', () => {
    const layoutOf = (layout: string) => {
      const space = Space.configure(spaces.get('darts-cnn')!, { channels: 2, layers: 3, layout });
      const supernet = buildSupernet(space, SHAPE);
      const names = [...supernet.stateDict().keys()].map((name) => name.split('.')[0]);
      supernet.free();
      return [...new Set(names)];
    };
    expect(layoutOf('cifar')).toEqual(['stem', 'cells', 'classifier']);
    expect(layoutOf('imagenet')).toEqual(['stem0', 'stem1', 'cells', 'classifier']);
  });

  it('has partial channels where the space supports them, and is refused elsewhere', () => {
    const variant = { partialChannels: 2 };
    const space = Space.configure(spaces.get('darts-cnn')!, { channels: 4, layers: 3 });
    const [whole, partial] = [buildSupernet(space, SHAPE), buildSupernet(space, SHAPE, variant)];
    // The depthwise filters of the first edge.
    const filters = (supernet: typeof whole) =>
      supernet.stateDict().get('cells.0._ops.0._ops.4.op.1.weight')?.shape[0];
    expect([filters(whole), filters(partial)]).toEqual([4, 2]);
    expect(Object.keys(whole.architectureParameters())).toEqual(['normal', 'reduce']);
    expect(Object.keys(partial.architectureParameters())).toEqual([
      ...['normal', 'reduce', 'normalEdges', 'reduceEdges'],
    ]);
    whole.free();
    partial.free();
    const other = Space.configure(spaces.get('nasbench201')!);
    expect(refused(() => buildSupernet(other, SHAPE, variant))).toBe(
      "the supernet of space nasbench201 has no option 'partialChannels'; it has no options",
    );
  });

  it('is refused if the space returns something else', () => {
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

  it('is refused for recurrent cells that output only some of their states', () => {
    const space = Space.configure(dartsRnn, { output: 'ends' });
    expect(refused(() => buildLanguageSupernet(space, { vocabulary: 7 }))).toBe(
      'space darts-rnn has no supernet with output = "ends": in the mixture, all later nodes read every state',
    );
  });
});

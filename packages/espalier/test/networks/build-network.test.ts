import { nn, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { choose } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';
import { branching } from '../space/tiny-spaces.js';

setThreads(1);

const shape = { channels: 1, height: 2, width: 2, classes: 3 };

const spaceOf = (network: (width: number, classes: number) => unknown) =>
  Space.configure(
    defineSpace({
      name: 'mine',
      *choices() {
        return { width: yield* choose('width', [5, 6]) };
      },
      network: ({ width }, { classes }) => network(width, classes),
    }),
  );

describe('buildNetwork', () => {
  it('returns the network that the space builds from the architecture and the shape', () => {
    const network = buildNetwork(
      spaceOf((width, classes) => new nn.Linear(width, classes)),
      { width: 6 },
      shape,
    );
    expect(network.parameterCount()).toBe(6 * 3 + 3);
    network.free();
  });

  it('rejects a space without networks', () => {
    const build = () => buildNetwork(Space.configure(branching), { depth: 1, layers: [] }, shape);
    expect(build).toThrow(InputError);
    expect(build).toThrow(
      'space branching has no network(architecture, input): it can be counted, not trained',
    );
  });

  it('rejects a result that is not a layer, and names its type', () => {
    for (const [made, name] of [
      [undefined, '[object Undefined]'],
      [Promise.resolve(), '[object Promise]'],
      [{}, '[object Object]'],
    ] as const) {
      const build = () =>
        buildNetwork(
          spaceOf(() => made),
          { width: 5 },
          shape,
        );
      expect(build).toThrow(InputError);
      expect(build).toThrow(
        `space mine: network() returns ${name}; allowed: an nn.Layer from [N, channels, height, width] to [N, classes]`,
      );
    }
  });
});

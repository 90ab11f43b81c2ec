/** Small fully connected networks that read rows of numbers: the space for own-task.ts. */
import { block, choose, defineSpace, nn, type Program } from 'espalier';

const ACTIVATIONS = { relu: nn.ReLU, tanh: nn.Tanh, sigmoid: nn.Sigmoid };

interface Layer {
  readonly units: number;
  readonly activation: keyof typeof ACTIVATIONS;
}

export default defineSpace({
  name: 'small-mlp',
  reads: 'rows',
  *choices(): Program<{ depth: number; layers: Layer[] }> {
    const depth = yield* choose('depth', [1, 2, 3]);
    const layers: Layer[] = [];
    for (let i = 0; i < depth; i++)
      layers.push(
        yield* block(`layers.${i}`, function* () {
          return {
            units: yield* choose('units', [4, 8, 16, 32]),
            activation: yield* choose('activation', ['relu', 'tanh', 'sigmoid']),
          };
        }),
      );
    return { depth, layers };
  },
  network({ layers }, { features }: { features: number }) {
    let width = features;
    const modules = layers.flatMap(({ units, activation }) => {
      const layer = new nn.Linear(width, units);
      width = units;
      return [layer, new ACTIVATIONS[activation]()];
    });
    return new nn.Sequential(...modules, new nn.Linear(width, 1));
  },
});

import { fromTypedArray, generatorState, setGeneratorState, type Tensor } from '@espalier/torch';

const NAME = 'generator';

/** The generators that a training on a device draws from: the CPU's, and that of the device. */
function generatorsOf(device: string): readonly (readonly [name: string, device: string])[] {
  return device === 'cpu'
    ? [[NAME, device]]
    : [
        [NAME, 'cpu'],
        [`${NAME}.device`, device],
      ];
}

/** The states of the generators that a training on a device draws from. */
export function generatorStates(device: string): Map<string, Tensor> {
  return new Map(
    generatorsOf(device).map(([name, on]) => {
      const state = generatorState(on);
      return [name, fromTypedArray(state, [state.length])];
    }),
  );
}

/** @throws Error for a state without them */
export function setGeneratorStates(state: ReadonlyMap<string, Tensor>, device: string): void {
  for (const [name, on] of generatorsOf(device)) {
    const saved = state.get(name);
    if (saved === undefined) throw new Error(`the state has no '${name}'`);
    setGeneratorState(saved.toTypedArray() as Uint8Array, on);
  }
}

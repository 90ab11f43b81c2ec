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

/** The saved states of these generators. @throws Error for a state without them */
export function savedGenerators(state: ReadonlyMap<string, Tensor>, device: string): Map<string, Tensor> {
  return new Map(
    generatorsOf(device).map(([name]) => {
      const saved = state.get(name);
      if (saved === undefined) throw new Error(`the state has no '${name}'`);
      return [name, saved];
    }),
  );
}

/** Takes up saved states. @throws Error where they are of other generators */
export function setGenerators(saved: ReadonlyMap<string, Tensor>, device: string): void {
  for (const [name, on] of generatorsOf(device))
    setGeneratorState((saved.get(name) as Tensor).contiguous().toTypedArray() as Uint8Array, on);
}

/** Takes note of the generators that a training on a device draws from. @returns puts them back to where they were */
export function rememberGenerators(device: string): () => void {
  const states = generatorsOf(device).map(([, on]) => [on, generatorState(on)] as const);
  return () => {
    for (const [on, state] of states) setGeneratorState(state, on);
  };
}

import { native } from './native.js';

/** Seeds libtorch's generators: dropout, initialisation, `randn`. They belong to the process, not to a thread. */
export function manualSeed(seed: number): void {
  native.manualSeed(seed);
}

/** The state of the CPU's generator, to be put back with `setGeneratorState`. */
export function generatorState(): Uint8Array {
  return new Uint8Array(native.generatorState());
}

export function setGeneratorState(state: Uint8Array): void {
  native.setGeneratorState(state);
}

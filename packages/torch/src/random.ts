import { native } from './native.js';

/** Seeds libtorch's generators, for dropout, initialisation and `randn`. All threads of the process share them. */
export function manualSeed(seed: number): void {
  native.manualSeed(seed);
}

/** The state of the CPU's generator, for `setGeneratorState`. */
export function generatorState(): Uint8Array {
  return new Uint8Array(native.generatorState());
}

/** @throws Error where it is not a state of this generator; the generator then keeps its own */
export function setGeneratorState(state: Uint8Array): void {
  native.setGeneratorState(state);
}

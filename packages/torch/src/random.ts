import { native } from './native.js';

/** Seeds libtorch's generators, for dropout, initialisation and `randn`. All threads of the process share them. */
export function manualSeed(seed: number): void {
  native.manualSeed(seed);
}

/**
 * The state of a device's generator, for `setGeneratorState`.
 *
 * @param device `cpu`, `cuda`, `cuda:1`
 * @throws Error for a device that is not there
 */
export function generatorState(device = 'cpu'): Uint8Array {
  return new Uint8Array(native.generatorState(device));
}

/**
 * @param device `cpu`, `cuda`, `cuda:1`
 * @throws Error where it is not a state of this generator, which then keeps its own; for a device that is not there
 */
export function setGeneratorState(state: Uint8Array, device = 'cpu'): void {
  native.setGeneratorState(state, device);
}

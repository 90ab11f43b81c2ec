import { native } from './native.js';

/** The number of threads that one operator may use. Two trainings on two cores want one each. */
export function threads(): number {
  return native.threads();
}

/**
 * @param count from 1 to 64, or to the number of hardware threads if there are more
 * @throws Error where it is not
 */
export function setThreads(count: number): void {
  native.setThreads(count);
}

/** The version of the libtorch that the addon was built with: `1.13.0`. */
export function libtorchVersion(): string {
  return native.version();
}

/** How libtorch was built: compiler, BLAS, CPU capability. */
export function libtorchConfiguration(): string {
  return native.configuration();
}

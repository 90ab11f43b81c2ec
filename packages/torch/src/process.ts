import { native } from './native.js';

/** Threads that one operator may use. Two trainings on two cores want one each. */
export function threads(): number {
  return native.threads();
}

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

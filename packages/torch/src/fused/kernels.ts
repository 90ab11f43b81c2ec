import { native } from '../native.js';
import type { Tensor } from '../tensor.js';

let enabled = true;

/** Whether the kernels of this package compute tensors like this one: float32 or float64 on the CPU. */
export function runsKernels(tensor: Tensor): boolean {
  return enabled && tensor.device === 'cpu' && (tensor.dtype === 'float32' || tensor.dtype === 'float64');
}

/**
 * Whether the kernels compute a layer on such an input: in training, and in evaluation for more than one image. (Of one image's
 * single pixel, the kernels would have no variance.)
 */
export function servesLayer({ training }: { readonly training: boolean }, input: Tensor): boolean {
  return runsKernels(input) && (training || (input.shape[0] as number) > 1);
}

/**
 * Runs `body` on libtorch's own operators. The kernels have first derivatives only, so what is to be differentiated twice runs in
 * here.
 */
export function withoutKernels<T>(body: () => T): T {
  const before = enabled;
  enabled = false;
  try {
    return body();
  } finally {
    enabled = before;
  }
}

/**
 * The instruction set that the kernels run with on this machine: `avx512`, `avx2` or `baseline`. The environment variable
 * ESPALIER_CPU chooses an older one.
 */
export function instructionSet(): string {
  return native.instructionSet();
}

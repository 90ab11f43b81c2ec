import { dtypeCode } from './dtype.js';
import { native } from './native.js';

/** The device of the autocast to bfloat16 that the program is in. */
let on: string | undefined;

/**
 * Runs `body` with PyTorch's autocast (`torch.autocast(device, dtype)`), on this thread only. Convolutions and matrix
 * products of float32 tensors on the device compute in bfloat16 and return bfloat16. Weights and their gradients keep their
 * type; autocast caches the cast of a weight until the outermost autocast ends. Call `backward` after `body`, not in it.
 *
 * @param dtype `float32` switches autocast off inside another autocast
 * @param device `cpu`, or `cuda` with or without a number
 * @throws TypeError for another dtype; Error for a device of another kind
 */
export function autocast<T>(dtype: 'bfloat16' | 'float32', body: () => T, device = 'cpu'): T {
  if (dtype !== 'bfloat16' && dtype !== 'float32')
    throw new TypeError(`autocast takes bfloat16 or float32, not '${dtype}'`);
  const before = native.setAutocast(dtypeCode(dtype), device);
  const outer = on;
  on = dtype === 'bfloat16' ? device : undefined;
  try {
    return body();
  } finally {
    on = outer;
    native.setAutocast(before, device);
  }
}

/** The device of the `autocast` to bfloat16 that the program is inside of; undefined where it is in none. */
export function autocastDevice(): string | undefined {
  return on;
}

/** Whether this CPU has instructions for bfloat16 (AVX512_BF16). Without them bfloat16 is slower than float32. */
export function hasBfloat16(): boolean {
  return native.hasBfloat16();
}

import { dtypeCode } from './dtype.js';
import { native } from './native.js';

let isOn = false;

/**
 * Runs `body` with PyTorch's autocast (`torch.autocast('cpu', dtype)`), on this thread only. Convolutions and matrix
 * products of float32 tensors on the CPU compute in bfloat16 and return bfloat16. Weights and their gradients keep their
 * type; autocast caches the cast of a weight until the outermost autocast ends. Call `backward` after `body`, not in it.
 *
 * @param dtype `float32` switches autocast off inside another autocast
 * @throws TypeError for another dtype
 */
export function autocast<T>(dtype: 'bfloat16' | 'float32', body: () => T): T {
  if (dtype !== 'bfloat16' && dtype !== 'float32')
    throw new TypeError(`autocast takes bfloat16 or float32, not '${dtype}'`);
  const before = native.setAutocast(dtypeCode(dtype));
  const wasOn = isOn;
  isOn = dtype === 'bfloat16';
  try {
    return body();
  } finally {
    isOn = wasOn;
    native.setAutocast(before);
  }
}

/** Whether the program is inside an `autocast` to bfloat16. */
export function autocasts(): boolean {
  return isOn;
}

/** Whether this CPU has instructions for bfloat16 (AVX512_BF16). Without them bfloat16 is slower than float32. */
export function hasBfloat16(): boolean {
  return native.hasBfloat16();
}

import { dtypeCode } from './dtype.js';
import { native } from './native.js';

let isOn = false;

/**
 * Runs `body` with PyTorch's autocast (`torch.autocast('cpu', dtype)`): of tensors in float32 on the CPU, convolutions and matrix products
 * are computed in bfloat16 and give it out; a weight is cast once, until the outermost autocast ends. Weights and their
 * gradients stay what they are. Of this thread only. The backward pass belongs behind it, not into it.
 *
 * @param dtype `float32` switches it off within another one
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

/** Whether this is the body of an `autocast` to another type. */
export function autocasts(): boolean {
  return isOn;
}

/** Whether this CPU has instructions for bfloat16 (AVX512_BF16): without them it is slower than float32. */
export function hasBfloat16(): boolean {
  return native.hasBfloat16();
}

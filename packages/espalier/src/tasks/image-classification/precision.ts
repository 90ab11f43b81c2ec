import { hasBfloat16, noGrad, observeOperators, scope, zeros } from '@espalier/torch';
import { InputError } from '../../input-error.js';
import type { Network } from '../../networks/network.js';
import type { InputShape } from '../../space/space.js';
import type { ImageTrainingOptions } from './training-options.js';

const CONVOLUTION = 'espalier::relu_conv_norm';

/**
 * Whether a space's networks can be trained in this precision on a device, seen at one of them that is on the CPU; warns where
 * they can but it is slow.
 *
 * @throws InputError for networks whose convolutions run on a kernel of our own: it takes float32, and without it
 *   (DARTS-V2, 8 cells, a step of 64 images) bfloat16 took 2.7 times as long
 */
export function requirePrecision(
  precision: ImageTrainingOptions['precision'],
  network: Network,
  { channels, height, width }: InputShape,
  device: string,
): void {
  // The kernels are the CPU's.
  if (precision === 'float32' || device !== 'cpu') return;
  let kernels = false;
  network.train();
  scope(() =>
    noGrad(() =>
      observeOperators(
        ({ name }) => {
          kernels ||= name === CONVOLUTION;
        },
        () => network.forward(zeros([2, channels, height, width])),
      ),
    ),
  );
  if (kernels)
    throw new InputError(
      `precision '${precision}': the convolutions of this network run on a kernel that takes float32 and is faster than ` +
        "libtorch's in bfloat16; allowed here: float32",
    );
  if (!hasBfloat16())
    process.emitWarning(
      'this CPU has no instructions for bfloat16 (AVX512_BF16), so precision bfloat16 is slower than float32',
    );
}

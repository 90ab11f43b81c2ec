import { hasBfloat16, noGrad, observeOperators, scope, zeros } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Network } from '../networks/network.js';
import type { InputShape } from '../space/space.js';
import type { TrainingSettings } from './training-settings.js';

/**
 * Whether a space's networks can be trained in this precision, seen at one of them; warns where they can but it is slow.
 *
 * @throws InputError for networks that train on kernels of our own: these take float32, and without them (DARTS-V2, 8
 *   cells) bfloat16 takes 2.7 times as long
 */
export function requirePrecision(
  precision: TrainingSettings['precision'],
  network: Network,
  { channels, height, width }: InputShape,
): void {
  if (precision === 'float32') return;
  const kernels = new Set<string>();
  network.train();
  scope(() =>
    noGrad(() =>
      observeOperators(
        ({ name }) => {
          if (name.startsWith('espalier::')) kernels.add(name);
        },
        () => network.forward(zeros([2, channels, height, width])),
      ),
    ),
  );
  if (kernels.size > 0)
    throw new InputError(
      `precision '${precision}': this network trains on kernels that take float32 and are faster than libtorch's bfloat16; allowed here: float32`,
    );
  if (!hasBfloat16())
    process.emitWarning(
      'this CPU has no instructions for bfloat16 (AVX512_BF16), so precision bfloat16 is slower than float32',
    );
}

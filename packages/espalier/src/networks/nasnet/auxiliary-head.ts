import { nn, type Tensor } from '@espalier/torch';
import { InputError } from '../../input-error.js';
import { convolution, type Normalization } from './convolution.js';

const WINDOW = 5;
const STRIDE = 3;

/**
 * A second classifier for training, at two thirds of the depth. It maps the output of the last cell before the second
 * reduction, [N, channels, height, width], to logits [N, classes].
 */
export class AuxiliaryHead extends nn.Layer {
  readonly features: nn.Sequential;
  readonly classifier: nn.Linear;

  /** @throws InputError if the features are smaller than the pooling window */
  constructor(
    channels: number,
    size: readonly [number, number],
    classes: number,
    normalization: Normalization,
  ) {
    super();
    if (Math.min(...size) < WINDOW)
      throw new InputError(
        `the auxiliary head averages ${WINDOW}x${WINDOW} windows, but with these images its features are only ` +
          `${size.join('x')}; use larger images or no auxiliary head`,
      );
    const [height, width] = size.map((side) => Math.floor((side - WINDOW) / STRIDE) + 1) as [number, number];
    this.features = new nn.Sequential(
      new nn.ReLU(),
      new nn.AvgPool2d(WINDOW, { stride: STRIDE }),
      ...convolution(channels, 128, normalization),
      new nn.ReLU(),
      // This convolution covers the whole feature map.
      new nn.Conv2d(128, 768, [height, width], { bias: false }),
      new nn.BatchNorm2d(768, normalization),
      new nn.ReLU(),
      new nn.Flatten(),
    );
    this.classifier = new nn.Linear(768, classes);
  }

  forward(features: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(features));
  }
}

import { nn, type Tensor } from '@espalier/torch';

/**
 * A second classifier on the output of the second reduction. Its loss is added in training. It maps features [N, C, 8, 8]
 * (layout cifar) or [N, C, 7, 7] (imagenet) to logits [N, classes]. As in the authors' network for ImageNet, layout
 * imagenet has no batch norm after the second convolution.
 */
export class AuxiliaryHead extends nn.Layer {
  readonly features: nn.Sequential;
  readonly classifier: nn.Linear;

  constructor(channels: number, classes: number, layout: 'cifar' | 'imagenet') {
    super();
    const cifar = layout === 'cifar';
    this.features = new nn.Sequential(
      new nn.ReLU(),
      new nn.AvgPool2d(5, { stride: cifar ? 3 : 2, countIncludePad: false }),
      new nn.Conv2d(channels, 128, 1, { bias: false }),
      new nn.BatchNorm2d(128),
      new nn.ReLU(),
      new nn.Conv2d(128, 768, 2, { bias: false }),
      ...(cifar ? [new nn.BatchNorm2d(768)] : []),
      new nn.ReLU(),
    );
    this.classifier = new nn.Linear(768, classes);
  }

  forward(features: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(features).flatten(1));
  }
}

import type { nn } from '@espalier/torch';
import { Backbone } from '../networks/backbone.js';
import { Segmenter } from '../networks/segmenter.js';
import type { InputShape } from '../space/space.js';
import { images } from './images.js';
import type { NetworkKind } from './network-kind.js';

/**
 * Networks of images with a logit for each class and pixel. A space that is for the task has them, and so has one whose
 * networks give no maps of features; networks of other spaces get a head that reads their maps.
 *
 * @param task the name of the task
 */
export function segmenters(task: string): NetworkKind<InputShape, nn.Layer> {
  return {
    ...images,
    build(space, architecture, input) {
      if (space.definition.task === task) return images.build(space, architecture, input);
      // The head of a classifier is not run; with one class it is small.
      const network = images.build(space, architecture, { ...input, classes: 1 });
      if (network instanceof Backbone) return new Segmenter(network, input, space.name);
      network.free();
      return images.build(space, architecture, input);
    },
  };
}

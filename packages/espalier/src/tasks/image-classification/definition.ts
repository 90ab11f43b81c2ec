import { dataFormsOf } from '../../data/open-data.js';
import { images } from '../../network-kinds/images.js';
import type { Network } from '../../networks/network.js';
import { requireDevice } from '../device.js';
import { defineTask } from '../task-definition.js';
import { classifierMeasures, ImageClassification, type ImageLoss } from './image-classification.js';
import { openImages } from './open-images.js';
import { requirePrecision } from './precision.js';
import { predictClasses } from './predict-classes.js';
import {
  auxiliaryHead,
  imagePresets,
  paperChild,
  paperImageSize,
  paperSpaceOptions,
  paperTraining,
  smallChild,
  smallTraining,
  tuningGrid,
} from './presets.js';
import { requireClassifier } from './require-classifier.js';
import { signatureOf } from './signature.js';
import { imageSupernetOptions } from './supernet-options.js';
import { type ImageTrainingOptions, imageTrainingOptions } from './training-options.js';

/** The class of an image: cross entropy, judged by the accuracy. */
export const imageClassification = defineTask({
  name: 'image-classification',
  networks: images,
  measures: classifierMeasures,
  training: {
    options: imageTrainingOptions,
    paper: paperTraining,
    small: smallTraining,
    presets: imagePresets,
    child: paperChild,
    smallChild,
    paperImageSize,
    paperSpaceOptions,
    augmentation: ['augment', 'cutout', 'colourJitter'],
    tuning: tuningGrid,
    spaceOptions: auxiliaryHead,
  },
  supernet: {
    options: imageSupernetOptions,
    alpha: { learningRate: 3e-4, beta1: 0.5 },
  },
  dataForms: dataFormsOf('images'),
  heldOut: true,
  open(settings, { validationShare } = {}) {
    const opened = openImages(settings, validationShare);
    return {
      input: opened.shape,
      checksum: opened.checksum,
      signature: signatureOf(opened),
      notes: opened.notes,
      task: (options) => new ImageClassification(opened, options as unknown as ImageLoss),
      requireTrainable(network, space, options) {
        const { device, precision = 'float32' } = options as unknown as ImageTrainingOptions;
        requireDevice(device);
        requireClassifier(network as Network, opened.shape, space);
        requirePrecision(precision, network as Network, opened.shape, device);
      },
    };
  },
  predictFlags: ['mean', 'std'],
  predict: predictClasses,
});

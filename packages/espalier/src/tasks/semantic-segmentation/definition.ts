import { dataFormsOf } from '../../data/open-data.js';
import { segmenters } from '../../network-kinds/segmenters.js';
import type { Network } from '../../networks/network.js';
import { requireDevice } from '../device.js';
import { defineTask } from '../task-definition.js';
import { openMasks } from './open-masks.js';
import { predictMask } from './predict-mask.js';
import { paperTraining, smallChild, smallTraining } from './presets.js';
import { requireSegmenter } from './require-segmenter.js';
import { type SegmentationLoss, SemanticSegmentation, segmenterMeasures } from './segmentation.js';
import { signatureOf } from './signature.js';
import { segmentationSupernetOptions } from './supernet-options.js';
import { segmentationTrainingOptions } from './training-options.js';

const NAME = 'semantic-segmentation';

/** The class of each pixel: cross entropy, judged by the mean intersection over union. */
export const semanticSegmentation = defineTask({
  name: NAME,
  networks: segmenters(NAME),
  measures: segmenterMeasures,
  training: {
    options: segmentationTrainingOptions,
    paper: paperTraining,
    small: smallTraining,
    child: () => ({}),
    smallChild,
    // The head of a segmenter reads the maps, and not the auxiliary head.
    spaceOptions: ({ options }) => ('auxiliary' in options ? { auxiliary: false } : {}),
    augmentation: ['augment', 'leastScale', 'mostScale', 'classWeights'],
  },
  supernet: {
    options: segmentationSupernetOptions,
    alpha: { learningRate: 3e-3, beta1: 0.9 },
  },
  dataForms: dataFormsOf('masks'),
  heldOut: true,
  open(settings, { validationShare } = {}) {
    const opened = openMasks(settings, validationShare);
    return {
      input: opened.shape,
      checksum: opened.checksum,
      signature: signatureOf(opened),
      notes: opened.notes,
      task: (options) => new SemanticSegmentation(opened, options as unknown as SegmentationLoss),
      requireTrainable(network, space, { device }) {
        requireDevice(device as string);
        requireSegmenter(network as Network, opened.shape, space);
      },
    };
  },
  predictFlags: ['out', 'scales', 'flip', 'tile'],
  predict: predictMask,
});

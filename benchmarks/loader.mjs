/**
 * Data loading for training on CIFAR-10: an epoch of batches of tensors, shuffled, cropped, flipped, with cutout (DARTS,
 * section A.2.1), and standardised. PyTorch uses as many worker processes as threads.
 */
import { batches } from '../packages/espalier/dist/data/batches.js';
import { channelStatistics } from '../packages/espalier/dist/data/statistics.js';
import { fromTypedArray, manualSeed, randint, saveTensors, scope } from '../packages/torch/dist/index.js';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: { images: 5000, size: 32, classes: 10, batch: 96, augmented: true, margin: 4, cutout: 16 },
  checked: { augmented: false },
  unit: 'image',
  perStep: ({ images }) => images,
  rounds: 5,
  steps: 1,
  layouts: ['default'],
  targets: {},

  prepare(settings, startFile) {
    const { images: count, size, classes, batch: batchSize, augmented, margin, cutout } = settings;
    manualSeed(1);
    const pixels = randint(0, 256, [count, size, size, 3]).to({ dtype: 'uint8' });
    const classOf = randint(0, classes, [count]);
    const set = {
      images: pixels.toTypedArray(),
      labels: Int32Array.from(classOf.toNumbers()),
      count,
      height: size,
      width: size,
      channels: 3,
    };
    const statistics = channelStatistics(set);
    saveTensors(startFile, new Map(Object.entries({ images: pixels, labels: classOf })), {
      mean: JSON.stringify([...statistics.mean]),
      deviation: JSON.stringify([...statistics.standardDeviation]),
    });
    const augmentation = { crop: { from: 'padded', margin }, flip: true, cutout };
    let epoch = 0;
    return () => {
      const training = augmented ? { seed: 1, epoch: epoch++, augmentation } : undefined;
      let seen = 0;
      let measured = [];
      for (const batch of batches(set, { size: batchSize, statistics, training }))
        scope(() => {
          const rows = fromTypedArray(batch.images, [batch.count, size, size, 3]);
          const images = rows.permute([0, 3, 1, 2]);
          const labels = fromTypedArray(batch.labels, [batch.count]);
          seen += batch.count;
          if (seen === count) measured = [images.square().mean().item(), labels.sum().item()];
        });
      return measured;
    };
  },
};

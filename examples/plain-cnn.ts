import { choose, defineSpace, nn } from 'espalier';

export default defineSpace({
  name: 'plain-cnn',
  *choices() {
    return {
      kernel: yield* choose('kernel', [3, 5, 7]),
      filters: yield* choose('filters', [8, 16, 32]),
      pooling: yield* choose('pooling', ['max', 'average']),
    };
  },
  network({ kernel, filters, pooling }, { channels, classes }) {
    const conv = new nn.Conv2d(channels, filters, kernel, { stride: 2 });
    const pool = pooling === 'max' ? new nn.MaxPool2d(2) : new nn.AvgPool2d(2);
    const mean = new nn.AdaptiveAvgPool2d(1);
    return new nn.Sequential(
      conv,
      new nn.ReLU(),
      pool,
      mean,
      new nn.Flatten(),
      new nn.Linear(filters, classes),
    );
  },
});

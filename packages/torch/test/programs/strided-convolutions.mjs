// Runs backward passes of pointwise convolutions with a stride on small images in channels_last. On CPUs without AVX-512,
// oneDNN 2.6 writes beyond its memory in these, which ends the process sooner or later.
import { backward, nn, randn, scope, setThreads } from '../../dist/index.js';

setThreads(1);
for (const channels of [2, 3, 4, 6]) {
  const layer = new nn.Conv2d(channels, channels, 1, { stride: 2, bias: false });
  layer.to({ memoryFormat: 'channels_last' });
  for (let step = 0; step < 40; step++)
    scope(() => {
      const image = randn([2, channels, 8, 10], { dtype: 'float32' });
      backward(
        layer
          .forward(image.to({ memoryFormat: 'channels_last' }))
          .square()
          .sum(),
      );
    });
  layer.free();
}
console.log('done');

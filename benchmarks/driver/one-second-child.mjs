/** A search worker whose children all take the same work, a series of matrix products, and report how long it took. */
import { serve } from '../../packages/espalier/dist/runs/child-worker.js';
import { noGrad, ones, scope, setThreads } from '../../packages/torch/dist/index.js';

const size = 512;

serve(({ products }) => {
  setThreads(1);
  const matrix = scope(() => ones([size, size]).div(size).keep());
  return ({ seed }) => {
    const begun = performance.now();
    scope(() =>
      noGrad(() => {
        let value = matrix;
        for (let done = 0; done < products; done++) value = value.matmul(matrix);
        value.toNumbers();
      }),
    );
    return {
      status: 'ok',
      measures: { accuracy: (seed % 1000) / 1000 },
      clock: { busySeconds: (performance.now() - begun) / 1000 },
    };
  };
});

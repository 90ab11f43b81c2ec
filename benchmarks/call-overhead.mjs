/** The overhead of an operator call: four operators on 2x2 matrices, where the arithmetic is negligible. */
import { saveTensors, scope, tensor } from '../packages/torch/dist/index.js';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: { size: '2x2', calls: 5000 },
  checked: {},
  unit: 'call',
  rounds: 15,
  steps: 4,
  layouts: ['default'],
  targets: { default: 1 / 1.2 },
  perStep: ({ calls }) => 4 * calls,

  prepare({ calls }, startFile) {
    const a = tensor([
      [1, -2],
      [3, 4],
    ]);
    const b = tensor([
      [0.5, 1],
      [2, -1],
    ]);
    saveTensors(startFile, new Map(Object.entries({ a, b })));
    const operators = [() => a.add(b), () => a.mul(b), () => a.relu(), () => a.matmul(b)];
    const sum = scope(() =>
      operators.map((call) => call().sum().item()).reduce((total, value) => total + value),
    );
    return () => {
      for (const call of operators)
        for (let done = 0; done < calls; done += 100)
          scope(() => {
            for (let count = 0; count < 100; count++) call();
          });
      return sum;
    };
  },
};

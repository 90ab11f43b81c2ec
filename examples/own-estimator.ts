/** A formula in place of training: what the operations of a NAS-Bench-201 cell are worth, one by one. */
import { setTimeout } from 'node:timers/promises';
import { accuracy, defineEstimator, Random, z } from 'espalier';

const WORTH: Record<string, number> = {
  none: 0,
  skip_connect: 0.4,
  avg_pool_3x3: 0.3,
  nor_conv_1x1: 0.8,
  nor_conv_3x3: 1,
};

export default defineEstimator({
  name: 'formula',
  options: z.strictObject({
    noise: z.number().min(0).default(0.01).describe('standard deviation of the noise of a trial'),
  }),
  open: ({ options }) => ({
    objectives: [accuracy],
    costUnit: 'simulated seconds',
    async estimate({ architecture, seed }) {
      // `|nor_conv_3x3~0|+|skip_connect~0|none~1|+...`
      const { cell } = architecture as { cell: string };
      const operations = [...cell.matchAll(/([a-z]\w*)~\d/g)].map(([, name]) => WORTH[name!] ?? 0);
      const mean = operations.reduce((sum, worth) => sum + worth, 0) / operations.length;
      // Stands for a service that takes a while to answer.
      await setTimeout(5);
      const noisy = 0.1 + 0.8 * mean + options.noise * Random.of(seed, 'noise').normal();
      return {
        measures: { accuracy: Math.min(1, Math.max(0, noisy)) },
        cost: operations.filter((worth) => worth >= 0.8).length,
      };
    },
  }),
});

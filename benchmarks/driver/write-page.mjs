import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fused, libtorchVersion } from '../../packages/torch/dist/index.js';
import { describeSettings, describeTime, percent } from './report.mjs';

/** @typedef {import('./report.mjs').Result} Result */

const introduction = `# Benchmarks

Espalier beside plain PyTorch programs of the same work (\`benchmarks/pytorch\`), in turn in one run, with the same threads, from
the same weights; where the losses of the first steps agree in none of PyTorch's layouts the benchmark fails. PyTorch runs as it is and tuned to
channels_last. Both take two steps before those that are timed. Times are medians of the rounds; how many times as fast ours is, is the median over the rounds too, with the
first and third quartile. Memory is the greatest resident size of a process of its own, everything in it included. The shares
are of what the machine reached in the same run: of a matrix product's rate, for the arithmetic of convolutions and products
(backward counted as twice forward), and of a copy's rate, for the bytes that operators would read and write if none were
fused: above 100% is what fusing saves.

    npm run bench                                    all of them
    npm run bench -- --only darts-step --layout channels_last
    npm run bench -- --write                         all, and this page's section of that PyTorch
    node scripts/bench-newer-pytorch.mjs             beside PyTorch 2.6, in a Debian 13 in a folder (root)
    npm run bench:overhead                           what a search takes besides its children and its steps

What a search takes besides its work, on the Intel Xeon below: 100 children of 0.9 seconds with \`reinforce\` (\`zoph-cnn\`, 15 layers), one
worker: it waits 1.3% of the time; two workers: 2.9%, in which they wait for each other too. An epoch of first-order DARTS on 2,560
images (16 channels, 8 cells): 0.25% is neither step nor validation.

One run is not the last word: the machines are shared, and their speed changes by the hour. On an AMD EPYC with 2 cores the build of
2026-11-25 was, beside PyTorch 1.13, so many times as fast as channels_last: \`darts-step\` 5.7 (10.5 times the default layout),
\`darts-step-small\` 12.1, \`auto-deeplab-step\` 5.3, \`train-darts-v2\` 2.3 and 3.7 in two runs, \`train-nasnet-a\` 1.8 to 2.3,
\`train-nasnet-a-paper\` 2.7, \`train-zoph-cnn\` 1.4 to 1.6; \`darts-rnn-step\` 5.8 to 6.5 times the default layout.

A layout of PyTorch has no time where it \`crashed\`, where its losses are \`not a number\`, or where it \`disagrees\`: its losses are not
ours, while those of its other layout are. All three were seen of Debian 13's PyTorch 2.6 on the AMD EPYC, in gradients of
convolutions that ours on the same libtorch does not use (1x1 with stride 2 between few channels; dilated, also depthwise); on the Intel
Xeon below it has none of these faults.
`;

/**
 * Writes the section of a version of PyTorch, anew or in place of the one that is there.
 * @param {string} path
 * @param {readonly Result[]} results
 * @param {string} pytorch version
 * @param {number} threads
 */
export function writePage(path, results, pytorch, threads) {
  const title = (/** @type {string} */ version) => `## Beside PyTorch ${version}\n`;
  const [, ...sections] = existsSync(path) ? readFileSync(path, 'utf8').split(/^(?=## )/m) : [introduction];
  const others = sections.filter((section) => !section.startsWith(title(pytorch)));
  const own = `${title(pytorch)}\n${machine(results[0], threads)}\n\n${table(results)}\n\nSettings:\n\n${settings(results)}\n`;
  const all = [...others, own].sort().map((section) => section.trimEnd());
  writeFileSync(path, `${[introduction.trimEnd(), ...all].join('\n\n')}\n`);
}

/** @param {Result} result @param {number} threads */
function machine({ limits }, threads) {
  const [processor] = cpus();
  return (
    `${new Date().toISOString().slice(0, 10)}, ${processor.model.trim()}, ${cpus().length} cores, ` +
    `${Math.round(totalmem() / 2 ** 30)} GB; ${threads} threads; ours on libtorch ${libtorchVersion()}, kernels for ` +
    `${fused.instructionSet()}. A matrix product reaches ${limits.matrix_product_gflops.toFixed(0)} GFLOP/s, a copy ` +
    `${limits.copy_gb_s.toFixed(0)} GB/s (read and written).`
  );
}

/** @param {readonly Result[]} results */
function table(results) {
  const header = [
    'benchmark',
    'ours',
    'PyTorch, default',
    'PyTorch, channels_last',
    'times as fast as default',
    'as channels_last',
    'peak, ours',
    'peak, PyTorch',
    'of a matrix product',
    'of a copy',
  ];
  const rows = results.map((result) => [
    `\`${result.name}\``,
    describeTime(result.ours_s, result),
    time(result, 'default'),
    time(result, 'channels_last'),
    ratio(result, 'default'),
    ratio(result, 'channels_last'),
    `${result.ours_peak_mb.toFixed(0)} MB`,
    `${result.pytorch_peak_mb.toFixed(0)} MB`,
    share(result.share_of_matrix_product),
    share(result.share_of_copy),
  ]);
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @param {number | null} value */
function share(value) {
  return value === null ? '' : percent(value);
}

/** @param {Result} result @param {import('./load-benchmark.mjs').Layout} layout */
function time(result, layout) {
  const fault = result.pytorch_faults[layout];
  if (fault !== undefined) return fault;
  const seconds = result[`pytorch_${layout}_s`];
  return seconds === null ? '' : describeTime(seconds, result);
}

/** @param {Result} result @param {import('./load-benchmark.mjs').Layout} layout */
function ratio(result, layout) {
  const value = result[`ratio_${layout}`];
  if (value === null) return '';
  const [low, high] = result[`ratio_${layout}_spread`];
  const target = result.targets[layout];
  const aim = target === undefined ? '' : `, target ${target.toFixed(1)}`;
  return `${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}${aim})`;
}

/** @param {readonly Result[]} results */
function settings(results) {
  return results
    .map(({ name, settings, comparison_peaks_mb, largest_loss_difference }) => {
      const peaks = Object.entries(comparison_peaks_mb).map(
        ([what, peak]) => `; peak of ${what}: ${peak.toFixed(0)} MB`,
      );
      const losses = `losses agree to ${largest_loss_difference.toExponential(0)}`;
      return `- \`${name}\`: ${describeSettings(settings)}; ${losses}${peaks.join('')}`;
    })
    .join('\n');
}

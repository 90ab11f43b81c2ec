import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fused, libtorchVersion } from '../../packages/torch/dist/index.js';
import { describeSettings, describeTime, percent } from './report.mjs';

/** @typedef {import('./report.mjs').Result} Result */

const introduction = `# Benchmarks

These benchmarks compare Espalier with plain PyTorch programs that do the same work (\`benchmarks/pytorch\`). Both sides take turns in
one run, with the same number of threads and the same initial weights. PyTorch runs in its default memory layout and, for image
networks, also in channels_last, as a researcher would tune it. A benchmark fails if the losses of the first steps agree with
Espalier's in none of these layouts. Both sides take two warm-up steps that are not timed.

Times are medians over the rounds. A speedup is PyTorch's time divided by Espalier's. The table gives its median over the rounds, with
the first and third quartile in parentheses. Memory is the peak resident set size of each side's process, including everything in it.

The last two columns relate Espalier's time to what the machine reached in the same run. The share of the multiply-add rate counts the
arithmetic of convolutions and matrix products as the plain sums, with the backward pass counted as twice the forward pass, beside a
loop of multiply-adds that never leave the registers. It exceeds 100% where 3x3 convolutions take fewer (F(4x4, 3x3) of Lavin & Gray
2016: a quarter). Sections from before 2026-11-29 have the rate of libtorch's matrix product in its place, which is the BLAS'. The share
of the copy rate counts the bytes that the operators would read and write without fusion. It exceeds 100% if fusion saves enough of
this traffic.

    npm run bench                                    all benchmarks
    npm run bench -- --only darts-step --layout channels_last
    npm run bench -- --write                         all benchmarks; rewrites the section of that PyTorch version below
    node scripts/bench-newer-pytorch.mjs             compares with PyTorch 2.6 in a Debian 13 chroot (needs root)
    npm run bench:overhead                           the overhead of a search besides its children and its steps
    npm run bench:scale                              what the queue and the shards of searches over many machines carry

The overhead of a search was measured on the Intel Xeon below. In a \`reinforce\` search of 100 children of 0.9 seconds (\`zoph-cnn\`, 15
layers), a single worker is idle 1.3% of the time. Two workers are idle 2.9% of the time, partly because they wait for each other. In
first-order DARTS on 2,560 images (16 channels, 8 cells), 0.25% of an epoch is spent on neither steps nor validation.

Many machines (bench:scale) were measured on two cores of the same kind, with Redis, four workers and the coordinator all on them, while
other work kept a load of 8 to 13. \`npm run bench:scale -- --only children --children 1200\` took 100,000 trials of 10.0 seconds through one
Redis in 16.6 minutes: 100 a second, none failed, and 87.4% of the children's time was used. A trial takes 1.01 ms of the coordinator's CPU
and 0.59 ms of Redis'. With 800 at a time, 99.1% was used over 14,800 trials. The objects of the coordinator took 38 MB after 10,000 trials
and 89 MB after 100,000, 597 bytes a trial: answers, seed and measures, which the search decides by; neither the queue nor curves nor
architectures add to it. With the controller of Zoph & Le (162 KB) one process pushes 14 gradients a second to one shard, and 7 to 20
shards, which are 145 updates of a shard. Extrapolated, not measured: 10,000 children of 10 minutes are 17 trials a second, 1.7% of a core
of the coordinator and 1.0% of one of Redis. What breaks first is not trials but signs of life: 10,000 children tell their progress up to
once a second, each a script in Redis and a message to the coordinator, and an idle worker asks for children twice a second.

Results vary between runs, because the machines are shared and their speed changes by the hour. On an AMD EPYC with 2 cores, the build
of 2026-11-25 had these speedups over PyTorch 1.13 in channels_last: \`darts-step\` 5.7 (10.5 over the default layout),
\`darts-step-small\` 12.1, \`auto-deeplab-step\` 5.3, \`train-darts-v2\` 2.3 and 3.7 in two runs, \`train-nasnet-a\` 1.8 to 2.3,
\`train-nasnet-a-paper\` 2.7, \`train-zoph-cnn\` 1.4 to 1.6. The speedup of \`darts-rnn-step\` over the default layout was 5.8 to 6.5.

On an AMD EPYC with 2 cores, on 2026-11-29, 3x3 convolutions had a kernel of their own (three rounds, channels_last): \`nasbench201-step\` 895 ms
against 1,988 ms, a speedup of 2.22 of the 4.00 that are the target; \`resnet-step\` 1.96; \`train-zoph-cnn\` 1.19. Multiply-adds in
registers reached 234 GFLOP/s there, so the step of NAS-Bench-201 as plain sums, 187 GFLOP, would take 800 ms with nothing else; of
the 895 ms, 39% are 3x3 convolutions, 22% the mixtures, 19% pointwise convolutions.

A PyTorch layout has no time if it \`crashed\`, if its losses are \`not a number\`, or if it \`disagrees\`: its losses differ from Espalier's
while those of the other layout agree. All three occurred with PyTorch 2.6 of Debian 13 on the AMD EPYC, in gradients of convolutions
that Espalier does not use with the same libtorch (1x1 with stride 2 between few channels; dilated, including depthwise). None of them
occurs on the Intel Xeon below.
`;

/**
 * Writes the section for one version of PyTorch, and replaces an existing one.
 * @param {string} path
 * @param {readonly Result[]} results
 * @param {string} pytorch its version
 * @param {number} threads
 */
export function writePage(path, results, pytorch, threads) {
  const title = (/** @type {string} */ version) => `## Compared with PyTorch ${version}\n`;
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
    `${Math.round(totalmem() / 2 ** 30)} GB; ${threads} threads; Espalier on libtorch ${libtorchVersion()} with kernels for ` +
    `${fused.instructionSet()}. Multiply-adds in registers reach ${limits.multiply_add_gflops.toFixed(0)} GFLOP/s, and a copy ` +
    `${limits.copy_gb_s.toFixed(0)} GB/s (reads plus writes).`
  );
}

/** @param {readonly Result[]} results */
function table(results) {
  const header = [
    'benchmark',
    'Espalier',
    'PyTorch, default',
    'PyTorch, channels_last',
    'speedup over default',
    'speedup over channels_last',
    'peak memory, Espalier',
    'peak memory, PyTorch',
    'share of multiply-add rate',
    'share of copy rate',
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
    share(result.share_of_multiply_adds),
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
        ([what, peak]) => `; peak memory of ${what}: ${peak.toFixed(0)} MB`,
      );
      const losses = `losses agree to ${largest_loss_difference.toExponential(0)}`;
      return `- \`${name}\`: ${describeSettings(settings)}; ${losses}${peaks.join('')}`;
    })
    .join('\n');
}

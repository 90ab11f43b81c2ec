import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkLosses } from './check-losses.mjs';
import { loadBenchmark } from './load-benchmark.mjs';
import { Crash, Side } from './side-process.mjs';
import { median, middleHalf } from './statistics.mjs';

/** @typedef {import('./load-benchmark.mjs').Layout} Layout */

/** Steps from equal weights whose losses must agree. */
const checkedSteps = 3;

/**
 * Steps before those that are timed: the first ones are the page faults of new memory, which a training of thousands of
 * steps does not have.
 */
const warmUpSteps = 2;

const file = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Runs our side and PyTorch's in turn, round by round, each in a process of its own.
 * @param {string} name
 * @param {{ threads: number, rounds: number | undefined, layouts: readonly Layout[],
 *           python: import('./python.mjs').Python, limits: import('./limits.mjs').Limits }} conditions
 * @throws {import('../../packages/torch/scripts/setup-problem.mjs').SetupProblem} where PyTorch's losses agree with ours in
 * none of the layouts
 */
export async function compare(name, { threads, rounds: askedRounds, layouts: asked, python, limits }) {
  const benchmark = await loadBenchmark(name);
  const { settings, steps, unit, targets, perStep = () => 1 } = benchmark;
  const rounds = askedRounds ?? benchmark.rounds;
  const wanted = benchmark.layouts.filter(
    (layout) => benchmark.layouts.length === 1 || asked.includes(layout),
  );
  const folder = mkdtempSync(join(tmpdir(), 'espalier-bench-'));
  const request = {
    name,
    settings,
    threads,
    steps,
    firstSteps: warmUpSteps,
    startFile: join(folder, 'start'),
  };
  const checked = {
    ...request,
    settings: { ...settings, ...benchmark.checked },
    firstSteps: checkedSteps,
    startFile: join(folder, 'checked'),
  };
  const startOurs = (/** @type {object} */ request) =>
    new Side(process.execPath, [file('our-side.mjs'), JSON.stringify(request)], threads);
  const startTheirs = (/** @type {object} */ request, /** @type {Layout} */ layout) => {
    const program = file(`../pytorch/${benchmark.program ?? name}.py`);
    return new Side(python.command, [program, JSON.stringify({ ...request, layout })], threads);
  };
  /** @type {Map<string, Side>} */
  const sides = new Map();
  try {
    // Ours comes first: it writes the weights and the data that all start from.
    const losses = await firstLosses(startOurs(checked));
    /** @type {Map<Layout, (number | null)[][] | 'crashed'>} */
    const theirs = new Map();
    for (const layout of wanted)
      theirs.set(layout, await orCrashed(firstLosses(startTheirs(checked, layout))));
    const { agreeing, faults, largestDifference } = checkLosses(name, losses, theirs);
    sides.set('ours', startOurs(request));
    await sides.get('ours').reply();
    for (const layout of agreeing) {
      sides.set(layout, startTheirs(request, layout));
      await sides.get(layout).reply();
    }
    const seconds = new Map([...sides.keys()].map((side) => [side, /** @type {number[]} */ ([])]));
    const turns = [...sides];
    for (let round = 0; round < rounds; round++) {
      for (const [side, child] of turns)
        seconds.get(side).push((await child.ask('round')).seconds / perStep(settings));
      turns.push(turns.shift()); // the next round begins with another side
    }
    const peaks = new Map();
    for (const [side, child] of sides) peaks.set(side, (await child.ask('end')).peakMb);

    const ours_s = median(seconds.get('ours'));
    const against = (/** @type {Layout} */ layout) => {
      const times = seconds.get(layout);
      // Of each round, since the machine may be busier in one than in another.
      const ratios = times?.map((value, round) => value / seconds.get('ours')[round]);
      return {
        [`pytorch_${layout}_s`]: times ? median(times) : null,
        [`pytorch_${layout}_s_spread`]: times ? middleHalf(times) : null,
        [`pytorch_${layout}_peak_mb`]: peaks.get(layout) ?? null,
        [`ratio_${layout}`]: ratios ? median(ratios) : null,
        [`ratio_${layout}_spread`]: ratios ? middleHalf(ratios) : null,
      };
    };
    const work = await countWork({ ...request, startFile: join(folder, 'counted') });
    const flop = work && work.flop / perStep(settings);
    const bytes = work && work.bytes / perStep(settings);
    const share = (/** @type {number | null} */ amount, /** @type {number} */ limit) =>
      amount && amount / ours_s / 1e9 / limit;
    return {
      name,
      settings: { ...settings, threads, rounds, steps },
      pytorch: python.version,
      unit,
      ours_s,
      ours_s_spread: middleHalf(seconds.get('ours')),
      ours_peak_mb: peaks.get('ours'),
      pytorch_peak_mb: peaks.get('channels_last') ?? peaks.get('default'),
      ...against('default'),
      ...against('channels_last'),
      flop,
      unfused_bytes: bytes,
      share_of_matrix_product: share(flop, limits.matrix_product_gflops),
      share_of_copy: share(bytes, limits.copy_gb_s),
      comparison_peaks_mb: await peaksOf(benchmark, request),
      pytorch_faults: faults,
      largest_loss_difference: largestDifference,
      limits,
      targets,
    };
  } finally {
    for (const child of sides.values()) child.stop();
    rmSync(folder, { recursive: true });
  }
}

/**
 * Of a side that does nothing else.
 * @param {Side} side
 */
async function firstLosses(side) {
  try {
    return (await side.reply()).losses;
  } finally {
    side.stop();
  }
}

/**
 * Of a step, in a process of its own: what is counted runs without our kernels and would change our side's peak. Null where
 * libtorch's own do not live through it.
 * @param {{ threads: number }} request
 * @returns {Promise<{ flop: number, bytes: number } | null>}
 */
async function countWork(request) {
  const args = [file('count-work.mjs'), JSON.stringify(request)];
  const side = new Side(process.execPath, args, request.threads);
  try {
    const counted = await orCrashed(side.reply());
    return counted === 'crashed' ? null : counted;
  } finally {
    side.stop();
  }
}

/**
 * What a side replies, or that libtorch crashed under it.
 * @template T
 * @param {Promise<T>} reply
 * @returns {Promise<T | 'crashed'>}
 */
async function orCrashed(reply) {
  try {
    return await reply;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    console.error(error.message);
    return 'crashed';
  }
}

/**
 * Peaks in MB of our side with other settings.
 * @param {import('./load-benchmark.mjs').Benchmark} benchmark
 * @param {any} request
 */
async function peaksOf({ comparisons = {} }, request) {
  /** @type {Record<string, number>} */
  const peaks = {};
  for (const [what, changes] of Object.entries(comparisons)) {
    const changed = { ...request, settings: { ...request.settings, ...changes } };
    const side = new Side(process.execPath, [file('our-side.mjs'), JSON.stringify(changed)], request.threads);
    try {
      await side.reply();
      await side.ask('round');
      peaks[what] = (await side.ask('end')).peakMb;
    } finally {
      side.stop();
    }
  }
  return peaks;
}

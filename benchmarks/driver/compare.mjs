import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';
import { checkLosses } from './check-losses.mjs';
import { loadBenchmark } from './load-benchmark.mjs';
import { Crash, Side } from './side-process.mjs';
import { median, middleHalf } from './statistics.mjs';

/** @typedef {import('./load-benchmark.mjs').Layout} Layout */

/** The number of steps from equal weights whose losses must agree. */
const checkedSteps = 3;

/**
 * The number of untimed steps before the timed ones. The first steps are slowed by page faults in new memory, which do not
 * matter in a training of thousands of steps.
 */
const warmUpSteps = 2;

const file = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Runs Espalier's side and PyTorch's side in turn, round by round, each in its own process.
 * @param {string} name
 * @param {{ threads: number, device: string, rounds: number | undefined, layouts: readonly Layout[],
 *           python: import('./python.mjs').Python, limits: import('./limits.mjs').Limits }} conditions
 * @throws {import('../../packages/torch/scripts/setup-problem.mjs').SetupProblem} if PyTorch's losses agree with
 * Espalier's in none of the layouts
 */
export async function compare(name, conditions) {
  const { threads, device, rounds: askedRounds, layouts: asked, python, limits } = conditions;
  const benchmark = await loadBenchmark(name);
  const { steps, unit, perStep = () => 1 } = benchmark;
  if (device !== 'cpu' && !benchmark.onAnyDevice)
    throw new SetupProblem(`${name} is on the CPU only, not on ${device}.`, 2);
  const settings = device === 'cpu' ? benchmark.settings : { ...benchmark.settings, device };
  // The targets are those of our kernels for CPUs.
  const targets = device === 'cpu' ? benchmark.targets : {};
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
  // By default a GPU rounds what it multiplies to TensorFloat-32, which hides what is to be compared.
  const environmentOf = (/** @type {object} */ request) =>
    request === checked ? { NVIDIA_TF32_OVERRIDE: '0' } : {};
  const startOurs = (/** @type {object} */ request) =>
    new Side(
      process.execPath,
      [file('our-side.mjs'), JSON.stringify(request)],
      threads,
      environmentOf(request),
    );
  const startTheirs = (/** @type {object} */ request, /** @type {Layout} */ layout) => {
    const program = file(`../pytorch/${benchmark.program ?? name}.py`);
    const args = [program, JSON.stringify({ ...request, layout })];
    return new Side(python.command, args, threads, environmentOf(request));
  };
  /** @type {Map<string, Side>} */
  const sides = new Map();
  try {
    // Espalier's side runs first, because it writes the initial weights and the data for all sides.
    const losses = await firstLosses(startOurs(checked));
    /** @type {Map<Layout, (number | null)[][] | 'crashed'>} */
    const theirs = new Map();
    for (const layout of wanted)
      theirs.set(layout, await orCrashed(firstLosses(startTheirs(checked, layout))));
    const { agreeing, faults, largestDifference } = checkLosses(name, losses, theirs, device);
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
      turns.push(turns.shift()); // the next round starts with another side
    }
    const peaks = new Map();
    for (const [side, child] of sides) peaks.set(side, (await child.ask('end')).peakMb);

    const ours_s = median(seconds.get('ours'));
    const against = (/** @type {Layout} */ layout) => {
      const times = seconds.get(layout);
      // One ratio per round, because the load of the machine may change between rounds.
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
      share_of_multiply_adds: share(flop, limits.multiply_add_gflops),
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
 * The losses of the first steps of a side, which is stopped afterwards.
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
 * Counts the work of a step in a separate process, because the counted step runs without our kernels and would change the
 * peak memory of our side. Null if libtorch's own operators crash.
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
 * The reply of a side, or 'crashed' if libtorch crashed.
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
 * Peak memory in MB of our side with other settings.
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

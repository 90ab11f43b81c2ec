import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';
import { Side } from './side-process.mjs';
import { median, middleHalf } from './statistics.mjs';

/** Steps from equal weights whose losses must agree, and steps after them that nobody times. */
const checkedSteps = 3;
const warmUpSteps = 2;

/**
 * Runs our side and PyTorch's in turn, round by round, each in a process of its own.
 * @param {string} name
 * @param {{ threads: number, rounds: number | undefined, python: import('./python.mjs').Python,
 *           limits: import('./limits.mjs').Limits }} conditions
 * @throws {SetupProblem} where the losses of the two sides do not agree
 */
export async function compare(name, { threads, rounds: asked, python, limits }) {
  const { default: benchmark } = await import(`../${name}.mjs`);
  const rounds = asked ?? benchmark.rounds;
  const { layouts, steps, settings } = benchmark;
  const folder = mkdtempSync(join(tmpdir(), 'espalier-bench-'));
  const request = {
    name,
    settings,
    threads,
    steps,
    checkedSteps,
    warmUpSteps,
    startFile: join(folder, 'start'),
  };
  const file = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
  /** @type {Map<string, Side>} */
  const sides = new Map();
  try {
    // Ours comes first: it writes the weights and the data that all start from.
    sides.set('ours', new Side(process.execPath, [file('our-side.mjs'), JSON.stringify(request)], threads));
    const ours = await sides.get('ours').reply();
    for (const layout of layouts) {
      const args = [file(`../pytorch/${name}.py`), JSON.stringify({ ...request, layout })];
      sides.set(layout, new Side(python.command, args, threads));
      checkLosses(name, layout, ours.losses, (await sides.get(layout).reply()).losses);
    }
    const seconds = new Map([...sides.keys()].map((side) => [side, /** @type {number[]} */ ([])]));
    const turns = [...sides];
    for (let round = 0; round < rounds; round++) {
      for (const [side, child] of turns)
        seconds.get(side).push((await child.ask('round')).seconds / benchmark.perStep(settings));
      turns.push(turns.shift()); // the next round begins with another side
    }
    const peaks = new Map();
    for (const [side, child] of sides) peaks.set(side, (await child.ask('end')).peakMb);

    const times = (/** @type {string} */ side) => seconds.get(side);
    const time = (/** @type {string} */ side) => (layouts.includes(side) ? median(times(side)) : null);
    // Of each round, since the machine may be busier in one than in another.
    const ratios = (/** @type {string} */ side) =>
      times(side).map((value, round) => value / times('ours')[round]);
    const ratio = (/** @type {string} */ side) => (layouts.includes(side) ? median(ratios(side)) : null);
    const spread = (/** @type {string} */ side) => (layouts.includes(side) ? middleHalf(ratios(side)) : null);
    const oursSeconds = median(times('ours'));
    return {
      name,
      settings: { ...settings, threads, rounds, steps, pytorch: python.version },
      unit: benchmark.unit,
      ours_s: oursSeconds,
      pytorch_default_s: time('default'),
      pytorch_channels_last_s: time('channels_last'),
      ratio_default: ratio('default'),
      ratio_default_spread: spread('default'),
      ratio_channels_last: ratio('channels_last'),
      ratio_channels_last_spread: spread('channels_last'),
      ours_peak_mb: peaks.get('ours'),
      pytorch_peak_mb: peaks.get('channels_last') ?? peaks.get('default'),
      pytorch_default_peak_mb: peaks.get('default'),
      ours_gflops: ours.flop === undefined ? null : ours.flop / oursSeconds / 1e9,
      limits,
      targets: benchmark.targets,
    };
  } finally {
    for (const child of sides.values()) child.stop();
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param {string} name
 * @param {string} layout
 * @param {number[]} ours
 * @param {number[]} theirs
 */
function checkLosses(name, layout, ours, theirs) {
  // Sums in another order differ in the last bits of float32, and each step passes the difference on.
  const agree = ours.every(
    (loss, step) => Math.abs(loss - theirs[step]) <= 1e-4 * 10 ** step * Math.abs(theirs[step]),
  );
  if (!agree)
    throw new SetupProblem(
      `${name}: from equal weights the losses are ${ours.join(', ')} here and ${theirs.join(', ')} in PyTorch (${layout}).`,
    );
}

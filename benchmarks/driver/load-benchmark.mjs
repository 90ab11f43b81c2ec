/**
 * A benchmark: the default export of the module NAME.mjs.
 *
 * @typedef {object} Benchmark
 * @property {Record<string, any>} settings the settings for both sides
 * @property {Record<string, any>} checked the settings that differ when the losses of both sides are compared: no dropout,
 *   because each side draws its own masks, and a small learning rate, because large steps amplify rounding differences
 * @property {boolean} [onAnyDevice] whether both sides compute on `settings.device`; otherwise on the CPU only
 * @property {string} [program] the name of PyTorch's program; by default that of the benchmark
 * @property {'step' | 'call' | 'image'} unit the unit of work that times refer to
 * @property {(settings: any) => number} [perStep] the number of units per step; 1 by default
 * @property {number} rounds the number of turns of each side
 * @property {number} steps the number of steps per turn; several if they are short, because the first step of a turn finds
 *   the caches filled by the other side
 * @property {readonly Layout[]} layouts the layouts in which PyTorch runs
 * @property {Partial<Record<Layout, number>>} targets the required speedups over PyTorch
 * @property {Record<string, Record<string, any>>} [comparisons] other settings whose peak memory on our side is reported, by
 *   description
 * @property {(settings: any, startFile: string) => Step} prepare builds our side, and writes weights and data to the start file
 */

/** @typedef {'default' | 'channels_last'} Layout */

/**
 * Performs a step and returns its loss or losses.
 * @typedef {() => number | readonly number[]} Step
 */

/**
 * @param {string} name
 * @returns {Promise<Benchmark>}
 */
export async function loadBenchmark(name) {
  return (await import(`../${name}.mjs`)).default;
}

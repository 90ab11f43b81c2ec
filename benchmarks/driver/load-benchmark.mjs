/**
 * A benchmark: the module NAME.mjs, whose default export it is.
 *
 * @typedef {object} Benchmark
 * @property {Record<string, any>} settings what both sides are told
 * @property {Record<string, any>} checked what is set otherwise where the losses of both sides are compared: no dropout, whose
 *   masks each side draws for itself, and small steps, since large ones enlarge what rounding makes different
 * @property {string} [program] the file of PyTorch's side, its own name by default
 * @property {'step' | 'call' | 'image'} unit what a time is of
 * @property {(settings: any) => number} [perStep] units in a step, one by default
 * @property {number} rounds each side's turns
 * @property {number} steps of a turn: several where they are short, since the first one finds the caches full of the other sides'
 * @property {readonly Layout[]} layouts in which PyTorch runs
 * @property {Partial<Record<Layout, number>>} targets how many times as fast as PyTorch ours is to be
 * @property {Record<string, Record<string, any>>} [comparisons] other settings of ours, by what their peak is of
 * @property {(settings: any, startFile: string) => Step} prepare builds our side and writes what both start from
 */

/** @typedef {'default' | 'channels_last'} Layout */

/**
 * Makes a step and returns its loss, or losses.
 * @typedef {() => number | readonly number[]} Step
 */

/**
 * @param {string} name
 * @returns {Promise<Benchmark>}
 */
export async function loadBenchmark(name) {
  return (await import(`../${name}.mjs`)).default;
}

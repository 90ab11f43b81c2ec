import { readdirSync } from 'node:fs';

/** Programs beside the benchmarks that are none. */
const programs = ['run.mjs', 'kernels.mjs', 'overhead.mjs', 'scale.mjs'];

/** The names of all benchmarks, sorted. */
export const benchmarkNames = readdirSync(new URL('..', import.meta.url))
  .filter((file) => file.endsWith('.mjs') && !programs.includes(file))
  .map((file) => file.slice(0, -'.mjs'.length))
  .sort();

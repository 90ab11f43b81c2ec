// Runs the cases FIRST to END - 1 of a seed; started by fuzz.mjs. Writes a line of JSON before each case and for each fault, so that
// whoever reads them knows the case that ends this process. With `describe`, prints a case and does not run it.
//
//     node run-cases.mjs SEED FIRST END [NAMES] [describe]
import { writeSync } from 'node:fs';
import fc from 'fast-check';
import { scope } from '../../dist/index.js';
import { endlessDoors, wrongSubjects } from './deliberate-faults.mjs';
import { doors } from './doors.mjs';
import { oneOf } from './draws.mjs';
import { drawCase, runCase } from './run-case.mjs';
import { subjects } from './subjects/index.mjs';

const [seed, first, end, names, describe] = process.argv.slice(2);
const chosen = names ? names.split(',') : [...Object.keys(subjects), ...Object.keys(doors)];
const kernels = { ...subjects, ...wrongSubjects };
const entries = { ...doors, ...endlessDoors };

const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`);

const samples = fc.sample(fc.gen(), { seed: Number(seed), numRuns: Number(end) });
for (const [index, g] of samples.entries()) {
  if (index < Number(first)) continue;
  const name = oneOf(g, ...chosen);
  say({ begin: index, name });
  const kernel = kernels[name];
  const drawn = kernel === undefined ? entries[name].draw(g) : drawCase(g, kernel);
  if (describe) say({ describe: drawn });
  else {
    const problem = kernel === undefined ? scope(() => entries[name].run(drawn)) : runCase(kernel, drawn);
    if (problem !== undefined) say({ fault: index, name, problem });
  }
}

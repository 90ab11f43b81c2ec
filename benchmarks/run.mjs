/**
 * Runs benchmarks against PyTorch in Python. Both sides take turns in one run, with the same number of threads and the same
 * initial weights. A benchmark consists of a file NAME.mjs here and a plain PyTorch program for the same work,
 * pytorch/NAME.py.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runScript, SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';
import { benchmarkNames } from './driver/benchmark-names.mjs';
import { compare } from './driver/compare.mjs';
import { measureLimits } from './driver/limits.mjs';
import { findPython } from './driver/python.mjs';
import { describeResult } from './driver/report.mjs';

const folder = dirname(fileURLToPath(import.meta.url));
const page = join(dirname(folder), 'BENCHMARKS.md');
const layoutNames = ['default', 'channels_last'];
const usage =
  'Usage: npm run bench [-- [--only NAME,...] [--json] [--write] [--threads T] [--rounds N] [--layout LAYOUT,...] [--device DEVICE] [--python COMMAND]]';

await runScript(async () => {
  const { only, json, write, threads, device, rounds, layouts, python: command } = readArguments();
  checkNames('benchmark', only, benchmarkNames);
  const python = findPython(command);
  const limits = measureLimits(threads, device);
  console.error(
    `${threads} threads${device === 'cpu' ? '' : `, ${device}`}: multiply-adds ${limits.multiply_add_gflops.toFixed(0)} GFLOP/s, copy ${limits.copy_gb_s.toFixed(0)} GB/s (reads plus writes); comparing with PyTorch ${python.version}`,
  );
  const results = [];
  /** @type {string[]} */
  const failed = [];
  for (const name of only ?? benchmarkNames) {
    try {
      const result = await compare(name, { threads, device, rounds, layouts, python, limits });
      console.error(describeResult(result));
      results.push(result);
    } catch (error) {
      // The others may take half an hour: they are measured all the same.
      console.error(`\n${name} failed: ${error instanceof Error ? error.message : error}`);
      failed.push(name);
    }
  }
  if (failed.length > 0) process.exitCode = 1;
  if (failed.length > 0 && write)
    throw new SetupProblem(`${page} stays as it is, because these failed: ${failed.join(', ')}`);
  if (write) {
    // Imported only now, because the memory of this process counts towards the peaks of the processes that it starts.
    const { writePage } = await import('./driver/write-page.mjs');
    writePage(page, results, python.version, threads);
  }
  if (json) console.log(JSON.stringify(results, null, 2));
});

function readArguments() {
  let values;
  try {
    values = parseArgs({
      options: {
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        threads: { type: 'string', default: '2' },
        rounds: { type: 'string' },
        layout: { type: 'string', default: layoutNames.join() },
        device: { type: 'string', default: 'cpu' },
        python: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new SetupProblem(`${error.message}\n${usage}`, 2);
  }
  const isPart = values.only !== undefined || values.layout !== layoutNames.join() || values.device !== 'cpu';
  if (values.write && isPart)
    throw new SetupProblem(
      `--write requires all benchmarks in all layouts on the CPU in one run.\n${usage}`,
      2,
    );
  const layouts = values.layout.split(',');
  checkNames('layout', layouts, layoutNames);
  return {
    ...values,
    only: values.only?.split(','),
    layouts,
    threads: count('--threads', values.threads),
    rounds: values.rounds === undefined ? undefined : count('--rounds', values.rounds),
  };
}

/**
 * @param {string} what
 * @param {readonly string[] | undefined} asked
 * @param {readonly string[]} known
 */
function checkNames(what, asked, known) {
  const unknown = asked?.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new SetupProblem(`There is no ${what} '${unknown}'; allowed: ${known.join(', ')}.\n${usage}`, 2);
}

/**
 * @param {string} option
 * @param {string} text
 */
function count(option, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new SetupProblem(`${option} must be a positive integer, not '${text}'.\n${usage}`, 2);
  return number;
}

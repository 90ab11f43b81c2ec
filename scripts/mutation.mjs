/**
 * Do the tests notice faults? Puts one small fault at a time (a mutant) into the sources of packages/espalier, runs the
 * nearest tests in one process, and counts the mutants that none of them notices. By hand: a mutant takes seconds.
 *
 *     npm run test:mutation -- [--folder NAME]... [--sample N] [--seed N] [--fresh]
 *
 * What a mutant came to is added to .mutation/results.jsonl at once, so a run that is stopped goes on where it was. What a
 * test has noticed holds until the source or that test changes; what none has noticed, until the source or one of the nearest
 * tests changes. Mutants that change nothing stand in scripts/mutation/equivalent.json with the reason; they do not count.
 * Exit code 1 where fewer than 85% of a folder are noticed.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runScript, SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';
import { mutantsOf, parses } from './mutation/mutants.mjs';
import { nearestTests } from './mutation/nearest-tests.mjs';
import { digestOf, sampleOf, wilsonInterval } from './mutation/sample.mjs';
import { tryMutant } from './mutation/try-mutant.mjs';

const FOLDERS = ['weight-sharing', 'strategies', 'controller', 'tasks', 'training', 'runs', 'statistics'];

/** What runs in processes of the built program alone, which see no mutant: `test/runs/child-pool.test.ts` starts them. */
const ELSEWHERE = ['runs/child-worker.ts'];

/** What is to be noticed of each folder. */
const GOAL = 0.85;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folders = { src: join(root, 'packages/espalier/src'), test: join(root, 'packages/espalier/test') };
const kept = join(root, '.mutation/results.jsonl');

/** How many seconds test files take. @type {Map<string, number>} */
const usual = new Map();

/** Test files that pass without a fault. @type {Set<string>} */
const healthy = new Set();

/**
 * A mutant of a file.
 * @typedef {import('./mutation/mutants.mjs').Mutant & { file: string, name: string }} Placed
 */

/**
 * A line of the results.
 * @typedef {object} Result
 * @property {string} name
 * @property {string} source digest of the source file
 * @property {string} tests digest of the test that noticed it; of all nearest tests where none has
 * @property {import('./mutation/try-mutant.mjs').Trial['outcome']} outcome
 * @property {string} [by] the test file, from the root
 * @property {string} [why]
 */

// Whatever the tests started ends too: see `tryMutant`.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.once(signal, () => process.exit(130));

await runScript(async () => {
  const { values: flags } = parseArgs({
    options: {
      folder: { type: 'string', multiple: true, default: FOLDERS },
      sample: { type: 'string' },
      seed: { type: 'string', default: '1' },
      fresh: { type: 'boolean', default: false },
    },
  });
  const size = flags.sample === undefined ? Number.POSITIVE_INFINITY : countFrom('--sample', flags.sample, 1);
  const seed = countFrom('--seed', flags.seed, 0);
  for (const folder of flags.folder)
    if (!existsSync(join(folders.src, folder)))
      throw new SetupProblem(`--folder ${folder}: packages/espalier/src has no such folder`, 2);
  if (flags.fresh) rmSync(kept, { force: true });
  mkdirSync(dirname(kept), { recursive: true });

  const equivalent = equivalentMutants();
  const reports = [];
  for (const folder of flags.folder) {
    const all = mutantsBelow(folder);
    const drawn = sampleOf(all, size, seed, ({ name }) => name);
    const counted = drawn.filter(({ name }) => !equivalent.has(name));
    const results = await resultsOf(counted);
    reports.push({ folder, of: all.length, equivalent: drawn.length - counted.length, counted, results });
  }
  console.log();
  for (const report of reports) if (print(report) < GOAL) process.exitCode = 1;
});

/** @param {string} flag @param {string} text @param {number} least */
function countFrom(flag, text, least) {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < least)
    throw new SetupProblem(`${flag} ${text}: allowed are integers from ${least}`, 2);
  return count;
}

/** All mutants of a folder of the sources. @param {string} folder @returns {Placed[]} */
function mutantsBelow(folder) {
  const files = readdirSync(join(folders.src, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => file.endsWith('.ts') && !ELSEWHERE.includes(file))
    .sort();
  return files.flatMap((file) => mutantsIn(join(folders.src, file)));
}

/** @param {string} file @returns {Placed[]} */
function mutantsIn(file) {
  const text = readFileSync(file, 'utf8');
  /** @type {Map<string, number>} */
  const seen = new Map();
  return mutantsOf(text)
    .filter((mutant) => parses(text, mutant))
    .map((mutant) => {
      const name = nameOf({ file: relative(folders.src, file), ...mutant });
      const before = seen.get(name) ?? 0;
      seen.set(name, before + 1);
      // The same line may stand in a file twice.
      return { ...mutant, file, name: before === 0 ? name : `${name} (${before + 1})` };
    });
}

/** @param {{ readonly file: string, readonly before: string, readonly after: string }} mutant */
function nameOf({ file, before, after }) {
  return `${file}: ${before} => ${after}`;
}

/** The names of the mutants that change nothing. */
function equivalentMutants() {
  /** @type {{ file: string, before: string, after: string, reason: string }[]} */
  const listed = JSON.parse(readFileSync(new URL('mutation/equivalent.json', import.meta.url), 'utf8'));
  for (const mutant of listed) {
    const file = join(folders.src, mutant.file);
    if (!existsSync(file) || !mutantsIn(file).some(({ name }) => name === nameOf(mutant)))
      throw new SetupProblem(
        `scripts/mutation/equivalent.json has a mutant that the sources do not have any more: ${nameOf(mutant)}`,
      );
  }
  return new Set(listed.map(nameOf));
}

/**
 * What each of the mutants comes to, as far as known from before.
 * @param {readonly Placed[]} mutants @returns {Promise<Map<string, Result>>}
 */
async function resultsOf(mutants) {
  const earlier = existsSync(kept)
    ? readFileSync(kept, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => /** @type {Result} */ (JSON.parse(line)))
    : [];
  const known = new Map(earlier.map((result) => [result.name, result]));
  /** @type {Map<string, Result>} */
  const results = new Map();
  for (const { name, file } of mutants) {
    const result = known.get(name);
    if (result !== undefined && holds(result, file)) results.set(name, result);
  }
  const open = mutants.filter(({ name }) => !results.has(name));
  if (open.length === 0) return results;

  for (const [place, mutant] of open.entries()) {
    const { file, name, line, before, after } = mutant;
    const nearest = nearestTests(file, folders);
    const { seconds, ...trial } =
      nearest.length === 0
        ? { outcome: /** @type {const} */ ('passed') }
        : await tryMutant({ tests: quickestFirst(nearest), mutant }, root, usual);
    for (const [test, duration] of seconds ?? []) if (test !== trial.by) usual.set(test, duration);
    if (trial.outcome !== 'passed') await requireHealthy(trial.by === undefined ? nearest : [trial.by]);
    const noticedBy = trial.by === undefined ? nearest : [trial.by];
    /** @type {Result} */
    const result = { name, source: digestOfFiles([file]), tests: digestOfFiles(noticedBy), ...trial };
    if (trial.by !== undefined) result.by = relative(root, trial.by);
    appendFileSync(kept, `${JSON.stringify(result)}\n`);
    results.set(name, result);
    const at = `${relative(root, file)}:${line}`;
    console.log(`${place + 1} of ${open.length}  ${trial.outcome}  ${at}  ${before}  =>  ${after}`);
  }
  return results;
}

/** Most mutants are noticed by many tests. @param {readonly string[]} tests */
function quickestFirst(tests) {
  return tests.toSorted((a, b) => (usual.get(a) ?? 0) - (usual.get(b) ?? 0));
}

/** What fails without a fault notices none. @param {readonly string[]} tests */
async function requireHealthy(tests) {
  const open = tests.filter((test) => !healthy.has(test));
  if (open.length === 0) return;
  const { outcome, by, why, seconds } = await tryMutant({ tests: open, mutant: undefined }, root, new Map());
  if (outcome !== 'passed') throw new SetupProblem(`Without a fault ${by} has ${outcome}: ${why}`);
  for (const test of open) healthy.add(test);
  for (const [test, duration] of seconds) usual.set(test, duration);
}

/** Whether a result of an earlier run is still true. @param {Result} result @param {string} file */
function holds({ source, tests, by }, file) {
  if (source !== digestOfFiles([file])) return false;
  if (by !== undefined) return existsSync(join(root, by)) && tests === digestOfFiles([join(root, by)]);
  return tests === digestOfFiles(nearestTests(file, folders));
}

/** @param {readonly string[]} files */
function digestOfFiles(files) {
  return digestOf(files.map((file) => digestOf(readFileSync(file, 'utf8'))).join());
}

/**
 * Prints what a folder came to, and what no test has noticed.
 * @returns the share that was noticed
 * @param {{ folder: string, of: number, equivalent: number, counted: readonly Placed[], results: Map<string, Result> }} report
 */
function print({ folder, of, equivalent, counted, results }) {
  const outcomes = counted.map(({ name }) => results.get(name)?.outcome);
  const killed = outcomes.filter((outcome) => outcome !== 'passed').length;
  const inTime = outcomes.filter((outcome) => outcome === 'timed out').length;
  const [low, high] = wilsonInterval(killed, counted.length).map(percent);
  console.log(
    `${folder}: ${counted.length + equivalent} of ${of} mutants, ${equivalent} of them equivalent; ` +
      `${killed} of ${counted.length} killed${inTime === 0 ? '' : ` (${inTime} by time)`}: ` +
      `${percent(killed / counted.length)}, 95% interval ${low} to ${high}`,
  );
  for (const { name, file, line, before, after } of counted)
    if (results.get(name)?.outcome === 'passed')
      console.log(`  ${relative(root, file)}:${line}\n    ${before}\n    ${after}`);
  return killed / counted.length;
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(0)}%`;
}

/**
 * Calls the kernels, and what else takes arguments of a program, with random arguments: empty tensors, views that are not contiguous,
 * wrong shapes, types and numbers. Compares the kernels with libtorch's operators on contiguous tensors. Cases run in child processes,
 * so that a case that ends the process, or hangs, is named like any other fault.
 *
 *     node fuzz.mjs [--seed N] [--cases N] [--batch N] [--names matmul,pool] [--patience SECONDS]
 *
 * Prints one line for each fault; exit code 1 if there are any.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const program = fileURLToPath(new URL('run-cases.mjs', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '1000' },
    batch: { type: 'string', default: '4000' },
    names: { type: 'string', default: '' },
    patience: { type: 'string', default: '60' },
  },
});
const cases = Number(flags.cases);

let faults = 0;
function report(index, name, problem) {
  faults++;
  const args = [program, flags.seed, index, index + 1, flags.names, 'describe'].map(String);
  const described = spawnSync(process.execPath, args, { encoding: 'utf8' })
    .stdout.trimEnd()
    .split('\n')
    .at(-1);
  console.log(`${name}, case ${index} of seed ${flags.seed}: ${problem}: ${described}`);
}

/** Runs cases from `first` on, up to the end of a batch or the case that ends the process; returns the next case. */
async function runBatch(first) {
  const end = Math.min(cases, first + Number(flags.batch));
  const child = spawn(process.execPath, [program, flags.seed, String(first), String(end), flags.names], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let last;
  let isHanging = false;
  const giveUp = () => {
    isHanging = true;
    child.kill('SIGKILL');
  };
  let timer;
  let errors = '';
  child.stderr.on('data', (data) => {
    errors = (errors + data).slice(-20_000);
  });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  for await (const line of createInterface(child.stdout)) {
    const said = JSON.parse(line);
    if (said.begin !== undefined) {
      last = said;
      clearTimeout(timer);
      timer = setTimeout(giveUp, Number(flags.patience) * 1000);
    } else report(said.fault, said.name, said.problem);
  }
  const { code, signal } = await ended;
  clearTimeout(timer);
  if (code === 0) return end;
  if (last === undefined) throw new Error(`No case has begun (${signal ?? `exit code ${code}`}): ${errors}`);
  const how = isHanging
    ? `runs for ${flags.patience} s`
    : `ends the process (${signal ?? `exit code ${code}`})`;
  report(last.begin, last.name, [how, errors.trim()].filter(Boolean).join('\n'));
  return last.begin + 1;
}

for (let next = 0; next < cases; ) next = await runBatch(next);
console.error(`${cases} cases of seed ${flags.seed}: ${faults} faults`);
process.exitCode = faults > 0 ? 1 : 0;

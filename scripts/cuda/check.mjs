/**
 * Proves Espalier on a GPU: compiles the addon with the PyTorch of python3, then runs the tests of the torch package, a training on
 * the CPU and on the GPU whose losses are compared, one with dropped paths that is killed and resumed, one in bfloat16, a search
 * by children, DARTS, and the benchmarks beside PyTorch. Prints a line for each, and writes report.json beside check.sh. The exit
 * code is 1 where one fails.
 *
 *     bash check.sh [--device cuda] [--python python3] [--rounds N] [--only TEXT]
 *
 * With --device cpu: the same without a GPU, to try the script itself. --rounds is how often each side of a benchmark has its turn,
 * --only runs the checks whose names have the text, besides the first.
 *
 * Nobody has run it on a GPU yet.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { device, python, rounds, only } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
  },
}).values;
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const work = join(root, 'checked');
const results = [];
const benchmarks = [];

/**
 * @param {string} name
 * @param {() => string | undefined | Promise<string>} body returns what to say of a success
 */
async function check(name, body) {
  if (results.length > 0 && !name.includes(only)) return true;
  const begun = performance.now();
  let failure;
  let said;
  try {
    said = await body();
  } catch (error) {
    failure = error.message;
  }
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(1));
  results.push({
    name,
    passed: failure === undefined,
    seconds,
    ...(said === undefined ? {} : { said }),
    failure,
  });
  console.log(
    `${failure === undefined ? 'passed' : 'FAILED'}  ${name} (${seconds} s)${said === undefined ? '' : `: ${said}`}`,
  );
  if (failure !== undefined) console.log(failure);
  return failure === undefined;
}

/** Runs a program of this Node. @returns its stdout */
function node(...args) {
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}:${join(root, 'tools')}`,
  };
  const done = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0)
    throw new Error(
      `${args.join(' ')} ended with ${done.status ?? done.signal}:\n${(done.stdout + done.stderr).slice(-4000)}`,
    );
  return done.stdout;
}

const program = 'packages/espalier/bin/espalier.js';
const espalier = (...args) => node(program, ...args);

/** Images in CIFAR-10's format whose brightness says their class. */
function writeImages(folder) {
  mkdirSync(folder, { recursive: true });
  const record = 1 + 3 * 32 * 32;
  let state = 1;
  for (const [file, count] of [
    ['data_batch_1.bin', 2000],
    ['test_batch.bin', 500],
  ]) {
    const bytes = new Uint8Array(count * record);
    for (let image = 0; image < count; image++) {
      bytes[image * record] = image % 10;
      for (let byte = 1; byte < record; byte++) {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        bytes[image * record + byte] = (image % 10) * 20 + ((state >> 16) % 40);
      }
    }
    writeFileSync(join(folder, file), bytes);
  }
}

const eventsOf = (run) =>
  readFileSync(join(work, run, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const epochsOf = (run) =>
  existsSync(join(work, run, 'journal.jsonl'))
    ? readFileSync(join(work, run, 'journal.jsonl'), 'utf8').split('"event":"epoch"').length - 1
    : 0;
const lossesOf = (run) => eventsOf(run).flatMap(({ event, loss }) => (event === 'epoch' ? [loss] : []));

/** What one benchmark took on both sides. It fails where the losses are not the same. */
function besidePyTorch(name) {
  const options = ['--only', name, '--device', device, '--python', python, '--json'];
  const [result] = JSON.parse(
    node('benchmarks/run.mjs', ...options, ...(rounds === undefined ? [] : ['--rounds', rounds])),
  );
  benchmarks.push(result);
  const of = (layout) =>
    result[`ratio_${layout}`] === null
      ? `${layout}: ${result.pytorch_faults[layout] ?? 'not measured'}`
      : `${result[`ratio_${layout}`].toFixed(2)} times as fast as PyTorch ${result.pytorch} in ${layout}`;
  return `${(result.ours_s * 1000).toPrecision(3)} ms a step, ${of('default')}, ${of('channels_last')}`;
}

rmSync(work, { recursive: true, force: true });
mkdirSync(work);
writeImages(join(work, 'images'));
const data = `cifar10:${join(work, 'images')}`;
const small = ['--data', data, '--channels', '16', '--layers', '5', '--limit', '1000', '--batch-size', '50'];
/** A training of DARTS-V2, by options of its own. */
const trainArguments = (run, on, epochs, ...more) => [
  ...['train', 'darts-v2', ...small, '--epochs', String(epochs), '--out', join(work, run)],
  ...['--set', `device=${on}`, '--set', 'learningRate=0.005', ...more],
];
const train = (...how) => espalier(...trainArguments(...how));

const built = await check('the addon compiles', () => {
  node('packages/torch/scripts/build.mjs');
  return JSON.parse(node('packages/torch/scripts/find-libtorch.mjs')).version;
});
if (built) {
  await check(`the device ${device} computes, draws again what it drew, and has bfloat16`, () =>
    node('scripts/cuda/compute.mjs', device).trim(),
  );
  await check('the tests of the torch package', () => {
    node('node_modules/vitest/vitest.mjs', 'run', 'packages/torch/test');
  });
  await check('a training has the losses of the CPU', () => {
    for (const [run, on] of [
      ['cpu', 'cpu'],
      ['gpu', device],
    ])
      train(run, on, 2, '--set', 'dropPath=0');
    const [cpu, gpu] = [lossesOf('cpu'), lossesOf('gpu')];
    const apart = Math.max(...cpu.map((loss, epoch) => Math.abs(loss - gpu[epoch])));
    if (!(apart < 0.02)) throw new Error(`losses ${cpu} on the CPU, ${gpu} on ${device}`);
    return `${apart.toExponential(1)} apart`;
  });
  await check('a training that was killed goes on to the same losses, with dropped paths', async () => {
    const dropping = ['--set', 'dropPath=0.3'];
    train('whole', device, 3, ...dropping);
    const killed = spawn(process.execPath, [program, ...trainArguments('killed', device, 3, ...dropping)], {
      cwd: root,
      stdio: 'ignore',
    });
    const ended = once(killed, 'exit');
    while (killed.exitCode === null && epochsOf('killed') < 1) await sleep(50);
    killed.kill('SIGKILL');
    await ended;
    espalier('resume', join(work, 'killed'));
    const [whole, resumed] = [lossesOf('whole'), lossesOf('killed')];
    const apart = Math.max(...whole.map((loss, epoch) => Math.abs(loss - resumed[epoch])));
    // The masks are the same; sums on a GPU may be added in another order.
    if (!(apart < 0.01)) throw new Error(`losses ${whole}, and ${resumed} with the interruption`);
    return `${apart.toExponential(1)} apart`;
  });
  await check('a training in bfloat16', () => {
    if (device === 'cpu') return 'not on the CPU, whose kernels take float32';
    train('bfloat16', device, 2, '--set', 'dropPath=0', '--set', 'precision=bfloat16');
    const [same, lower] = [lossesOf('gpu'), lossesOf('bfloat16')];
    const apart = Math.abs(same[1] - lower[1]);
    // Equal losses would mean that it stayed float32.
    if (!(apart > 0 && apart < 0.2)) throw new Error(`losses ${same} in float32, ${lower} in bfloat16`);
    return `${apart.toExponential(1)} from float32`;
  });
  await check('a search by children', () => {
    espalier(
      ...[
        'search',
        '--space',
        'nasbench201',
        '--strategy',
        'random',
        '--data',
        data,
        '--trials',
        '4',
        '--epochs',
        '1',
      ],
      ...[
        '--preset',
        'small',
        '--limit',
        '1000',
        '--workers',
        '2',
        '--device',
        device,
        '--out',
        join(work, 'search'),
      ],
    );
    const ended = eventsOf('search').filter(({ event, status }) => event === 'result' && status === 'ok');
    if (ended.length !== 4) throw new Error(`${ended.length} of 4 children were trained`);
    return `${ended.length} children`;
  });
  await check('DARTS', () => {
    espalier(
      ...[
        'search',
        '--space',
        'darts-cnn',
        '--strategy',
        'darts',
        '--data',
        data,
        '--channels',
        '8',
        '--layers',
        '5',
      ],
      ...[
        '--limit',
        '1000',
        '--batch-size',
        '50',
        '--epochs',
        '1',
        '--device',
        device,
        '--out',
        join(work, 'darts'),
      ],
    );
    return `loss ${lossesOf('darts')[0].toFixed(3)}`;
  });
  for (const name of ['resnet-step', 'nasbench201-step', 'darts-step', 'train-darts-v2'])
    await check(`${name} beside PyTorch`, () => besidePyTorch(name));
}
const report = join(dirname(root), 'report.json');
writeFileSync(report, `${JSON.stringify({ device, node: process.version, results, benchmarks }, null, 2)}\n`);
console.log(`written: ${report}`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

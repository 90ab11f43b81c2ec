import { setThreads } from '@espalier/torch';
import type { Command } from 'commander';
import { type CheckedNetwork, checkNetworks } from '../experiments/check-networks.js';
import type { Json } from '../json.js';
import { count, duration } from '../reports/figures.js';
import { checkSpace } from '../space/check.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { openTerminal } from '../terminal/terminal.js';
import { openTask } from '../training/opened-training.js';
import { addInputFlags, type InputFlags, inputFor } from './input-flags.js';
import { collectSetting, shareOut, wholeNumber, withFlags } from './options.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { addTaskFlag, dataForms, taskFor, taskSettingsOf } from './task-flags.js';

interface CheckFlags extends SpaceFlags, InputFlags {
  readonly task?: string;
  readonly data?: string;
  readonly samples: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

const SAMPLES = 100;
const BATCH_SIZE = 16;

export function addCheck(program: Command): void {
  addTaskFlag(addInputFlags(addSpaceFlags(program.command('check'))))
    .description(
      'check a space before a search does: its questions, and whether its networks can be built, run and trained',
    )
    .argument('<space>', 'the path of a TypeScript or JavaScript file, or the name of a space')
    .option('--data <kind:path>', `build networks for this data: ${dataForms} (default: the usual input)`)
    .option('--samples <n>', 'architectures to build', wholeNumber(1), SAMPLES)
    .option('--batch-size <n>', 'inputs of a step', wholeNumber(2), BATCH_SIZE)
    .option('--seed <n>', 'seed of the architectures', wholeNumber(0), 1)
    .option(
      '--set <key=value>',
      'an option of the space, or a size of the input as input.KEY=VALUE; repeatable',
      collectSetting,
      {},
    )
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(check);
}

async function check(name: string, flags: CheckFlags): Promise<void> {
  const terminal = openTerminal(flags.json);
  const { samples, batchSize, seed, data } = flags;
  const { definition } = await findSpace(name, process.cwd());
  const task = await taskFor({ space: Space.configure(definition, {}) }, flags.task, flags.data);
  const { networks } = task.definition;
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'input', owner: 'the input', schema: networks.inputOptions },
  ]);
  const space = Space.configure(definition, withFlags(shares.space, spaceOptionsOf(flags, definition)));
  checkSpace(space, { seed });
  const size = space.size();
  const opened = data === undefined ? undefined : await openTask(taskSettingsOf(task, { data, seed }));
  const own = opened === undefined ? { space } : { space, input: opened.data.input as Record<string, Json> };
  const input = inputFor(own, networks, flags, shares.input);
  setThreads(1);
  const checked: CheckedNetwork[] = [];
  const begun = performance.now();
  const options = { samples, seed, batchSize };
  for (const network of checkNetworks(space, networks, input, options)) {
    checked.push(network);
    const rate = (performance.now() - begun) / 1000 / network.number;
    terminal.live(
      `network ${network.number} of ${samples}, ${duration(rate * (samples - network.number))} left`,
    );
  }
  terminal.settle();
  const params = rangeOf(checked.map((one) => one.params));
  const macs = rangeOf(checked.map((one) => one.macs));
  const step = rangeOf(checked.map((one) => one.stepSeconds));
  const inputs = opened?.data.task(task.definition.training.options.parse({}) as never).count('train');
  const epoch = inputs === undefined ? undefined : scaled(step, inputs / batchSize);
  terminal.json({
    space: space.name,
    size: size.toString(),
    input,
    samples,
    batchSize,
    params,
    macs,
    stepSeconds: step,
    epochSeconds: epoch ?? null,
  });
  const seconds = (value: number) => `${Number(value.toPrecision(2))} s`;
  const range = ({ least, median, most }: Range, text: (value: number) => string) =>
    `${text(least)} to ${text(most)}, median ${text(median)}`;
  terminal.result(`space ${space.name}: ${count(size)} architectures; ${samples} built, run and trained`);
  terminal.result(`  input             ${networks.describeInput(input)}`);
  terminal.result(`  parameters        ${range(params, count)}`);
  terminal.result(`  multiply-adds     ${range(macs, count)}`);
  terminal.result(
    `  training step     ${range(step, seconds)} for ${batchSize} ${networks.describeBatch(batchSize)}, one thread`,
  );
  if (epoch !== undefined)
    terminal.result(`  epoch of a child  ${range(epoch, seconds)} for ${count(inputs as number)} inputs`);
}

interface Range {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

function rangeOf(values: readonly number[]): Range {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] as number;
  return { least: at(0), median: at(0.5), most: at(1) };
}

function scaled({ least, median, most }: Range, by: number): Range {
  return { least: least * by, median: median * by, most: most * by };
}

import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { type BenchRequest, beginBench } from '../experiments/bench-run.js';
import { allStrategies, findStrategy, sharesWeights } from '../experiments/find-strategy.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { goOnWith } from '../kinds/bench.js';
import { partLabel } from '../modules/find-part.js';
import { findSpace } from '../spaces/find-space.js';
import { spaces } from '../spaces/space-names.js';
import { tableOptions } from '../tables/table-options.js';
import { openTerminal } from '../terminal/terminal.js';
import { freeFolder } from './free-folder.js';
import { collectSetting, positiveNumber, wholeNumber } from './options.js';
import { say } from './say.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';

interface BenchFlags extends SpaceFlags {
  readonly space: string;
  readonly table: string;
  readonly strategy: string;
  readonly runs: number;
  readonly budget: number;
  readonly workers: number;
  readonly processes?: number;
  readonly seed: number;
  readonly preset?: string;
  readonly set: Record<string, Json>;
  readonly out?: string;
  readonly json: boolean;
}

const tables = `
A table is a file of measured architectures, CSV or JSON lines, also gzipped: a row has an architecture, the value that a
search sees, the value that the architecture is judged by, and the simulated seconds that a trial takes. The form of
NAS-Bench-201 is known; otherwise --set table.architecture=COLUMN, table.seen, table.judged and table.cost name the
columns:

${Object.entries(tableOptions.shape)
  .map(([name, type]) => `  table.${name}: ${type.description}`)
  .join('\n')}

Options of a strategy: --set evolution.sample=10. Several settings of one strategy are compared under names of their own:
--strategy random,slow=reinforce,fast=reinforce --set fast.learningRate=0.02.`;

export function addBench(program: Command): void {
  addSpaceFlags(program.command('bench'))
    .description('compare strategies in a table of measured architectures, without training anything')
    .requiredOption(
      '--space <name|file>',
      `${[...spaces.keys()].join(', ')}, or the path of a TypeScript or JavaScript file`,
    )
    .requiredOption('--table <file>', 'the table')
    .requiredOption(
      '--strategy <list>',
      `strategies, with commas between them: ${[...allStrategies]
        .filter(([, definition]) => !sharesWeights(definition))
        .map(([name]) => name)
        .join(', ')}, or paths of files`,
    )
    .option('--runs <n>', 'searches of each strategy', wholeNumber(1), 500)
    .requiredOption('--budget <seconds>', 'simulated seconds of a search', positiveNumber)
    .option('--workers <n>', 'trials of a search that run at once on its simulated clock', wholeNumber(1), 1)
    .option(
      '--processes <n>',
      'processes that search at once; the results do not depend on their number (default: one for each processor)',
      wholeNumber(1),
    )
    .option('--seed <n>', 'seed of everything random', wholeNumber(0), 1)
    .option(
      '--preset <small>',
      "options of the strategies for few trials (default: the papers', which are for thousands)",
    )
    .option(
      '--set <key=value>',
      'an option of a strategy, of the table or of the space; repeatable',
      collectSetting,
      {},
    )
    .option('--out <folder>', 'a new folder for the results (default: runs/bench-SPACE-seedN)')
    .option('--json', 'the result as one JSON value on stdout', false)
    .addHelpText('after', tables)
    .action(benchStrategies);
}

async function benchStrategies(flags: BenchFlags): Promise<void> {
  const terminal = openTerminal(flags.json);
  const request = await requestOf(flags);
  const out = flags.out ?? freeFolder(`runs/bench-${partLabel(flags.space)}-seed${flags.seed}`);
  await beginBench(out, request);
  say(await goOnWith(out, terminal, flags.processes ?? availableParallelism()), terminal);
}

async function requestOf(flags: BenchFlags): Promise<BenchRequest> {
  const { preset, runs, budget, workers, seed, table, space } = flags;
  if (preset !== undefined && preset !== 'small')
    throw new InputError(`--preset '${preset}': allowed: small`);
  const named = flags.strategy.split(',').map((text) => {
    const [, name, strategy = text] = /^([\w-]+)=(.+)$/.exec(text) ?? [];
    return { name: name ?? partLabel(strategy), strategy };
  });
  const owners = ['table', 'space', ...named.map(({ name }) => name)];
  const settings = new Map(owners.map((owner) => [owner, {} as Record<string, Json>]));
  for (const [key, value] of Object.entries(flags.set)) {
    const dot = key.indexOf('.');
    const own = settings.get(key.slice(0, dot));
    if (dot < 0 || own === undefined)
      throw new InputError(
        `--set ${key}: name whose option it is; allowed: ${owners.map((owner) => `${owner}.OPTION`).join(', ')}`,
      );
    own[key.slice(dot + 1)] = value;
  }
  const { definition } = await findSpace(space, process.cwd());
  const strategies = [];
  for (const { name, strategy } of named) {
    const found = await findStrategy(strategy, process.cwd());
    const small = preset === 'small' ? found.definition.small : undefined;
    strategies.push({ name, strategy, options: { ...small, ...settings.get(name) } as Record<string, Json> });
  }
  return {
    space,
    spaceOptions: { ...settings.get('space'), ...spaceOptionsOf(flags, definition) },
    table,
    tableOptions: settings.get('table') ?? {},
    strategies,
    runs,
    budget,
    workers,
    seed,
  };
}

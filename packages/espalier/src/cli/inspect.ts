import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setThreads } from '@espalier/torch';
import type { Command } from 'commander';
import { architectureFile, type FoundArchitecture } from '../experiments/found-architecture.js';
import { hub } from '../hub/hub.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { findArchitecture, kindOf } from '../kinds/kinds-of-run.js';
import { isModule } from '../modules/user-module.js';
import { didYouMean } from '../nearest-name.js';
import { networkError, networkFault } from '../networks/network-fault.js';
import { requireMemory } from '../networks/required-memory.js';
import { count } from '../reports/figures.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { spaces } from '../spaces/space-names.js';
import { findTask } from '../tasks/find-task.js';
import { openTerminal, type Terminal } from '../terminal/terminal.js';
import { addChildFlag, type ChildFlag } from './child-flag.js';
import { addEpochFlag, type EpochFlag, sayWhichGenotype } from './epoch-flag.js';
import { addInputFlags, type InputFlags, inputFlagNames, inputFor } from './input-flags.js';
import { type Inspected, inspectNetwork, type ProfileSettings } from './inspect-network.js';
import { inspectOptions, namedOptions } from './inspect-options.js';
import { collectSetting, describeOptions, shareOut, threadCount, wholeNumber, withFlags } from './options.js';
import { refuseFlags } from './refuse-flags.js';
import { addSpaceFlags, type SpaceFlags, spaceFlagNames, spaceOptionsOf } from './space-flags.js';
import { addTaskFlag, taskFor } from './task-flags.js';

interface InspectFlags extends SpaceFlags, InputFlags, EpochFlag, ChildFlag {
  readonly task?: string;
  readonly set: Record<string, Json>;
  readonly supernet: boolean;
  readonly profile: boolean;
  readonly batchSize?: number;
  readonly threads?: number;
  readonly json: boolean;
}

/** Flags of networks alone. */
const networkFlags = ['supernet', 'profile', 'batchSize', 'threads'] as const;

/** Images, or texts, of a step that is profiled. */
const BATCH_SIZE = 16;

const help = `
Sizes are those of one input. Multiply-adds are those of convolutions and linear layers. Activations are the results of
all operators, in float32 and each piece of memory once: the backward pass of a training step needs them. A table
has the same figures for each cell.

--profile trains some steps on random data and tells how many milliseconds of a step each operator takes, with what it
calls in turn: forward, backward, and in the update of the weights. GFLOP/s are those of the forward pass, a multiply-add
counted as two.`;

export function addInspect(program: Command): void {
  addChildFlag(addEpochFlag(addTaskFlag(addInputFlags(addSpaceFlags(program.command('inspect'))))))
    .description(
      'the size and options of a space, the options of a strategy or of the training, or the parameters, multiply-adds ' +
        'and activation memory of an architecture',
    )
    .argument(
      '<space|strategy|training|architecture>',
      'a space by name or file, the name of a strategy, the word training, a published name, an architecture file, or a run folder',
    )
    .option(
      '--set <key=value>',
      'an option of the space, or a size of the input as input.KEY=VALUE; repeatable',
      collectSetting,
      {},
    )
    .option('--supernet', 'of a space: the network that holds the weights of all its architectures', false)
    .option('--profile', 'where the time of a training step goes, operator by operator', false)
    .option(
      '--batch-size <n>',
      `inputs of the profiled step: images, or texts (default: ${BATCH_SIZE})`,
      wholeNumber(1),
    )
    .option('--threads <n>', 'threads of the profiled step (default: all)', threadCount)
    .option('--json', 'the result as one JSON value on stdout', false)
    .addHelpText('after', help)
    .action(async (name: string, flags: InspectFlags) => {
      const terminal = openTerminal(flags.json);
      const options = namedOptions.get(name);
      if (options !== undefined) {
        refuseFlags(
          flags,
          [...spaceFlagNames, ...inputFlagNames, ...networkFlags, 'set', 'epoch', 'child'],
          `'${name}' lists options; this flag is of a space or a network`,
        );
        const task =
          flags.task === undefined ? undefined : (await findTask(flags.task, process.cwd())).definition;
        return inspectOptions(name, options, task, terminal);
      }
      const isSpace = spaces.has(name) || isModule(name);
      if (!isSpace && !hub.has(name) && !existsSync(name))
        throw new InputError(
          `'${name}': no such space, published architecture, file or run folder;` +
            `${didYouMean(name, [...spaces.keys(), ...hub.keys(), ...namedOptions.keys()])} ` +
            `spaces: ${[...spaces.keys()].join(', ')}; published: ${[...hub.keys()].join(', ')}; ` +
            `options: ${[...namedOptions.keys()].join(', ')}`,
        );
      if (!isSpace && flags.supernet)
        throw new InputError(
          `--supernet: '${name}' is an architecture; a supernet holds the weights of all architectures of a space`,
        );
      if (isSpace)
        refuseFlags(
          flags,
          ['epoch'],
          `'${name}' is a space; an epoch is chosen among the genotypes of a log`,
        );
      if (isSpace) refuseFlags(flags, ['child'], `'${name}' is a space, and no search`);
      const profile = profileSettings(name, flags, isSpace);
      if (isSpace && !flags.supernet) return inspectSpace(name, flags, terminal);
      const network = await (isSpace ? findSupernet(name, flags) : findNetwork(name, flags, terminal));
      inspectNetwork(network, profile, terminal);
    });
}

function profileSettings(
  name: string,
  { profile, supernet, batchSize, threads }: InspectFlags,
  isSpace: boolean,
): ProfileSettings | undefined {
  if (!profile) {
    for (const [flag, value] of [
      ['--batch-size', batchSize],
      ['--threads', threads],
    ] as const)
      if (value !== undefined)
        throw new InputError(`${flag} ${value} is of the step that --profile profiles`);
    return undefined;
  }
  if (isSpace && !supernet)
    throw new InputError(
      `--profile: '${name}' is a space; what is trained is an architecture, or with --supernet its supernet`,
    );
  setThreads(threads ?? availableParallelism());
  return { batchSize: batchSize ?? BATCH_SIZE };
}

async function inspectSpace(name: string, flags: InspectFlags, terminal: Terminal): Promise<void> {
  refuseFlags(
    flags,
    [...inputFlagNames, 'task'],
    `'${name}' is a space; what has an input is an architecture, or with --supernet its supernet`,
  );
  const { definition } = await findSpace(name, process.cwd());
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
  ]);
  const space = Space.configure(definition, withFlags(shares.space, spaceOptionsOf(flags, definition)));
  const size = space.size();
  const ofSupernet = describeOptions(definition.supernetOptions);
  terminal.json({
    space: space.name,
    options: space.options,
    size: size.toString(),
    ...(ofSupernet.length === 0 ? {} : { supernetOptions: ofSupernet }),
  });
  terminal.result(`space ${space.name}: ${count(size)} architectures`);
  for (const option of describeOptions(definition.options))
    terminal.result(
      `  ${option.name} = ${JSON.stringify(space.options[option.name])}  ${option.description}`,
    );
  for (const option of ofSupernet)
    terminal.result(`  supernet.${option.name} = ${JSON.stringify(option.default)}  ${option.description}`);
  if (namedOptions.has(`strategy.${name}`))
    terminal.result(`the strategy of this name: espalier inspect strategy.${name}`);
}

/** A space, or the space of an architecture, as the flags configure it, with what its networks are built for. */
async function configure(
  { space: named, ...found }: Pick<FoundArchitecture, 'space' | 'task' | 'input'>,
  flags: InspectFlags,
) {
  const { definition, options } = named;
  const { networks: kind } = (await taskFor({ ...found, space: named }, flags.task)).definition;
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    ...(flags.supernet === true
      ? [
          {
            word: 'supernet' as const,
            owner: `the supernet of space ${definition.name}`,
            schema: definition.supernetOptions,
          },
        ]
      : []),
    { word: 'input', owner: 'the input', schema: kind.inputOptions },
  ]);
  const space = Space.configure(definition, {
    ...options,
    ...withFlags(shares.space, spaceOptionsOf(flags, definition)),
  });
  return {
    space,
    kind,
    supernetOptions: shares.supernet,
    input: inputFor({ ...found, space }, kind, flags, shares.input),
  };
}

async function findSupernet(name: string, flags: InspectFlags): Promise<Inspected> {
  const { definition } = await findSpace(name, process.cwd());
  const { space, kind, supernetOptions, input } = await configure(
    { space: Space.configure(definition, {}) },
    flags,
  );
  const build = () => kind.buildSupernet(space, input, supernetOptions);
  requireMemory({ owner: `space ${space.name}`, build, copies: 1 });
  return {
    title: `supernet of ${space.name}`,
    origin: { space: space.name, options: space.options },
    kind,
    build,
    named: (error, doing) =>
      new InputError(`space ${space.name}: its supernet ${doing}: ${networkFault(error, build)}`),
    input,
  };
}

async function findNetwork(path: string, flags: InspectFlags, terminal: Terminal): Promise<Inspected> {
  const found = await findArchitecture(path, flags);
  sayWhichGenotype(found, terminal);
  const { space, kind, input } = await configure(found, flags);
  const run = existsSync(path) && statSync(path).isDirectory() ? await kindOf(path).status(path) : undefined;
  const { architecture } = found;
  const build = () => kind.build(space, architecture, input);
  requireMemory({ owner: `space ${space.name}`, build, copies: 1 });
  return {
    title: path,
    ...(run === undefined ? {} : { run }),
    origin: { space: space.name, architecture: architectureFile({ ...found, space }) },
    kind,
    build,
    named: (error, doing) => networkError(error, doing, { space, architecture, build }),
    input,
  };
}

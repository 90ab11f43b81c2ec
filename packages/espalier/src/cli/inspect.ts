import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setThreads } from '@espalier/torch';
import type { Command } from 'commander';
import { findSpace, isModule } from '../experiments/find-space.js';
import { architectureFile, findArchitecture } from '../experiments/found-architecture.js';
import { hub } from '../hub/hub.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { buildLanguageModel } from '../networks/build-language-model.js';
import { buildNetwork } from '../networks/build-network.js';
import { count } from '../reports/figures.js';
import { Space } from '../space/space.js';
import { spaces } from '../spaces/space-names.js';
import { buildLanguageSupernet, buildSupernet } from '../supernets/build-supernet.js';
import { addImageFlags, type ImageFlags, imagesFor } from './image-flags.js';
import { type Inspected, inspectNetwork, type ProfileSettings, TEXT_LENGTH } from './inspect-network.js';
import { inspectOptions, namedOptions } from './inspect-options.js';
import { collectSetting, describeOptions, wholeNumber } from './options.js';
import { refuseFlagsOfOtherInput } from './refuse-flags.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { openTerminal, type Terminal } from './terminal.js';
import { addTokenFlags, type TokenFlags, tokensFor } from './token-flags.js';

interface InspectFlags extends SpaceFlags, ImageFlags, TokenFlags {
  readonly set: Record<string, Json>;
  readonly supernet: boolean;
  readonly profile: boolean;
  readonly batchSize?: number;
  readonly threads?: number;
  readonly json: boolean;
}

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
  addTokenFlags(addImageFlags(addSpaceFlags(program.command('inspect'))))
    .description(
      'the size and options of a space, the options of a strategy or of the training, or the parameters, multiply-adds ' +
        'and activation memory of an architecture',
    )
    .argument(
      '<space|strategy|training|architecture>',
      'a space by name or file, the name of a strategy, the word training, a published name, an architecture file, or a run folder',
    )
    .option('--set <key=value>', 'an option of the space; repeatable', collectSetting, {})
    .option('--supernet', 'of a space: the network that holds the weights of all its architectures', false)
    .option('--profile', 'where the time of a training step goes, operator by operator', false)
    .option(
      '--batch-size <n>',
      `of the step that is profiled: images, or texts of ${TEXT_LENGTH} tokens (default: ${BATCH_SIZE})`,
      wholeNumber(1),
    )
    .option('--threads <n>', 'of the step that is profiled (default: all)', wholeNumber(1))
    .option('--json', 'the result as one JSON value on stdout', false)
    .addHelpText('after', help)
    .action(async (name: string, flags: InspectFlags) => {
      const terminal = openTerminal(flags.json);
      const options = namedOptions.get(name);
      if (options !== undefined) return inspectOptions(name, options, terminal);
      const isSpace = spaces.has(name) || isModule(name);
      if (!isSpace && !hub.has(name) && !existsSync(name))
        throw new InputError(
          `'${name}': no such space, published architecture, file or run folder; ` +
            `spaces: ${[...spaces.keys()].join(', ')}; published: ${[...hub.keys()].join(', ')}; ` +
            `options: ${[...namedOptions.keys()].join(', ')}`,
        );
      if (!isSpace && flags.supernet)
        throw new InputError(
          `--supernet: '${name}' is an architecture; a supernet holds the weights of all architectures of a space`,
        );
      const profile = profileSettings(name, flags, isSpace);
      if (isSpace && !flags.supernet) await inspectSpace(name, flags, terminal);
      else
        inspectNetwork(
          await (isSpace ? findSupernet(name, flags) : findNetwork(name, flags)),
          profile,
          terminal,
        );
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
  const { definition } = await findSpace(name, process.cwd());
  const space = Space.configure(definition, { ...flags.set, ...spaceOptionsOf(flags, definition) });
  const size = space.size();
  terminal.json({ space: space.name, options: space.options, size: size.toString() });
  terminal.result(`space ${space.name}: ${count(size)} architectures`);
  for (const option of describeOptions(definition.options))
    terminal.result(
      `  ${option.name} = ${JSON.stringify(space.options[option.name])}  ${option.description}`,
    );
}

async function findSupernet(name: string, flags: InspectFlags): Promise<Inspected> {
  const { definition } = await findSpace(name, process.cwd());
  const space = Space.configure(definition, { ...flags.set, ...spaceOptionsOf(flags, definition) });
  const title = `supernet of ${space.name}`;
  const origin = { space: space.name, options: space.options };
  refuseFlagsOfOtherInput(definition, flags);
  if (definition.reads === 'tokens') {
    const input = tokensFor(flags);
    return { title, origin, reads: 'tokens', network: buildLanguageSupernet(space, input), input };
  }
  const input = imagesFor({ space }, flags);
  return { title, origin, reads: 'images', network: buildSupernet(space, input), input };
}

async function findNetwork(path: string, flags: InspectFlags): Promise<Inspected> {
  const found = await findArchitecture(path);
  const { architecture } = found;
  const { definition, options } = found.space;
  const space = Space.configure(definition, {
    ...options,
    ...flags.set,
    ...spaceOptionsOf(flags, definition),
  });
  const own = { ...found, space };
  const origin = { space: space.name, architecture: architectureFile(own) };
  refuseFlagsOfOtherInput(definition, flags);
  if (definition.reads === 'tokens') {
    const input = tokensFor(flags);
    const network = buildLanguageModel(space, architecture, input);
    return { title: path, origin, reads: 'tokens', network, input };
  }
  const input = imagesFor(own, flags);
  return { title: path, origin, reads: 'images', network: buildNetwork(space, architecture, input), input };
}

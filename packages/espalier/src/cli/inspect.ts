import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { findSpace, isModule } from '../experiments/find-space.js';
import {
  architectureFile,
  type FoundArchitecture,
  findArchitecture,
} from '../experiments/found-architecture.js';
import { hub } from '../hub/hub.js';
import type { Json } from '../json.js';
import { buildLanguageModel } from '../networks/build-language-model.js';
import { buildNetwork } from '../networks/build-network.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import { networkGraph } from '../networks/network-graph.js';
import { traceClassifier, traceLanguageModel } from '../networks/operator-trace.js';
import { count } from '../reports/figures.js';
import { Space } from '../space/space.js';
import { spaces } from '../spaces/space-names.js';
import { buildLanguageSupernet, buildSupernet } from '../supernets/build-supernet.js';
import { addImageFlags, type ImageFlags, imagesFor } from './image-flags.js';
import { collectSetting, describeOptions, wholeNumber } from './options.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { openTerminal, type Terminal } from './terminal.js';

interface InspectFlags extends SpaceFlags, ImageFlags {
  readonly set: Record<string, Json>;
  readonly vocabulary: number;
  readonly supernet: boolean;
  readonly json: boolean;
}

export function addInspect(program: Command): void {
  addImageFlags(addSpaceFlags(program.command('inspect')))
    .description('the size and options of a space, or the parameters and multiply-adds of an architecture')
    .argument('<space|architecture>', 'a space by name or file, an architecture file, or a run folder')
    .option('--set <key=value>', 'an option of the space; repeatable', collectSetting, {})
    .option('--vocabulary <n>', 'different tokens that a language model reads', wholeNumber(1), 10_000)
    .option('--supernet', 'of a space: the network that holds the weights of all its architectures', false)
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (name: string, flags: InspectFlags) => {
      const terminal = openTerminal(flags.json);
      const isSpace = spaces.has(name) || isModule(name) || !(hub.has(name) || existsSync(name));
      if (isSpace && flags.supernet) await inspectSupernet(name, flags, terminal);
      else if (isSpace) await inspectSpace(name, flags, terminal);
      else await inspectArchitecture(name, flags, terminal);
    });
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

async function inspectSupernet(name: string, flags: InspectFlags, terminal: Terminal): Promise<void> {
  const { definition } = await findSpace(name, process.cwd());
  const space = Space.configure(definition, { ...flags.set, ...spaceOptionsOf(flags, definition) });
  const { input, supernet, calls, unit } = traceSupernet(space, flags);
  const params = supernet.parameterCount();
  const alphas = Object.values(supernet.architectureParameters());
  const architectureParams = alphas.reduce((sum, values) => sum + values.size, 0);
  const macs = multiplyAdds(calls);
  terminal.json({
    space: space.name,
    options: space.options,
    input,
    params,
    architectureParams,
    macs,
  });
  terminal.result(
    `supernet of ${space.name}: ${count(params)} parameters, ${count(architectureParams)} architecture parameters, ` +
      `${count(macs)} multiply-adds for one ${unit}`,
  );
}

function traceSupernet(space: Space, flags: InspectFlags) {
  if (space.definition.reads === 'tokens') {
    const input = { vocabulary: flags.vocabulary };
    const supernet = buildLanguageSupernet(space, input);
    return { input, supernet, calls: traceLanguageModel(supernet).calls, unit: 'token' };
  }
  const input = imagesFor({ space }, flags);
  const supernet = buildSupernet(space, input);
  return { input, supernet, calls: traceClassifier(supernet, input).calls, unit: 'image' };
}

async function inspectArchitecture(path: string, flags: InspectFlags, terminal: Terminal): Promise<void> {
  const found = await findArchitecture(path);
  const { architecture } = found;
  const { definition, options } = found.space;
  const space = Space.configure(definition, {
    ...options,
    ...flags.set,
    ...spaceOptionsOf(flags, definition),
  });
  if (definition.reads === 'tokens') {
    inspectLanguageModel(path, { ...found, space }, flags.vocabulary, terminal);
    return;
  }
  const shape = imagesFor({ ...found, space }, flags);
  const network = buildNetwork(space, architecture, shape);
  const params = network.parameterCount();
  const calls = traceClassifier(network, shape).calls;
  network.free();
  const macs = multiplyAdds(calls);
  const { nodes } = networkGraph(calls, shape, space.name);
  terminal.json({
    space: space.name,
    architecture: architectureFile({ ...found, space }),
    input: shape,
    params,
    macs,
    layers: nodes.map(({ label, details }) => ({ layer: label, details })),
  });
  terminal.result(`${path}: ${count(params)} parameters, ${count(macs)} multiply-adds for one image`);
  for (const { label, details } of nodes) terminal.result(`  ${label}: ${details.join('; ')}`);
}

function inspectLanguageModel(
  path: string,
  found: FoundArchitecture,
  vocabulary: number,
  terminal: Terminal,
): void {
  const model = buildLanguageModel(found.space, found.architecture, { vocabulary });
  const params = model.parameterCount();
  model.free();
  terminal.json({
    space: found.space.name,
    architecture: architectureFile(found),
    input: { vocabulary },
    params,
  });
  terminal.result(`${path}: ${count(params)} parameters with a vocabulary of ${count(vocabulary)}`);
}

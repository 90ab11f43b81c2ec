import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { findSpace, isModule } from '../experiments/find-space.js';
import { architectureFile, findArchitecture } from '../experiments/found-architecture.js';
import type { Json } from '../json.js';
import { buildNetwork } from '../networks/build-network.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import { networkGraph } from '../networks/network-graph.js';
import { traceOperators } from '../networks/operator-trace.js';
import { count } from '../reports/figures.js';
import { Space } from '../space/space.js';
import { spaces } from '../spaces/space-names.js';
import { addImageFlags, type ImageFlags, imagesFor } from './image-flags.js';
import { collectSetting, describeOptions } from './options.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { openTerminal, type Terminal } from './terminal.js';

interface InspectFlags extends SpaceFlags, ImageFlags {
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

export function addInspect(program: Command): void {
  addImageFlags(addSpaceFlags(program.command('inspect')))
    .description('the size and options of a space, or the parameters and multiply-adds of an architecture')
    .argument('<space|architecture>', 'a space by name or file, an architecture file, or a run folder')
    .option('--set <key=value>', 'an option of the space; repeatable', collectSetting, {})
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (name: string, flags: InspectFlags) => {
      const terminal = openTerminal(flags.json);
      if (spaces.has(name) || isModule(name) || !existsSync(name)) await inspectSpace(name, flags, terminal);
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

async function inspectArchitecture(path: string, flags: InspectFlags, terminal: Terminal): Promise<void> {
  const found = await findArchitecture(path);
  const { space, architecture } = found;
  const shape = imagesFor(found, flags);
  const network = buildNetwork(space, architecture, shape);
  const params = network.parameterCount();
  const calls = traceOperators(network, shape);
  network.free();
  const macs = multiplyAdds(calls);
  const { nodes } = networkGraph(calls, shape, space.name);
  terminal.json({
    space: space.name,
    architecture: architectureFile(found),
    input: shape,
    params,
    macs,
    layers: nodes.map(({ label, details }) => ({ layer: label, details })),
  });
  terminal.result(`${path}: ${count(params)} parameters, ${count(macs)} multiply-adds for one image`);
  for (const { label, details } of nodes) terminal.result(`  ${label}: ${details.join('; ')}`);
}

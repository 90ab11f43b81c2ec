import { drawNetwork } from '../drawing/network-svg.js';
import type { Svg } from '../drawing/svg.js';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import type { AnyNetworkKind } from '../network-kinds/network-kind.js';
import { networkGraph } from '../networks/network-graph.js';
import type { Space } from '../space/space.js';
import { findTask } from '../tasks/find-task.js';
import { drawCells } from './draw-architecture.js';

/**
 * The picture of an architecture: its cells as the papers draw them, or else its network layer by layer. Undefined for
 * networks that have neither.
 */
export function drawArchitecture(
  space: Space,
  architecture: unknown,
  networks: AnyNetworkKind,
  input: object,
  title: string,
): Svg | undefined {
  const cells = drawCells(space.name, architecture);
  if (cells !== undefined || networks.drawnInput === undefined) return cells;
  const network = networks.build(space, architecture, input);
  try {
    const { calls } = networks.trace(network, input);
    return drawNetwork(networkGraph(calls, networks.drawnInput(input), title));
  } finally {
    network.free();
  }
}

/**
 * The same of what a run has found or trains; without a task and an input only its cells.
 *
 * @throws InputError where the file of the task is gone, or the network cannot be built
 */
export async function drawFound(
  { space, architecture, task, input }: FoundArchitecture,
  title: string,
): Promise<Svg | undefined> {
  const cells = drawCells(space.name, architecture);
  // An estimator that builds no networks has none to draw.
  if (cells !== undefined || task === undefined || input === undefined) return cells;
  const { definition } = await findTask(task.name, process.cwd());
  return drawArchitecture(space, architecture, definition.networks, input, title);
}

import { type nn, threads } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Said } from '../kinds/kind-of-run.js';
import type { AnyNetworkKind } from '../network-kinds/network-kind.js';
import { activationBytes, evaluationBytes } from '../networks/activation-memory.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import { attempt } from '../networks/network-fault.js';
import { networkGraph } from '../networks/network-graph.js';
import { networkParts } from '../networks/network-parts.js';
import { profileSteps, type StepProfile, totalOf } from '../profiling/step-profile.js';
import { bytes, count, milliseconds } from '../reports/figures.js';
import { profileTable } from '../reports/profile-table.js';
import { sizeTable } from '../reports/size-table.js';
import type { SharesWeights } from '../supernets/supernet.js';
import type { Terminal } from '../terminal/terminal.js';

/** A network to look at. */
export interface Inspected {
  /** For people. */
  readonly title: string;
  /** How far the run is that it comes from. */
  readonly run?: Said;
  /** Where it comes from, for the JSON. */
  readonly origin: { readonly space: string } & Readonly<Record<string, unknown>>;
  readonly kind: AnyNetworkKind;
  readonly build: () => nn.Module;
  /** Makes an error in the network one that names it. @param doing `cannot be run` */
  readonly named: (error: unknown, doing: string) => InputError;
  readonly input: object;
}

/** How a training step is to be profiled. */
export interface ProfileSettings {
  readonly batchSize: number;
}

/** Steps that the means of a profile are of. */
const STEPS = 3;

/** Says what a network takes, part by part, or with `profile` where the time of a training step goes. */
export function inspectNetwork(
  inspected: Inspected,
  profile: ProfileSettings | undefined,
  terminal: Terminal,
): void {
  const { title, run, origin, input, kind, build, named } = inspected;
  const network = attempt(build, (error) => named(error, 'cannot be built'));
  const trace = attempt(
    () => kind.trace(network, input),
    (error) => named(error, 'cannot be run'),
  );
  const params = network.parameterCount();
  const architectureParams = architectureParamsOf(network);
  const macs = multiplyAdds(trace.calls);
  const sizes = {
    params,
    ...(architectureParams === undefined ? {} : { architectureParams }),
    macs,
    activationBytes: activationBytes(trace),
    evaluationBytes: evaluationBytes(trace),
  };
  const cells = networkParts(network, trace, kind.batchDimensions);
  const profiled = profile && profileOf(inspected, network, profile, terminal);
  if (run !== undefined) terminal.result(run.text);
  terminal.result(
    `${title}: ${count(params)} parameters, ` +
      (architectureParams === undefined ? '' : `${count(architectureParams)} architecture parameters, `) +
      `${count(macs)} multiply-adds for one ${kind.describeInput(input)}`,
  );
  if (profiled === undefined) {
    terminal.result(
      `activation memory: ${bytes(sizes.activationBytes)} in training, at most ${bytes(sizes.evaluationBytes)} at once ` +
        `in evaluation\n\n${sizeTable(cells, sizes)}`,
    );
  } else {
    const { batchSize } = profile as ProfileSettings;
    terminal.result(
      `one training step of ${count(batchSize)} ${kind.describeBatch(batchSize)}: ` +
        `${milliseconds(totalOf(profiled.whole))} ms, the mean of ${profiled.steps}, ` +
        `with ${threads()} thread${threads() === 1 ? '' : 's'}\n\n${profileTable(profiled)}`,
    );
  }
  terminal.json({
    ...origin,
    ...(run === undefined ? {} : { run: run.json }),
    input,
    ...sizes,
    cells,
    ...(kind.drawnInput !== undefined && architectureParams === undefined
      ? {
          layers: networkGraph(trace.calls, kind.drawnInput(input), origin.space).nodes.map(
            ({ label, details }) => ({
              layer: label,
              details,
            }),
          ),
        }
      : {}),
    ...(profiled === undefined ? {} : { profile: { ...profile, threads: threads(), ...profiled } }),
  });
  network.free();
}

/** How many architecture parameters a supernet has. */
function architectureParamsOf(network: nn.Module): number | undefined {
  if (!('architectureParameters' in network)) return undefined;
  const { architectureParameters } = network as unknown as SharesWeights;
  return Object.values(architectureParameters.call(network)).reduce((sum, { size }) => sum + size, 0);
}

function profileOf(
  { kind, input, named }: Inspected,
  network: nn.Module,
  { batchSize }: ProfileSettings,
  terminal: Terminal,
): StepProfile {
  const step = kind.trainingStep(network, input, batchSize);
  try {
    return profileSteps(step, STEPS, (number, of) => terminal.live(`step ${number} of ${of}`));
  } catch (error) {
    // Batch norm of one value for each channel.
    if (batchSize === 1 && error instanceof RangeError)
      throw new InputError(`--batch-size 1: this network is trained on 2 images and more`);
    throw named(error, 'cannot be trained');
  } finally {
    terminal.settle();
    step.free();
  }
}

import { threads } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { activationBytes, evaluationBytes } from '../networks/activation-memory.js';
import type { LanguageModel } from '../networks/language-model.js';
import { multiplyAdds } from '../networks/multiply-adds.js';
import type { Network } from '../networks/network.js';
import { networkGraph } from '../networks/network-graph.js';
import { networkParts } from '../networks/network-parts.js';
import { traceClassifier, traceLanguageModel } from '../networks/operator-trace.js';
import { profileSteps, type StepProfile, totalOf } from '../profiling/step-profile.js';
import { imageStep, type TrainingStep, tokenStep } from '../profiling/training-step.js';
import { bytes, count, milliseconds } from '../reports/figures.js';
import { profileTable } from '../reports/profile-table.js';
import { sizeTable } from '../reports/size-table.js';
import type { InputShape, TokenInput } from '../space/space.js';
import type { LanguageSupernet, Supernet } from '../supernets/supernet.js';
import type { Terminal } from './terminal.js';

/** A network to look at. */
export type Inspected = {
  /** For people. */
  readonly title: string;
  /** What the JSON says of where it comes from. */
  readonly origin: { readonly space: string } & Readonly<Record<string, unknown>>;
} & (
  | { readonly reads: 'images'; readonly network: Network | Supernet; readonly input: InputShape }
  | {
      readonly reads: 'tokens';
      readonly network: LanguageModel | LanguageSupernet;
      readonly input: TokenInput;
    }
);

/** How a training step is to be profiled. */
export interface ProfileSettings {
  readonly batchSize: number;
}

/** Steps that the means of a profile are of. */
const STEPS = 3;
/** Tokens of each text that a step of a language model reads: what the papers' steps read. */
export const TEXT_LENGTH = 35;

/** Says what a network takes, part by part, or with `profile` where the time of a training step goes. */
export function inspectNetwork(
  inspected: Inspected,
  profile: ProfileSettings | undefined,
  terminal: Terminal,
): void {
  const { title, origin, network, input, reads } = inspected;
  const trace = reads === 'images' ? traceClassifier(network, input) : traceLanguageModel(network);
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
  const cells = networkParts(network, trace, reads === 'images' ? 1 : 2);
  const profiled = profile && profileOf(inspected, profile, terminal);
  terminal.result(
    `${title}: ${count(params)} parameters, ` +
      (architectureParams === undefined ? '' : `${count(architectureParams)} architecture parameters, `) +
      `${count(macs)} multiply-adds for one ${describeInput(inspected)}`,
  );
  if (profiled === undefined) {
    terminal.result(
      `activation memory: ${bytes(sizes.activationBytes)} in training, at most ${bytes(sizes.evaluationBytes)} at once ` +
        `in evaluation\n\n${sizeTable(cells, sizes)}`,
    );
  } else {
    const { batchSize } = profile as ProfileSettings;
    terminal.result(
      `one training step of ${count(batchSize)} ${batchOf(inspected, batchSize)}: ` +
        `${milliseconds(totalOf(profiled.whole))} ms, the mean of ${profiled.steps}, ` +
        `with ${threads()} thread${threads() === 1 ? '' : 's'}\n\n${profileTable(profiled)}`,
    );
  }
  terminal.json({
    ...origin,
    input,
    ...sizes,
    cells,
    ...(reads === 'images' && architectureParams === undefined
      ? {
          layers: networkGraph(trace.calls, input, origin.space).nodes.map(({ label, details }) => ({
            layer: label,
            details,
          })),
        }
      : {}),
    ...(profiled === undefined ? {} : { profile: { ...profile, threads: threads(), ...profiled } }),
  });
  network.free();
}

/** How many architecture parameters a supernet has. */
function architectureParamsOf(network: Inspected['network']): number | undefined {
  if (!('architectureParameters' in network)) return undefined;
  return Object.values(network.architectureParameters()).reduce((sum, { size }) => sum + size, 0);
}

function describeInput(inspected: Inspected): string {
  if (inspected.reads === 'tokens') return `token (vocabulary ${count(inspected.input.vocabulary)})`;
  const { channels, height, width } = inspected.input;
  return `image (${channels} x ${height} x ${width})`;
}

function profileOf(inspected: Inspected, { batchSize }: ProfileSettings, terminal: Terminal): StepProfile {
  const step: TrainingStep =
    inspected.reads === 'images'
      ? imageStep(inspected.network, inspected.input, batchSize)
      : tokenStep(inspected.network, batchSize, TEXT_LENGTH);
  try {
    return profileSteps(step, STEPS, (number, of) => terminal.live(`step ${number} of ${of}`));
  } catch (error) {
    // Batch norm of one value for each channel.
    if (batchSize === 1 && error instanceof RangeError)
      throw new InputError(`--batch-size 1: this network is trained on 2 images and more`);
    throw error;
  } finally {
    terminal.settle();
    step.free();
  }
}

const batchOf = ({ reads }: Inspected, batchSize: number) =>
  reads === 'images'
    ? `image${batchSize === 1 ? '' : 's'}`
    : `text${batchSize === 1 ? '' : 's'} of ${TEXT_LENGTH} tokens`;

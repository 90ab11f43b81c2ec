import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { saveTensors, scope } from '@espalier/torch';
import type { Command } from 'commander';
import { architectureFile, type FoundArchitecture } from '../experiments/found-architecture.js';
import type { FreeSize } from '../export/exported-trace.js';
import { exportOnnx } from '../export/onnx.js';
import { exportPytorch } from '../export/pytorch.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { findNetwork } from '../kinds/kinds-of-run.js';
import type { AnyNetworkKind } from '../network-kinds/network-kind.js';
import { attempt, networkError } from '../networks/network-fault.js';
import { requireMemory } from '../networks/required-memory.js';
import { auxiliaryOption, loadWeights, readWeights } from '../prediction/weights.js';
import { drawArchitecture } from '../reports/draw-network.js';
import { Space } from '../space/space.js';
import { openTerminal } from '../terminal/terminal.js';
import { initialised } from '../training/train-child.js';
import { addChildFlag, type ChildFlag } from './child-flag.js';
import { addEpochFlag, type EpochFlag, sayWhichGenotype } from './epoch-flag.js';
import { addInputFlags, type InputFlags, inputFlagNames, inputFor } from './input-flags.js';
import { collectSetting, shareOut, wholeNumber, withFlags } from './options.js';
import { refuseFlags } from './refuse-flags.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { addTaskFlag, taskFor } from './task-flags.js';
import { asOutput, writeOutput } from './write-output.js';

interface ExportFlags extends InputFlags, SpaceFlags, EpochFlag, ChildFlag {
  readonly format: string;
  readonly task?: string;
  readonly out?: string;
  readonly weights?: string;
  readonly set: Record<string, Json>;
  readonly seed?: number;
  readonly features?: true;
  readonly anySize?: true;
  readonly json: boolean;
}

const SEED = 1;

const NO_INPUT = 'json holds an architecture, whatever its network is built for';

const FORMATS = ['json', 'svg', 'onnx', 'pytorch'];

export function addExport(program: Command): void {
  addChildFlag(addEpochFlag(addTaskFlag(addInputFlags(addSpaceFlags(program.command('export'))))))
    .description(
      'write an architecture out: as JSON, as a picture, or its network as ONNX or as a PyTorch program',
    )
    .argument(
      '<run|architecture>',
      'the folder of a search (its best architecture) or of a training (with its weights), a file, or a published name',
    )
    .requiredOption('--format <json|svg|onnx|pytorch>', 'what to write')
    .option(
      '--out <file>',
      'where to write it (default: stdout); pytorch: NAME.py, and the weights as NAME.safetensors beside it',
    )
    .option(
      '--weights <file>',
      'safetensors for onnx and pytorch (default: those of the training, or initial ones)',
    )
    .option(
      '--set <key=value>',
      'an option of the space, or a size of the input as input.KEY=VALUE; repeatable',
      collectSetting,
      {},
    )
    .option(
      '--features',
      'onnx: the last maps of strides 4, 8, 16 and 32 as further outputs, features.4 to features.32',
    )
    .option(
      '--any-size',
      'onnx: height and width of the images are free, as the network allows (most segmenters do)',
    )
    .option('--seed <n>', `seed of initial weights (default: ${SEED})`, wholeNumber(0))
    .option('--json', 'say as one JSON value on stdout what was written (with --out)', false)
    .action(async (path: string, flags: ExportFlags) => {
      const { format, out, json } = flags;
      if (!FORMATS.includes(format))
        throw new InputError(`--format '${format}': allowed: ${FORMATS.join(', ')}`);
      if (json && out === undefined)
        throw new InputError('--json goes with --out: stdout is the exported file');
      if (format === 'pytorch' && out?.endsWith('.py') !== true)
        throw new InputError(
          `--out ${out ?? 'is missing'}: with --format pytorch allowed: a name that ends with .py; the weights are written beside it`,
        );
      if (out !== undefined && !existsSync(dirname(out)))
        throw new InputError(`--out ${out}: there is no folder ${dirname(out)}`);
      if (out !== undefined && statSync(out, { throwIfNoEntry: false })?.isDirectory())
        throw new InputError(`--out ${out}: is a folder; allowed: the name of a file`);
      if (!isNetwork(format)) refuseFlags(flags, ['weights', 'seed'], 'only onnx and pytorch hold weights');
      if (format !== 'onnx') refuseFlags(flags, ['features'], 'only onnx has further outputs');
      if (format !== 'onnx') refuseFlags(flags, ['anySize'], 'only onnx has free sizes');
      if (format === 'json') refuseFlags(flags, inputFlagNames, NO_INPUT);
      const files = await exported(path, flags);
      if (out === undefined) {
        process.stdout.write(files.bytes);
        return;
      }
      const { bytes, writeWeights } = files;
      const weights = writeWeights === undefined ? undefined : weightsBeside(out);
      if (weights !== undefined) asOutput(weights, () => writeWeights?.(weights));
      writeOutput(out, bytes);
      const terminal = openTerminal(json);
      terminal.result(
        `${out}: ${format}, ${files.bytes.length} bytes${weights === undefined ? '' : `; the weights: ${weights}`}`,
      );
      terminal.json({
        file: out,
        format,
        bytes: files.bytes.length,
        ...(weights === undefined ? {} : { weights }),
      });
    });
}

const isNetwork = (format: string): boolean => format === 'onnx' || format === 'pytorch';

const weightsBeside = (program: string): string => program.replace(/\.py$/, '.safetensors');

/** @throws InputError for networks that do not read images */
function withFeatures(
  { reads, traceWithFeatures }: AnyNetworkKind,
  { name }: Space,
): AnyNetworkKind['trace'] {
  if (traceWithFeatures === undefined)
    throw new InputError(`--features: the networks of space ${name} read ${reads} and have no maps`);
  return (network, input, batch) => traceWithFeatures(network, input, name, batch);
}

/**
 * Sizes of images, in pixels, that show what depends on the size: no multiples of a stride, none near another, and large
 * enough for maps of several pixels at stride 32. The first stands for the network's own, which may be small.
 */
const FREE_SIZES = [
  [140, 196],
  [109, 153],
  [202, 87],
] as const;

/** The input in each of these sizes. @throws InputError for networks that do not read images */
function freeInputs(
  { reads, flags: { imageSize } }: AnyNetworkKind,
  space: Space,
  input: object,
): FreeInputs {
  if (imageSize?.length !== 2)
    throw new InputError(`--any-size: the networks of space ${space.name} read ${reads}, which have no size`);
  const [height, width] = imageSize as [string, string];
  return {
    names: imageSize,
    inputs: FREE_SIZES.map(([tall, wide]) => ({ ...input, [height]: tall, [width]: wide })),
  };
}

interface FreeInputs {
  readonly names: readonly string[];
  readonly inputs: readonly object[];
}

interface ExportedFiles {
  readonly bytes: Uint8Array;
  /** Of a program: writes the file that it reads its weights from. */
  readonly writeWeights?: (path: string) => void;
}

async function exported(path: string, flags: ExportFlags): Promise<ExportedFiles> {
  const { found: named, weights: trained, signature } = await findNetwork(path, flags);
  sayWhichGenotype(named, openTerminal(flags.json));
  const { definition, options } = named.space;
  const { format, seed = SEED } = flags;
  const { definition: task } = await taskFor(named, flags.task);
  const { networks } = task;
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'input', owner: 'the input', schema: networks.inputOptions },
  ]);
  if (format === 'json') refuseFlags({ set: shares.input }, ['set'], NO_INPUT);
  const file = isNetwork(format) ? (flags.weights ?? trained) : undefined;
  if (file !== undefined) refuseFlags(flags, ['seed'], `the weights are those of ${file}`);
  const weights = file === undefined ? undefined : readWeights(file);
  const space = Space.configure(definition, {
    ...options,
    ...(weights === undefined ? {} : auxiliaryOption(definition, weights)),
    ...withFlags(shares.space, spaceOptionsOf(flags, definition)),
  });
  const found: FoundArchitecture = { ...named, space };
  const input = inputFor(found, networks, flags, shares.input);
  if (format === 'json')
    return { bytes: Buffer.from(`${JSON.stringify(architectureFile(found), null, 2)}\n`) };
  if (format === 'svg') {
    const picture = drawArchitecture(
      space,
      found.architecture,
      networks,
      input,
      `A network of ${space.name}`,
    );
    if (picture === undefined)
      throw new InputError(`--format svg: networks of space ${space.name} have no picture`);
    return { bytes: Buffer.from(picture) };
  }
  const { architecture } = found;
  const build = () => networks.build(space, architecture, input);
  const explained = (doing: string) => (error: unknown) =>
    networkError(error, doing, { space, architecture, build });
  requireMemory({ owner: `space ${space.name}`, build, copies: 1 });
  const network = attempt(() => initialised(build, seed), explained('cannot be built'));
  if (weights !== undefined && file !== undefined)
    scope(() => loadWeights(network, weights, `--weights ${file}`));
  const run = flags.features ? withFeatures(networks, space) : networks.trace;
  const free = flags.anySize ? freeInputs(networks, space, input) : undefined;
  const [own, ...others] = free?.inputs ?? [input];
  const traceOf = (given: object, batch: number) =>
    attempt(() => run(network, given, batch), explained('cannot be run'));
  const trace = (batch: number) => traceOf(own as object, batch);
  const size: FreeSize | undefined = free && {
    names: free.names,
    runs: others.map((other) => () => traceOf(other, 1)),
  };
  // Weights from elsewhere are of another training.
  const metadata =
    signature === undefined || file !== trained
      ? {}
      : { space: space.name, task: task.name, input: input as Json, ...signature };
  if (format === 'onnx') return { bytes: exportOnnx(network, trace, metadata, size) };
  const title = `The network of ${path} (space ${space.name})`;
  return {
    bytes: Buffer.from(exportPytorch(title, network, trace, networks.program, metadata)),
    writeWeights: (beside) => saveTensors(beside, network.stateDict(), {}, { checksum: true }),
  };
}

import { scope } from '@espalier/torch';
import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { findNetwork } from '../kinds/kinds-of-run.js';
import { auxiliaryOption, loadWeights, readWeights } from '../prediction/weights.js';
import { Space } from '../space/space.js';
import { openTerminal } from '../terminal/terminal.js';
import { addEpochFlag, type EpochFlag, sayWhichGenotype } from './epoch-flag.js';
import { addInputFlags, type InputFlags, inputFor } from './input-flags.js';
import { collectSetting, oneFile, shareOut, wholeNumber, withFlags } from './options.js';
import { refuseFlags } from './refuse-flags.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { addTaskFlag, taskFor } from './task-flags.js';
import { writeOutput } from './write-output.js';

interface PredictFlags extends SpaceFlags, InputFlags, EpochFlag {
  readonly input: string;
  readonly task?: string;
  readonly weights?: string;
  /** What pixels are standardised by, one number a channel, for pixels scaled to [0, 1]. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Where pictures of the result are written. */
  readonly out?: string;
  readonly scales?: readonly number[];
  readonly flip?: boolean;
  readonly tile?: number;
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

/** Flags that only some tasks know. */
const TASK_FLAGS = ['mean', 'std', 'out', 'scales', 'flip', 'tile'] as const;

export function addPredict(program: Command): void {
  addEpochFlag(addTaskFlag(addInputFlags(addSpaceFlags(program.command('predict')))))
    .description('what a network makes of an image, of a text, or of the input of a task of your own')
    .argument(
      '<run|architecture>',
      'the folder of a training (with its weights) or of a search, a file, or a published name',
    )
    .requiredOption(
      '--input <file>',
      'an image, which is resized and cropped; the beginning of a text, where a training knows its words or characters; or a ' +
        'safetensors file with one tensor, read as it is: float32 [C, H, W] or [N, C, H, W]; of tokens int64 [T] or [T, N]',
      oneFile,
    )
    .option('--weights <file>', "safetensors, under PyTorch's names (default: those of the training)")
    .option(
      '--mean <r,g,b>',
      "mean of pixels from 0 to 1, a number a channel (default: the run's, CIFAR-10's, or ImageNet's for its layout)",
      numbers,
    )
    .option('--std <r,g,b>', 'standard deviation, as --mean; both or none', numbers)
    .option(
      '--out <file.png>',
      'of a segmenter: where to write the mask in the colours of the classes, and NAME-overlay.png beside it',
    )
    .option(
      '--scales <n,n>',
      'of a segmenter: factors by which the image is enlarged, a pass each, whose probabilities are averaged',
      factors,
    )
    .option('--flip', 'of a segmenter: each pass also on the mirrored image')
    .option(
      '--tile <n>',
      'of a segmenter: side in pixels of the tiles that larger images are evaluated in',
      wholeNumber(1),
    )
    .option(
      '--set <key=value>',
      'an option of the space, or a size of the input as input.KEY=VALUE; repeatable',
      collectSetting,
      {},
    )
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(predict);
}

function numbers(text: string): number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!values.every(Number.isFinite))
    throw new InvalidArgumentError('Allowed: numbers with commas between them.');
  return values;
}

function factors(text: string): number[] {
  const values = numbers(text);
  if (!values.every((value) => value > 0 && value <= 8))
    throw new InvalidArgumentError('Allowed: numbers above 0, up to 8, with commas between them.');
  return values;
}

async function predict(path: string, flags: PredictFlags): Promise<void> {
  const terminal = openTerminal(flags.json);
  const { found, weights: trained, signature } = await findNetwork(path, flags);
  sayWhichGenotype(found, terminal);
  const file = flags.weights ?? trained;
  if (file === undefined)
    throw new InputError(
      `--weights is missing: '${path}' is an architecture without weights; ` +
        'allowed: a safetensors file, or the folder of a finished training in its place',
    );
  const { definition, options } = found.space;
  const { definition: task } = await taskFor(found, flags.task);
  const { networks } = task;
  const known = task.predictFlags ?? [];
  refuseFlags(
    flags,
    TASK_FLAGS.filter((flag) => !known.includes(flag)),
    `the networks of space ${definition.name} read ${networks.reads}`,
  );
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'input', owner: 'the input', schema: networks.inputOptions },
  ]);
  const weights = readWeights(file);
  // The network has an auxiliary head where the weights have one.
  const space = Space.configure(definition, {
    ...options,
    ...auxiliaryOption(definition, weights),
    ...withFlags(shares.space, spaceOptionsOf(flags, definition)),
  });
  const input = inputFor({ ...found, space }, networks, flags, shares.input);
  const network = networks.build(space, found.architecture, input);
  try {
    scope(() => loadWeights(network, weights, file));
    network.eval();
    const {
      json,
      lines,
      notes = [],
      files = [],
    } = await task.predict({
      network,
      input,
      space,
      file: flags.input,
      signature,
      flags: Object.fromEntries(known.map((flag) => [flag, flags[flag as keyof PredictFlags]])),
    });
    for (const { path, bytes } of files) writeOutput(path, bytes);
    const written = Object.fromEntries(files.map(({ holds, path }) => [holds, path]));
    terminal.json({ ...json, ...(files.length === 0 ? {} : { files: written }) });
    for (const note of notes) terminal.line(note);
    for (const line of lines) terminal.result(line);
    for (const [holds, path] of Object.entries(written)) terminal.result(`${holds}: ${path}`);
  } finally {
    network.free();
  }
}

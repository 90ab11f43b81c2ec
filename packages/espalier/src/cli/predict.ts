import { scope, type Tensor } from '@espalier/torch';
import type { Command } from 'commander';
import { EVALUATION_MARGIN } from '../data/view.js';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import { findNetwork } from '../experiments/training-run.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { buildLanguageModel } from '../networks/build-language-model.js';
import { buildNetwork } from '../networks/build-network.js';
import { classify } from '../prediction/classify.js';
import { evaluationView } from '../prediction/evaluation-view.js';
import { readImage } from '../prediction/image-file.js';
import { readInputTensor } from '../prediction/input-tensor.js';
import { predictNextToken } from '../prediction/predict-next-token.js';
import type { Prediction } from '../prediction/prediction.js';
import { auxiliaryOption, loadWeights, readWeights } from '../prediction/weights.js';
import { type InputShape, Space } from '../space/space.js';
import { type ImageTask, openImageTask } from '../tasks/image-task.js';
import { addImageFlags, type ImageFlags, imagesFor } from './image-flags.js';
import { collectSetting } from './options.js';
import { refuseFlags, refuseFlagsOfOtherInput } from './refuse-flags.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { addStatisticsFlags, type StatisticsFlags, statisticsFor } from './statistics-flags.js';
import { openTerminal, type Terminal } from './terminal.js';
import { addTokenFlags, type TokenFlags, tokensFor } from './token-flags.js';

interface PredictFlags extends SpaceFlags, ImageFlags, StatisticsFlags, TokenFlags {
  readonly input: string;
  readonly weights?: string;
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

/** Classes that a terminal shows of each input. */
const SHOWN = 5;

const IMAGE_TENSORS = new Map([
  [3, '[C, H, W]'],
  [4, '[N, C, H, W]'],
]);
const TOKEN_TENSORS = new Map([
  [1, '[T]'],
  [2, '[T, N]'],
]);

export function addPredict(program: Command): void {
  addTokenFlags(addStatisticsFlags(addImageFlags(addSpaceFlags(program.command('predict')))))
    .description('what a network says of an image, or a language model of a text')
    .argument(
      '<run|architecture>',
      'the folder of a training (with its weights) or of a search, a file, or a published name',
    )
    .requiredOption(
      '--input <file>',
      'an image, resized and cropped; or one safetensors tensor, read as it is: ' +
        'float32 [C, H, W] or [N, C, H, W]; of tokens int64 [T] or [T, N]',
    )
    .option('--weights <file>', "safetensors, under PyTorch's names (default: those of the training)")
    .option('--set <key=value>', 'an option of the space; repeatable', collectSetting, {})
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, flags: PredictFlags) => {
      const terminal = openTerminal(flags.json);
      const { found, weights: trained } = await findNetwork(path);
      const file = flags.weights ?? trained;
      if (file === undefined)
        throw new InputError(
          `--weights is missing: '${path}' is an architecture without weights; ` +
            'allowed: a safetensors file, or the folder of a finished training in its place',
        );
      const weights = readWeights(file);
      const space = configured(found, flags, weights);
      refuseFlagsOfOtherInput(space.definition, flags);
      const network = { found: { ...found, space }, file, weights };
      if (space.definition.reads === 'tokens') predictText(network, flags, terminal);
      else await predictImages(network, flags, terminal);
    });
}

/** An architecture in its space, and the weights of its network. */
interface Weighted {
  readonly found: FoundArchitecture;
  readonly file: string;
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** The space with the options of the flags; the network has an auxiliary head where the weights have one. */
function configured(
  { space: { definition, options } }: FoundArchitecture,
  flags: PredictFlags,
  weights: ReadonlyMap<string, Tensor>,
): Space {
  return Space.configure(definition, {
    ...options,
    ...auxiliaryOption(definition, weights),
    ...flags.set,
    ...spaceOptionsOf(flags, definition),
  });
}

async function predictImages(
  { found, file, weights }: Weighted,
  flags: PredictFlags,
  terminal: Terminal,
): Promise<void> {
  const { space, architecture } = found;
  const task = found.task && openImageTask(found.task);
  const shape = imagesFor(found, flags, task);
  const { images, standardised } = await readImages(flags, space, shape, task);
  const network = buildNetwork(space, architecture, shape);
  const prediction = scope(() => {
    loadWeights(network, weights, file);
    return classify(network.to({ memoryFormat: 'channels_last' }), images, shape);
  });
  network.free();
  // Where the classes are not the run's, their names would be wrong.
  const names = task?.classes.length === shape.classes ? task.classes : undefined;
  terminal.json({
    space: space.name,
    input: shape,
    ...(standardised === undefined ? {} : { standardised }),
    ...prediction,
    ...(names === undefined ? {} : { names }),
  });
  if (standardised !== undefined)
    terminal.line(
      `pixels standardised as ${standardised.of}: mean ${standardised.mean.join(', ')}; ` +
        `standard deviation ${standardised.std.join(', ')}`,
    );
  for (const index of prediction.classes.keys()) {
    terminal.result(prediction.classes.length === 1 ? flags.input : `${flags.input}, image ${index}`);
    show(terminal, prediction, index, (label) => names?.[label] ?? `class ${label}`);
  }
}

/** The input as the network reads it, [N, channels, height, width], and how an image file was standardised. */
async function readImages(
  flags: PredictFlags,
  space: Space,
  shape: InputShape,
  task: ImageTask | undefined,
): Promise<{ images: Tensor; standardised?: { of: string; mean: number[]; std: number[] } }> {
  const { input } = flags;
  if (isTensorFile(input)) {
    refuseFlags(flags, ['mean', 'std'], `the tensor of ${input} is read as it is`);
    const tensor = readInputTensor(input, 'float32', IMAGE_TENSORS);
    const images = tensor.shape.length === 3 ? tensor.unsqueeze(0) : tensor;
    const { channels, height, width } = shape;
    if (images.shape.slice(1).join() !== [channels, height, width].join() || images.size === 0)
      throw new InputError(
        `${input}: its tensor is [${tensor.shape}]; the network reads images [${channels}, ${height}, ${width}]: ` +
          'see --layout, --image-size and --image-channels',
      );
    return { images };
  }
  const statistics = statisticsFor(flags, space, shape.channels, task);
  // A run whose images have the size of the network tests on them as they are.
  const resizes = task === undefined ? space.options.layout === 'imagenet' : 'files' in task.test;
  const margin = resizes ? EVALUATION_MARGIN : 1;
  const images = evaluationView(await readImage(input, shape.channels), { ...shape, margin }, statistics);
  const { of, mean, standardDeviation } = statistics;
  return { images, standardised: { of, mean: [...mean], std: [...standardDeviation] } };
}

function predictText({ found, file, weights }: Weighted, flags: PredictFlags, terminal: Terminal): void {
  const { space, architecture } = found;
  const { input } = flags;
  if (!isTensorFile(input))
    throw new InputError(
      `--input ${input}: the networks of space ${space.name} read tokens; ` +
        `allowed: a .safetensors file with one int64 tensor ${[...TOKEN_TENSORS.values()].join(' or ')}`,
    );
  const tokens = tokensFor(flags);
  const model = buildLanguageModel(space, architecture, tokens);
  const prediction = scope(() => {
    loadWeights(model, weights, file);
    const tensor = readInputTensor(input, 'int64', TOKEN_TENSORS);
    return predictNextToken(model, tensor.shape.length === 1 ? tensor.unsqueeze(1) : tensor);
  });
  model.free();
  terminal.json({ space: space.name, input: tokens, ...prediction });
  const { classes, perplexities } = prediction;
  for (const index of classes.keys()) {
    const name = classes.length === 1 ? input : `${input}, text ${index}`;
    const perplexity = perplexities?.[index];
    terminal.result(
      `${name}${perplexity === undefined ? '' : `: perplexity ${perplexity.toFixed(2)}`}; the next token`,
    );
    show(terminal, prediction, index, (token) => `token ${token}`);
  }
}

function isTensorFile(path: string): boolean {
  return path.toLowerCase().endsWith('.safetensors');
}

/** The most probable classes of an input, a line each. */
function show(
  terminal: Terminal,
  { probabilities }: Prediction,
  index: number,
  nameOf: (label: number) => string,
): void {
  const ranked = (probabilities[index] as readonly number[])
    .map((probability, label) => ({ probability, label }))
    .sort((a, b) => b.probability - a.probability);
  for (const { probability, label } of ranked.slice(0, SHOWN))
    terminal.result(`${(100 * probability).toFixed(2).padStart(8)} %  ${nameOf(label)}`);
}

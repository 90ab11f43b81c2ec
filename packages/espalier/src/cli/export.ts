import { existsSync, statSync, writeFileSync } from 'node:fs';
import { loadTensors, scope } from '@espalier/torch';
import type { Command } from 'commander';
import {
  architectureFile,
  type FoundArchitecture,
  findArchitecture,
} from '../experiments/found-architecture.js';
import { isTraining, trainedNetwork } from '../experiments/training-run.js';
import { exportOnnx } from '../export/onnx.js';
import { InputError } from '../input-error.js';
import { buildNetwork } from '../networks/build-network.js';
import { drawArchitecture } from '../reports/search-report.js';
import { Space } from '../space/space.js';
import { initialised } from '../training/child.js';
import { addImageFlags, type ImageFlags, imagesFor } from './image-flags.js';
import { wholeNumber } from './options.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { openTerminal } from './terminal.js';

interface ExportFlags extends ImageFlags, SpaceFlags {
  readonly format: string;
  readonly out?: string;
  readonly weights?: string;
  readonly seed: number;
  readonly json: boolean;
}

const FORMATS = ['json', 'svg', 'onnx'];

export function addExport(program: Command): void {
  addImageFlags(addSpaceFlags(program.command('export')))
    .description('write an architecture out: as JSON, as a picture, or its network as ONNX')
    .argument(
      '<run|architecture>',
      'the folder of a search (its best architecture) or of a training (with its weights), a file, or a published name',
    )
    .requiredOption('--format <json|svg|onnx>', 'what to write')
    .option('--out <file>', 'where to write it (default: stdout)')
    .option('--weights <file>', 'safetensors for onnx (default: those of the training, or initial ones)')
    .option('--seed <n>', 'of initial weights', wholeNumber(0), 1)
    .option('--json', 'say as one JSON value on stdout what was written (with --out)', false)
    .action(async (path: string, flags: ExportFlags) => {
      const { format, out, json } = flags;
      if (!FORMATS.includes(format))
        throw new InputError(`--format '${format}': allowed: ${FORMATS.join(', ')}`);
      if (json && out === undefined)
        throw new InputError('--json goes with --out: stdout is the exported file');
      const bytes = await exported(path, flags);
      if (out === undefined) {
        process.stdout.write(bytes);
        return;
      }
      writeFileSync(out, bytes);
      const terminal = openTerminal(json);
      terminal.result(`${out}: ${format}, ${bytes.length} bytes`);
      terminal.json({ file: out, format, bytes: bytes.length });
    });
}

async function exported(path: string, flags: ExportFlags): Promise<Uint8Array> {
  const isTrained = existsSync(path) && statSync(path).isDirectory() && isTraining(path);
  const { found: named, weights } = isTrained
    ? await trainedNetwork(path)
    : { found: await findArchitecture(path), weights: undefined };
  const { definition, options } = named.space;
  const space = Space.configure(definition, { ...options, ...spaceOptionsOf(flags, definition) });
  const found: FoundArchitecture = { ...named, space };
  if (flags.format === 'json') return Buffer.from(`${JSON.stringify(architectureFile(found), null, 2)}\n`);
  const shape = imagesFor(found, flags);
  if (flags.format === 'svg')
    return Buffer.from(drawArchitecture(space, found.architecture, shape, `A network of ${space.name}`));
  const network = initialised(() => buildNetwork(space, found.architecture, shape), flags.seed);
  const file = flags.weights ?? weights;
  if (file !== undefined) {
    try {
      scope(() => network.loadStateDict(loadTensors(file).tensors));
    } catch (error) {
      throw new InputError(`--weights ${file}: ${(error as Error).message}`);
    }
  }
  return exportOnnx(network, shape);
}

import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { architectureFile, findArchitecture } from '../experiments/found-architecture.js';
import { InputError } from '../input-error.js';
import { drawArchitecture } from '../reports/search-report.js';
import { addImageFlags, type ImageFlags, imagesFor } from './image-flags.js';
import { openTerminal } from './terminal.js';

interface ExportFlags extends ImageFlags {
  readonly format: string;
  readonly out?: string;
  readonly json: boolean;
}

const FORMATS = ['json', 'svg'];

export function addExport(program: Command): void {
  addImageFlags(program.command('export'))
    .description('write an architecture out: as JSON, or as a picture')
    .argument('<run|architecture>', 'a run folder (its best architecture) or an architecture file')
    .requiredOption('--format <json|svg>', 'what to write')
    .option('--out <file>', 'where to write it (default: stdout)')
    .option('--json', 'say as one JSON value on stdout what was written (with --out)', false)
    .action(async (path: string, flags: ExportFlags) => {
      const { format, out, json } = flags;
      if (!FORMATS.includes(format))
        throw new InputError(`--format '${format}': allowed: ${FORMATS.join(', ')}`);
      if (json && out === undefined)
        throw new InputError('--json goes with --out: stdout is the exported file');
      const found = await findArchitecture(path);
      const { space, architecture } = found;
      const text =
        format === 'json'
          ? `${JSON.stringify(architectureFile(found), null, 2)}\n`
          : drawArchitecture(space, architecture, imagesFor(found, flags), `A network of ${space.name}`);
      if (out === undefined) {
        process.stdout.write(text);
        return;
      }
      writeFileSync(out, text);
      const terminal = openTerminal(json);
      terminal.result(`${out}: ${format}, ${Buffer.byteLength(text)} bytes`);
      terminal.json({ file: out, format, bytes: Buffer.byteLength(text) });
    });
}

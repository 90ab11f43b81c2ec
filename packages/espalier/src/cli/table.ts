import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { SECONDS, searchTable } from '../experiments/search-table.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { count, valueText } from '../reports/figures.js';
import { openTerminal } from '../terminal/terminal.js';
import { writeOutput } from './write-output.js';

interface TableFlags {
  readonly out: string;
  readonly cost: string;
  readonly json: boolean;
}

export function addTable(program: Command): void {
  program
    .command('table')
    .description('make a table of what searches have measured, for espalier bench: JSON lines')
    .argument(
      '<run...>',
      'folders of searches in one space: a search in the table sees and pays what the first one did; the mean of the others ' +
        'judges, which had other seeds or trained longer',
    )
    .requiredOption('--out <file>', 'where to write it; gzipped if the name ends with .gz')
    .option(
      '--cost <seconds|unit>',
      "what a trial costs in the table: the seconds that it took, or its cost in the unit of the first search's estimator, " +
        'such as epochs, which is the same on any machine',
      SECONDS,
    )
    .option('--json', 'what was written, as one JSON value on stdout', false)
    .action(async (paths: string[], { out, cost, json }: TableFlags) => {
      if (!existsSync(dirname(out))) throw new InputError(`--out ${out}: there is no folder ${dirname(out)}`);
      const terminal = openTerminal(json);
      const { rows, space, spaceOptions, measure, best, agreement, leftOut } = await searchTable(paths, cost);
      const lines = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
      const bytes = out.endsWith('.gz') ? gzipSync(lines, { level: 9 }) : Buffer.from(lines);
      writeOutput(out, bytes);
      const ranks =
        agreement === undefined
          ? ''
          : `; Kendall's tau of what is seen and what is judged: ${agreement.toFixed(2)}`;
      terminal.result(
        [
          `${out}: ${count(rows.length)} architectures of space ${space}, ${bytes.length} bytes; the best has ` +
            `${measure} ${valueText(measure, best)}${ranks}`,
          ...(leftOut === 0
            ? []
            : [`${count(leftOut)} are left out, which not all of the searches have measured`]),
          `compare strategies in it: espalier bench --space ${space}${settings(spaceOptions)} --table ${out} --strategy ...`,
        ].join('\n'),
      );
      terminal.json({
        file: out,
        bytes: bytes.length,
        architectures: rows.length,
        leftOut,
        space,
        spaceOptions,
        measure,
        best,
        agreement: agreement ?? null,
      });
    });
}

/** Options as they are set on the command line. */
const settings = (options: Readonly<Record<string, Json>>) =>
  Object.entries(options)
    .map(([name, value]) => ` --set 'space.${name}=${JSON.stringify(value)}'`)
    .join('');

import type { Command } from 'commander';
import { kindOf } from '../kinds/kinds-of-run.js';
import { openTerminal } from '../terminal/terminal.js';
import { say } from './say.js';

export function addShow(program: Command): void {
  program
    .command('show')
    .description(
      'what a run has come to, with its report: curves, tables, and the picture of the best network',
    )
    .argument('<folder>', 'run folder')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { json }: { json: boolean }) => {
      say(await kindOf(path).show(path), openTerminal(json));
    });
}

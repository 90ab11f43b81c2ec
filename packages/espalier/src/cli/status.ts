import type { Command } from 'commander';
import { kindOf } from '../kinds/kinds-of-run.js';
import { openTerminal } from '../terminal/terminal.js';
import { say } from './say.js';

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('how far a run is: a search, a training or an evaluation')
    .argument('<folder>', 'run folder')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { json }: { json: boolean }) => {
      say(await kindOf(path).status(path), openTerminal(json));
    });
}

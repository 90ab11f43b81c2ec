import type { Command } from 'commander';
import { kindOf } from '../kinds/kinds-of-run.js';
import { openTerminal } from '../terminal/terminal.js';
import { say } from './say.js';

export function addResume(program: Command): void {
  program
    .command('resume')
    .description('go on with a search, a training or an evaluation that was stopped or killed')
    .argument('<folder>', 'run folder')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { json }: { json: boolean }) => {
      const terminal = openTerminal(json);
      say(await kindOf(path).goOn(path, terminal), terminal);
    });
}

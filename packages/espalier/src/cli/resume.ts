import type { Command } from 'commander';
import { kindOf } from '../kinds/kinds-of-run.js';
import { changedEnvironment } from '../runs/environment-difference.js';
import { RunFolder } from '../runs/run-folder.js';
import { openTerminal } from '../terminal/terminal.js';
import { say } from './say.js';

export function addResume(program: Command): void {
  program
    .command('resume')
    .description('go on with a search, a training or an evaluation that was stopped or killed')
    .argument('<folder>', 'run folder')
    .option('--data <kind:path>', 'where its data is now, if not where it was; its checksum decides')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { data, json }: { data?: string; json: boolean }) => {
      const terminal = openTerminal(json);
      const changed = changedEnvironment(RunFolder.open(path).manifest);
      if (changed !== undefined) terminal.line(`note: ${changed}`);
      say(await kindOf(path).goOn(path, terminal, { data }), terminal);
    });
}

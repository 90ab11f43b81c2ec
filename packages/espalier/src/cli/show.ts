import type { Command } from 'commander';
import { childrenOf, kindOf } from '../kinds/kinds-of-run.js';
import { openTerminal } from '../terminal/terminal.js';
import { addChildFlag, type ChildFlag } from './child-flag.js';
import { say } from './say.js';

export function addShow(program: Command): void {
  addChildFlag(program.command('show'))
    .description(
      'what a run has come to, with its report: curves, tables, and the picture of the best network',
    )
    .argument('<folder>', 'run folder')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { json, child }: ChildFlag & { json: boolean }) => {
      const said = child === undefined ? kindOf(path).show(path) : childrenOf(path, child).show(path, child);
      say(await said, openTerminal(json));
    });
}

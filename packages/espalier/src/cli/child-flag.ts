import type { Command } from 'commander';
import { wholeNumber } from './options.js';

export interface ChildFlag {
  readonly child?: number;
}

export function addChildFlag(command: Command): Command {
  return command.option(
    '--child <n>',
    'of the folder of a search: this child, counted from 1 (default: the best)',
    wholeNumber(1),
  );
}

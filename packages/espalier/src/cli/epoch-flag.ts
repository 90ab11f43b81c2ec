import type { Command } from 'commander';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import type { Terminal } from '../terminal/terminal.js';
import { wholeNumber } from './options.js';

/** Which genotype of a log is meant. */
export interface EpochFlag {
  readonly epoch?: number;
}

export function addEpochFlag(command: Command): Command {
  return command.option(
    '--epoch <n>',
    'of a log with several genotypes the one of this epoch, as the log counts (default: the last one)',
    wholeNumber(0),
  );
}

/** Tells which of several genotypes was read. */
export function sayWhichGenotype({ note }: FoundArchitecture, terminal: Terminal): void {
  if (note !== undefined) terminal.line(`note: ${note}`);
}

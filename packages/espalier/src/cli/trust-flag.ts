import { statSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';

/** The commands that read runs and architectures, which may name files of code. */
const READERS: ReadonlySet<string> = new Set([
  'resume',
  'status',
  'show',
  'inspect',
  'train',
  'export',
  'predict',
  'compare',
  'evaluate',
  'reproduce',
]);

/** Its value needs no other code: a file that stands on the command line may be imported, see `importOnly`. */
export function addTrustFlag(command: Command): void {
  if (!READERS.has(command.name())) return;
  command.option(
    '--trust <file>',
    'run this file of code if the run or the architecture names it (once for each file)',
    (file: string, before: readonly string[] = []) => {
      if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
        throw new InvalidArgumentError('Allowed: the path of a file.');
      return [...before, file];
    },
  );
}

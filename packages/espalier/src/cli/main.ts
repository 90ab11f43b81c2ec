import { Console } from 'node:console';
import { Command, CommanderError } from 'commander';
// Files of the user import the whole library.
import '../index.js';
import { InputError } from '../input-error.js';
import { sayNotes } from '../modules/notes.js';
import { importOnly } from '../modules/trusted-files.js';
import { Diverged } from '../tasks/task.js';
import { version } from '../version.js';
import { addBench } from './bench.js';
import { addCheck } from './check.js';
import { addCompare } from './compare.js';
import { addDemo } from './demo.js';
import { addEvaluate } from './evaluate.js';
import { addExport } from './export.js';
import { addInspect } from './inspect.js';
import { addPredict } from './predict.js';
import { addReproduce } from './reproduce.js';
import { addResume } from './resume.js';
import { addSearch } from './search.js';
import { addShow } from './show.js';
import { addStatus } from './status.js';
import { addTrain } from './train.js';
import { addTrustFlag } from './trust-flag.js';

/** Exit code of wrong input. */
const WRONG_INPUT = 2;

const program = new Command('espalier')
  .description('Neural architecture search in TypeScript')
  .version(version)
  .exitOverride()
  .showSuggestionAfterError(true);
for (const add of [
  addSearch,
  addResume,
  addStatus,
  addShow,
  addInspect,
  addCheck,
  addTrain,
  addExport,
  addPredict,
  addCompare,
  addEvaluate,
  addReproduce,
  addBench,
  addDemo,
])
  add(program);
for (const command of program.commands) {
  command.exitOverride();
  addTrustFlag(command);
}

// A file that stands on the command line is asked for; one that a run or an architecture names is not.
importOnly(process.argv.slice(2).flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]));

sayNotes((text) => process.stderr.write(`${text}\n`));

// Whoever reads the output may stop before its end: `espalier inspect darts-v2 | head -3`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

// Stdout is for results: what a file of the user prints must not get into the JSON.
globalThis.console = new Console(process.stderr, process.stderr);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; help and version are no error.
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_INPUT;
  } else if (error instanceof InputError) {
    process.stderr.write(`espalier: ${error.message}\n`);
    process.exitCode = WRONG_INPUT;
  } else if (error instanceof Diverged) {
    process.stderr.write(`espalier: ${error.message}\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(`espalier: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}

import { Console } from 'node:console';
import { Command } from 'commander';
// Files of the user import the whole library.
import '../index.js';
import { sayNotes } from '../modules/notes.js';
import { importOnly } from '../modules/trusted-files.js';
import { version } from '../version.js';
import { addBench } from './bench.js';
import { addCheck } from './check.js';
import { addCompare } from './compare.js';
import { addDemo } from './demo.js';
import { addEvaluate } from './evaluate.js';
import { explain } from './explain-error.js';
import { addExport } from './export.js';
import { addInspect } from './inspect.js';
import { nameUnknownFirst } from './missing-options.js';
import { addPredict } from './predict.js';
import { addReplica } from './replica.js';
import { addReproduce } from './reproduce.js';
import { addResume } from './resume.js';
import { addSearch } from './search.js';
import { addShow } from './show.js';
import { addStatus } from './status.js';
import { addTable } from './table.js';
import { addTest } from './test.js';
import { addTrain } from './train.js';
import { addTrustFlag } from './trust-flag.js';
import { addTune } from './tune.js';
import { addWorker } from './worker.js';

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
  addTest,
  addCompare,
  addTune,
  addEvaluate,
  addReproduce,
  addTable,
  addBench,
  addWorker,
  addReplica,
  addDemo,
])
  add(program);
for (const command of program.commands) {
  command.exitOverride();
  addTrustFlag(command);
  nameUnknownFirst(command);
}

// A file that stands on the command line is asked for; one that a run or an architecture names is not.
// `--space=./my-space.ts` and `--strategy mine=./my-strategy.ts,random` name files, too.
importOnly(process.argv.slice(2).flatMap((word) => [word, ...word.split(/[=,]/)]));

sayNotes((text) => process.stderr.write(`${text}\n`));
/** Says what went wrong, and with which exit code the process ends. */
function end(error: unknown): void {
  const { message, exitCode } = explain(error);
  if (message !== undefined) process.stderr.write(`espalier: ${message}\n`);
  process.exitCode = exitCode;
}

// Whoever reads the output may stop before its end: `espalier inspect darts-v2 | head -3`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') end(Object.assign(error, { path: 'stdout' }));
  process.exit();
});
// Whoever follows the progress may stop too; the work goes on without.
process.stderr.on('error', () => {});
// What happens between two steps of a command, such as a journal that is put on a full disk.
process.on('uncaughtException', (error) => {
  end(error);
  process.exit();
});

// Stdout is for results: what a file of the user prints must not get into the JSON.
globalThis.console = new Console(process.stderr, process.stderr);

try {
  await program.parseAsync();
} catch (error) {
  end(error);
}

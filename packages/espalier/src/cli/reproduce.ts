import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { kindOf } from '../kinds/kinds-of-run.js';
import { firstDifferentLine, type JournalDifference } from '../runs/compare-journals.js';
import { environmentDifferences } from '../runs/environment-difference.js';
import { shorten } from '../runs/first-difference.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { readManifest } from '../runs/manifest.js';
import { RunFolder } from '../runs/run-folder.js';
import { openTerminal, type Terminal } from '../terminal/terminal.js';
import { trainingFiles } from '../training/final-training.js';
import { freeFolder } from './free-folder.js';

/** Exit code of a run that came to something else. */
const DIFFERENT = 1;

/** What a second run came to, for `--json`. */
interface Reproduction {
  readonly run: string;
  readonly again: string;
  readonly equal: boolean;
  /** That the second run was compared with. */
  readonly lines: number;
  /** Whether the first run had come to its end; otherwise only its lines are compared. */
  readonly finished: boolean;
  readonly difference: (JournalDifference & { readonly message: string }) | null;
  /** Whether the weights are the same bytes; null for a run that leaves none. */
  readonly weightsEqual: boolean | null;
  /** What differs in the manifests; null where the first run has none. */
  readonly environment:
    | readonly { readonly key: string; readonly run: string; readonly again: string }[]
    | null;
}

export function addReproduce(program: Command): void {
  program
    .command('reproduce')
    .description('do a run again with its settings, and say where the first difference is')
    .argument('<folder>', 'run folder')
    .option('--out <folder>', 'of the second run (default: FOLDER-again); one that was stopped goes on')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { out, json }: { out?: string; json: boolean }) => {
      const terminal = openTerminal(json);
      const result = await inFolderOf(path, out ?? freeFolder(`${path.replace(/\/+$/, '')}-again`), terminal);
      if (result === undefined) return;
      terminal.result(describe(result));
      terminal.json(result);
      if (!result.equal) process.exitCode = DIFFERENT;
    });
}

/** Works where the run was begun, so that relative paths of its settings mean the same. */
async function inFolderOf(path: string, out: string, terminal: Terminal): Promise<Reproduction | undefined> {
  const [begin] = readJournal(RunFolder.open(path).journal).events as [JournalEvent];
  const here = process.cwd();
  const from = begin.clock?.cwd;
  if (typeof from !== 'string' || from === here) return reproduce(path, out, terminal);
  if (!existsSync(from)) {
    terminal.line(`${path}: the folder it was begun in, ${from}, is not there; relative paths begin here`);
    return reproduce(path, out, terminal);
  }
  const [absolute, absoluteOut] = [resolve(path), resolve(out)];
  process.chdir(from);
  try {
    return await reproduce(absolute, absoluteOut, terminal);
  } finally {
    process.chdir(here);
  }
}

/** @returns undefined where the second run was stopped */
async function reproduce(path: string, out: string, terminal: Terminal): Promise<Reproduction | undefined> {
  const folder = RunFolder.open(path);
  const { events } = readJournal(folder.journal);
  const kind = kindOf(path);
  if (!existsSync(out) || !existsSync(trainingFiles(out).journal)) await kind.beginAgain(path, out);
  const again = RunFolder.open(out);
  // Other settings or data make another run: that is known before hours are spent.
  const begun = readJournal(again.journal).events;
  if (firstDifferentLine(events.slice(0, 1), begun.slice(0, 1)) === undefined && !isFinished(begun)) {
    // A search tells its results in the order that the first run recorded.
    if (!(await kind.goOn(out, terminal, { follow: events })).finished) {
      terminal.line(`to go on: espalier reproduce ${path} --out ${out}`);
      return undefined;
    }
  }
  const finished = isFinished(events);
  const { events: all } = readJournal(again.journal);
  const compared = finished ? all : all.slice(0, events.length);
  const difference = firstDifferentLine(events, compared);
  const weightsEqual = sameWeights(path, out);
  return {
    run: path,
    again: out,
    equal: difference === undefined && weightsEqual !== false,
    lines: events.length,
    finished,
    difference:
      difference === undefined
        ? null
        : { ...difference, message: messageOf(difference, folder.journal, again.journal) },
    weightsEqual,
    environment: environmentOf(folder, again),
  };
}

function isFinished(events: readonly JournalEvent[]): boolean {
  return events.at(-1)?.event === 'end';
}

function messageOf({ line, path, ours, theirs }: JournalDifference, first: string, second: string): string {
  const what = path === '' ? '' : `${path} is `;
  return `${second}:${line}: ${what}${theirs}\n${first}:${line}: ${what}${ours}`;
}

function sameWeights(path: string, out: string): boolean | null {
  const { weights } = trainingFiles(path);
  if (!existsSync(weights)) return null;
  const again = trainingFiles(out).weights;
  return existsSync(again) && checksumOf(again) === checksumOf(weights);
}

function checksumOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function environmentOf(first: RunFolder, second: RunFolder): Reproduction['environment'] {
  const [run, again] = [readManifest(first.manifest), readManifest(second.manifest)];
  if (run === undefined || again === undefined) return null;
  return environmentDifferences(run.environment, again.environment).map(
    ({ key, first: ours, second: its }) => ({
      key,
      run: ours,
      again: its,
    }),
  );
}

/** The result for people. */
function describe(result: Reproduction): string {
  const { run, again, lines, difference, weightsEqual, environment, finished } = result;
  const same = `the same ${lines} line${lines === 1 ? '' : 's'} as ${run}`;
  const said = [
    difference === null
      ? `${again}: ${same}${finished ? '' : ', which is not at its end'}`
      : difference.message,
    ...(weightsEqual === null ? [] : [weightsEqual ? '  and the same weights' : '  the weights differ']),
  ];
  if (result.equal) return said.join('\n');
  if (environment === null) said.push(`${run} has no manifest: what was different there is not known`);
  else if (environment.length === 0) said.push('the manifests tell of no difference of version or machine');
  else {
    said.push('likely because of what the manifests tell:');
    for (const one of environment)
      said.push(`  ${one.key}: ${shorten(one.run)} in ${run}, ${shorten(one.again)} in ${again}`);
  }
  return said.join('\n');
}

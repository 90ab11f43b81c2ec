import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type FoundArchitecture,
  parseArchitecture,
  publishedArchitecture,
} from '../experiments/found-architecture.js';
import { requireReadable } from '../experiments/readable-version.js';
import { type RunResult, readResult } from '../experiments/run-result.js';
import type { RunsOfAllKinds } from '../experiments/runs-of-all-kinds.js';
import type { TrainedArchitecture } from '../experiments/trained-network.js';
import { hub } from '../hub/hub.js';
import { InputError } from '../input-error.js';
import { didYouMean } from '../nearest-name.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { readGenotypeText } from '../spaces/genotype-text.js';
import { spaces } from '../spaces/space-names.js';
import type { Terminal } from '../terminal/terminal.js';
import { bench } from './bench.js';
import { evaluationKind } from './evaluation.js';
import type { GoingOn, KindOfRun } from './kind-of-run.js';
import { search } from './search.js';
import { training } from './training.js';
import { tuningKind } from './tuning.js';
import { weightSharingSearch } from './weight-sharing.js';

/** Runs of every kind. */
export const runs: RunsOfAllKinds = {
  resultOf,
  findArchitecture,
  bestArchitectures(path, count) {
    const { best, name } = kindOf(path);
    if (best === undefined)
      throw new InputError(
        `${path}: a run of kind '${name}' measures no children; allowed: searches that do`,
      );
    return best(path, count);
  },
  beginAgain: (path, out, changes) => kindOf(path).beginAgain(path, out, changes),
};

const goOn = async (path: string, terminal: Terminal, how: GoingOn) => {
  const { finished } = await kindOf(path).goOn(path, terminal, how);
  return finished;
};

const evaluation = evaluationKind(runs, goOn);
const tuning = tuningKind(runs, goOn);

/** The kinds of runs, by the first event of their journals. */
const kindsOfRun: ReadonlyMap<string, KindOfRun> = new Map(
  [search, weightSharingSearch, training, evaluation, tuning, bench].map((kind) => [kind.event, kind]),
);

/** The kind of the run in a folder. @throws InputError where there is no run, or one that this version cannot read */
export function kindOf(path: string): KindOfRun {
  const { journal } = RunFolder.open(path);
  const [begin] = readJournal(journal).events as readonly [JournalEvent];
  requireReadable(begin, journal);
  const kind = kindsOfRun.get(begin.event);
  if (kind === undefined)
    throw new InputError(
      `${journal}:1: no run begins with '${begin.event}'; known: ${[...kindsOfRun.keys()].join(', ')}`,
    );
  return kind;
}

/**
 * What a run has come to: of a search the best child's validation measure, of a training what it is judged by, of a
 * search with shared weights the measure of its architecture with them. Reads the journal and nothing else.
 *
 * @throws InputError for a folder without a run, and for a kind that has no single result
 */
export function resultOf(path: string): RunResult {
  const { result, name } = kindOf(path);
  if (result === undefined)
    throw new InputError(
      `${path}: a run of kind '${name}' cannot be compared; comparable: ${[...kindsOfRun.values()]
        .filter((kind) => kind.result !== undefined)
        .map((kind) => kind.name)
        .join(', ')}`,
    );
  return readResult(path, result);
}

/** Which of several architectures is meant. */
interface Which {
  /** Of a log: the genotype of this epoch. */
  readonly epoch?: number | undefined;
  /** Of a search: this child, counted from 1. By default the best one. */
  readonly child?: number | undefined;
}

/**
 * The architecture of a published name, of a file (JSON, or a genotype in the Python of published code, also in a log), or
 * of a run's folder.
 *
 * @throws InputError where there is none
 */
export async function findArchitecture(
  path: string,
  { epoch, child }: Which = {},
): Promise<FoundArchitecture> {
  if (child !== undefined) return childrenOf(path, child).architecture(path, child);
  const published = await publishedArchitecture(path);
  const isFolder = published === undefined && isRunFolder(path);
  if (epoch !== undefined && (published !== undefined || isFolder))
    throw new InputError(
      `--epoch ${epoch}: '${path}' is no log; an epoch is chosen among the genotypes of a log`,
    );
  if (published !== undefined) return published;
  if (!existsSync(path))
    throw new InputError(
      `'${path}': no such file, run folder or published architecture;${didYouMean(path, hub.keys())} ` +
        `published: ${[...hub.keys()].join(', ')}`,
    );
  if (isFolder) return kindOf(path).architecture(path);
  const { content, note } = readGenotypeText(readFileSync(path, 'utf8'), path, epoch);
  const found = await parseArchitecture(withSpace(content), path, dirname(path));
  return note === undefined ? found : { ...found, note };
}

const isRunFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/**
 * The children of the run in a folder.
 *
 * @param child that is wanted, for messages
 * @throws InputError where the path is no run with children
 */
export function childrenOf(path: string, child: number): NonNullable<KindOfRun['children']> {
  const kind = isRunFolder(path) ? kindOf(path) : undefined;
  if (kind?.children !== undefined) return kind.children;
  throw new InputError(
    `--child ${child}: ${path} is ${kind === undefined ? 'no run' : `a ${kind.name}`}; allowed: the folder of a search that trains children`,
  );
}

/** What `findArchitecture` finds; of a training's folder with its weights. @throws InputError where there is none */
export async function findNetwork(path: string, which: Which = {}): Promise<TrainedArchitecture> {
  const network = isRunFolder(path) ? kindOf(path).network : undefined;
  const isOne = which.epoch === undefined && which.child === undefined;
  if (network !== undefined && isOne) return network(path);
  return { found: await findArchitecture(path, which), weights: undefined, signature: undefined };
}

/** A genotype as published code prints it does not name its space, but the space recognises it. */
function withSpace(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content) || 'space' in content)
    return content;
  const its = [...spaces.values()].find(
    ({ genotype }) => genotype?.published?.(content as Record<string, unknown>) !== undefined,
  );
  return its === undefined ? content : { space: its.name, ...content };
}

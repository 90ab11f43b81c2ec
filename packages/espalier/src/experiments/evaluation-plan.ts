import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError } from '../input-error.js';
import { type TaskSettings, taskFrom } from '../tasks/task-settings.js';
import type { Candidate, EvaluatedMethod } from './evaluation.js';
import { begunArchitecture, type FoundArchitecture, type RankedArchitecture } from './found-architecture.js';
import type { RunResult } from './run-result.js';
import type { RunsOfAllKinds } from './runs-of-all-kinds.js';

/** How the networks of a space are trained for the task of an architecture. */
type TrainingOf = (found: FoundArchitecture) => Promise<Omit<EvaluatedMethod, 'name' | 'candidates'>>;

export interface EvaluationPlan {
  readonly methods: readonly EvaluatedMethod[];
  /** The task and data that all searches were on, with paths from here; undefined where no search says it. */
  readonly data: SearchedData | undefined;
}

/** Which task and data a search was on, in which size it saw the images, and what the tokens of its text were. */
type SearchedData = Pick<TaskSettings, 'name' | 'data' | 'imageSize' | 'level'>;

/** An argument of the command, with what is there. */
interface Given {
  readonly path: string;
  readonly found: FoundArchitecture;
  /** Where it is the folder of a search. */
  readonly search?: RunResult;
  /** Of a search, the architectures that are candidates, where these are more than its best. */
  readonly best?: readonly RankedArchitecture[];
}

/**
 * What there is to evaluate: searches that differ in the seed only are one method, whose candidates are what they
 * found; each other architecture is a method of its own.
 *
 * @param options seeds: searches that each method that searches shall have; those that are missing are yet to be done, with
 *   the smallest seeds that are free. top: how many of the children of each search are candidates, the best ones
 * @throws InputError for an argument that is no architecture and no search at its end
 */
export async function planEvaluation(
  paths: readonly string[],
  { seeds, top = 1 }: { readonly seeds?: number | undefined; readonly top?: number | undefined },
  trainingOf: TrainingOf,
  runs: RunsOfAllKinds,
): Promise<EvaluationPlan> {
  const given: Given[] = [];
  for (const path of new Set(paths)) given.push(await givenAt(path, top, runs));
  const searches = given.filter(({ search }) => search !== undefined);
  if (seeds !== undefined && searches.length === 0)
    throw new InputError(
      `--seeds ${seeds}: none of the arguments is the folder of a search that could be repeated`,
    );
  if (top > 1 && (seeds !== undefined || searches.length === 0))
    throw new InputError(
      seeds === undefined
        ? `--top ${top}: none of the arguments is the folder of a search`
        : `--top ${top}: with --seeds, each search has one candidate, its best`,
    );
  const groups = new Map<string, Given[]>();
  for (const one of given) {
    const { search, path } = one;
    const key = JSON.stringify(
      search === undefined
        ? [path]
        : [search.strategy, search.dataChecksum, Object.entries(search.settings).sort()],
    );
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const names = new Set<string>();
  const candidateNames = new Set<string>();
  const methods: EvaluatedMethod[] = [];
  for (const group of groups.values()) {
    const [{ path, found, search }] = group as [Given];
    const name = freeName(names, search?.strategy ?? basename(path).replace(/\.\w+$/, ''));
    const candidates =
      search === undefined
        ? [{ name, architecture: begunArchitecture(found) }]
        : searched(name, group, seeds);
    methods.push({
      name,
      ...(await trainingOf(found)),
      candidates: candidates.map((one) => ({ ...one, name: freeName(candidateNames, one.name) })),
    });
  }
  const data = new Map<string, SearchedData>();
  for (const { found } of searches) {
    const one = dataOf(found);
    if (one === undefined) continue;
    data.set(textOf(one), one);
  }
  if (data.size > 1)
    throw new InputError(
      `the searches were on ${[...data.keys()].join(' and ')}: say with --data what to evaluate on`,
    );
  return { methods, data: [...data.values()][0] };
}

async function givenAt(path: string, top: number, runs: RunsOfAllKinds): Promise<Given> {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  if (!isFolder) return { path, found: await runs.findArchitecture(path) };
  const search = runs.resultOf(path);
  if (search.strategy === null)
    throw new InputError(`${path}: a training; name the search or the file that its architecture is of`);
  if (!search.finished)
    throw new InputError(
      `${path}: the search is not at its end; go on with it first: espalier resume ${path}`,
    );
  const best = top > 1 ? { best: await runs.bestArchitectures(path, top) } : {};
  return { path, search, found: await runs.findArchitecture(path), ...best };
}

function searched(method: string, group: readonly Given[], seeds = group.length): Candidate[] {
  const taken = new Map<number, string>();
  const candidates = group.flatMap(({ path, found, search, best }): Candidate[] => {
    const { seed } = search as RunResult;
    const twin = taken.get(seed);
    if (twin !== undefined)
      throw new InputError(
        `${twin} and ${path} have the same settings and seed ${seed}: they are one search`,
      );
    taken.set(seed, path);
    const name = `${method}-seed${seed}`;
    return best === undefined
      ? [{ name, search: path, architecture: begunArchitecture(found) }]
      : best.map((one, index) => ({
          name: `${name}-top${index + 1}`,
          search: path,
          architecture: begunArchitecture(one.found),
          value: one.value,
        }));
  });
  const [{ path: like }] = group as [Given];
  for (let seed = 1; candidates.length < seeds; seed++)
    if (!taken.has(seed)) candidates.push({ name: `${method}-seed${seed}`, search: like, seed });
  return candidates;
}

function freeName(taken: Set<string>, wanted: string): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
  taken.add(name);
  return name;
}

function dataOf({ task }: FoundArchitecture): SearchedData | undefined {
  if (task === undefined) return undefined;
  const { name, data, imageSize, level } = taskFrom(process.cwd(), task);
  return {
    name,
    data,
    ...(imageSize === undefined ? {} : { imageSize }),
    ...(level === undefined ? {} : { level }),
  };
}

/** `images:DIR at 32 pixels`, `text:DIR by character`. */
function textOf({ data, imageSize, level = 'word' }: SearchedData): string {
  if (imageSize !== undefined) return `${data} at ${imageSize} pixels`;
  return level === 'word' ? data : `${data} by ${level}`;
}

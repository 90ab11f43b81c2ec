import { isDeepStrictEqual } from 'node:util';
import { architectureFile } from '../experiments/found-architecture.js';
import type { RunResult } from '../experiments/run-result.js';
import type { RunsOfAllKinds } from '../experiments/runs-of-all-kinds.js';
import { kendallTau } from '../statistics/kendall-tau.js';
import type { LabelledResult } from './method-comparison.js';

/** How far an earlier stage orders networks as a later one does: 1 the same, 0 unrelated, -1 turned round. */
export interface StageAgreement {
  readonly method: string;
  readonly first: string;
  readonly second: string;
  /** Networks that were in both. */
  readonly networks: number;
  /** Kendall's tau-b, better with better; the mean over the runs where there are several. */
  readonly tau: number;
}

/** Found by a search, and what a training made of it. */
interface Trained {
  readonly search: RunResult;
  readonly training: RunResult;
}

/** Runs with their seeds' labels, and the trainings beside the searches that they follow. */
export interface Staged {
  readonly results: readonly LabelledResult[];
  readonly trained: readonly Trained[];
}

/**
 * Finds what search each training follows: the one that found its architecture. The training counts for the search's
 * strategy then, and its label has both seeds. One that follows several counts for each.
 */
export async function stagesOf(
  runs: readonly RunResult[],
  findArchitecture: RunsOfAllKinds['findArchitecture'],
): Promise<Staged> {
  const trainings = runs.filter(({ strategy }) => strategy === null);
  const searches = runs.filter(({ strategy }) => strategy !== null);
  const architectureOf = async ({ path }: RunResult) => {
    // Without the options of the space: cells are trained in larger networks than they are found in.
    const { options: _, ...architecture } = architectureFile(await findArchitecture(path));
    return architecture;
  };
  const results: LabelledResult[] = searches.map((search) => ({ ...search, label: String(search.seed) }));
  if (trainings.length === 0) return { results, trained: [] };
  const found = await Promise.all(
    searches
      .filter(({ value }) => value !== undefined)
      .map(async (search) => ({ search, architecture: await architectureOf(search) })),
  );
  const trained: Trained[] = [];
  for (const training of trainings) {
    const its = await architectureOf(training);
    const origins = found.filter(({ architecture }) => isDeepStrictEqual(architecture, its));
    if (origins.length === 0) results.push({ ...training, label: String(training.seed) });
    for (const { search } of origins) {
      const { architecture: _, ...own } = training.settings;
      const inherited = Object.entries(search.settings).map(([key, value]) => [`search.${key}`, value]);
      const label = `${search.seed}/${training.seed}`;
      const settings = { ...Object.fromEntries(inherited), ...own };
      results.push({ ...training, strategy: search.strategy, settings, label });
      trained.push({ search, training });
    }
  }
  return { results, trained };
}

/** Of the children of each search, epoch by epoch with the last; and of searches with the trainings that follow. */
export function stageAgreements({ results, trained }: Staged): StageAgreement[] {
  return [...childAgreements(results), ...searchAgreements(trained)];
}

/** Epochs double from row to row, as budgets of early stopping do. */
function childAgreements(results: readonly LabelledResult[]): StageAgreement[] {
  const methods = new Map<string, RunResult[]>();
  for (const result of results.filter(({ children }) => children.length > 0)) {
    const epochs = Math.max(...result.children.map((child) => child.length));
    const key = JSON.stringify([result.strategy, epochs]);
    methods.set(key, [...(methods.get(key) ?? []), result]);
  }
  return [...methods].flatMap(([key, runs]) => {
    const [strategy, last] = JSON.parse(key) as [string, number];
    const agreements: StageAgreement[] = [];
    for (let epoch = 1; epoch < last; epoch *= 2) {
      const whole = runs.map(({ children }) => children.filter((child) => child.length === last));
      const taus = whole.flatMap((children) => {
        const tau =
          children.length === 0
            ? undefined
            : kendallTau(
                children.map((child) => child[epoch - 1] as number),
                children.map((child) => child[last - 1] as number),
              );
        return tau === undefined ? [] : [tau];
      });
      if (taus.length === 0) continue;
      agreements.push({
        method: strategy,
        first: `children after epoch ${epoch}`,
        second: `after epoch ${last}`,
        networks: whole.reduce((sum, children) => sum + children.length, 0),
        tau: taus.reduce((sum, tau) => sum + tau, 0) / taus.length,
      });
    }
    return agreements;
  });
}

function searchAgreements(trained: readonly Trained[]): StageAgreement[] {
  const stages = new Map<string, Trained[]>();
  for (const one of trained.filter(({ training }) => training.value !== undefined)) {
    const { search, training } = one;
    const key = JSON.stringify([search.measure.name, training.measure.name, training.space, training.data]);
    stages.set(key, [...(stages.get(key) ?? []), one]);
  }
  return [...stages.values()].flatMap((pairs) => {
    const goodness = ({ measure, value }: RunResult) =>
      measure.better === 'higher' ? (value as number) : -(value as number);
    const tau = kendallTau(
      pairs.map(({ search }) => goodness(search)),
      pairs.map(({ training }) => goodness(training)),
    );
    const [{ search, training }] = pairs as [Trained];
    return tau === undefined
      ? []
      : [
          {
            method: 'all searches',
            first: search.measure.name,
            second: `${training.measure.name} once trained`,
            networks: pairs.length,
            tau,
          },
        ];
  });
}

import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Json } from '../json.js';
import type { Journal } from '../runs/journal.js';
import { RunFolder } from '../runs/run-folder.js';
import type { JudgedPart } from '../training/final-training.js';
import { clockNow, withJournal } from '../training/journaled-epochs.js';
import { version } from '../version.js';
import {
  type Candidate,
  EVALUATION,
  type EvaluatedMethod,
  type EvaluationRequest,
  type EvaluationSettings,
  type EvaluationState,
  readEvaluation,
} from './evaluation.js';
import { begunArchitecture, configured, parseArchitecture } from './found-architecture.js';
import { taskOfPart } from './held-out-data.js';
import { type RunPlace, taskNow } from './places.js';
import { requireSameVersion } from './readable-version.js';
import { type PartOutcome, RunOfRuns, type RunsWatch, Stopped } from './run-of-runs.js';
import type { RunsOfAllKinds } from './runs-of-all-kinds.js';
import { checkTraining } from './training-run.js';

/** 1 searches, 2 picks on validation data, 3 tests. */
export type Stage = 1 | 2 | 3;

/** A run that is about to begin or to go on. */
export interface EvaluationStep {
  readonly stage: Stage;
  readonly run: string;
  /** Of its stage, counted from 1. */
  readonly number: number;
  readonly of: number;
  /** Epochs of the run, and of the trainings of this stage and the next after it; 0 in stage 1. */
  readonly epochs: number;
  readonly epochsAfter: number;
}

/** What an evaluation does with its runs, and says. */
export interface EvaluationWatch extends RunsWatch {
  step(step: EvaluationStep): void;
}

/**
 * Begins an evaluation in a new folder.
 *
 * @throws InputError for whatever is wrong with the request; nothing is written then
 */
export async function beginEvaluation(path: string, request: EvaluationRequest): Promise<void> {
  RunFolder.requireFree(path);
  const checked = [];
  for (const method of request.methods) checked.push(await checkMethod(method, request));
  const opened = checked[0]?.opened;
  const task =
    opened?.graph === undefined ? request.task : { ...request.task, checksum: opened.graph.checksum };
  const settings = { version, ...request, task, dataChecksum: opened?.data.checksum() };
  RunFolder.begin(
    path,
    { event: EVALUATION, ...(JSON.parse(JSON.stringify(settings)) as Record<string, Json>) },
    checked.flatMap(({ code }) => code),
  );
}

/** Builds the network of the method's first architecture, and opens the data. */
async function checkMethod(method: EvaluatedMethod, request: EvaluationRequest) {
  const [first] = method.candidates;
  const parsed = await parseArchitecture(first?.architecture, first?.search ?? method.name, process.cwd(), {
    run: first?.search ?? '.',
    use: 'go on',
  });
  const found = configured(parsed, method.spaceOptions);
  const { task } = request;
  const { training } = method;
  // The second stage holds inputs out of the training data, the third does not.
  const opened = await checkTraining(found, { task, training, judge: 'validation' });
  await checkTraining(found, { task: await taskOfPart(task, { training }), training });
  return { opened, code: [parsed.code, opened.graph].flatMap((graph) => graph ?? []) };
}

/**
 * Evaluates on from where the journal ends (Li & Talwalkar 2019, *Random Search and Reproducibility for Neural
 * Architecture Search*): stage 1 does the searches that are missing, stage 2 trains all that they found for
 * few epochs and picks each method's best by validation data, stage 3 trains the picks from scratch with one seed after
 * the other on all training data, and looks at the test data.
 *
 * @param data where it is now, if not where the settings say
 * @returns whether it came to its end, and was not stopped
 * @throws InputError where the version or the data are not what they were
 */
export async function continueEvaluation(
  path: string,
  watch: EvaluationWatch,
  runs: RunsOfAllKinds,
  data?: string,
): Promise<boolean> {
  const state = readEvaluation(path);
  requireSameVersion(state.settings.version, path);
  return withJournal(path, RunFolder.open(path).journal, watch.message, (journal) =>
    new Evaluation(state, journal, watch, runs, data).run(),
  );
}

/** An architecture that was found, as its file has it. */
interface FoundCandidate {
  readonly candidate: Candidate;
  readonly architecture: Json;
}

class Evaluation {
  readonly #settings: EvaluationSettings;
  readonly #path: string;
  readonly #from: string;
  readonly #place: RunPlace;
  readonly #work: RunOfRuns;
  /** Trainings of this evaluation by all that they depend on, so that an architecture found twice is trained once. */
  readonly #trainings = new Map<string, string>();

  constructor(
    { settings, path, from }: EvaluationState,
    private readonly journal: Journal,
    private readonly watch: EvaluationWatch,
    private readonly runs: RunsOfAllKinds,
    data: string | undefined,
  ) {
    this.#settings = settings;
    this.#path = path;
    this.#from = from;
    this.#place = { run: path, from, use: 'go on', data };
    this.#work = new RunOfRuns(journal, watch, runs, this.#place, settings);
  }

  async run(): Promise<boolean> {
    const { journal } = this;
    journal.write({ event: EVALUATION, ...JSON.parse(JSON.stringify(this.#settings)) }, clockNow());
    try {
      const found = await this.#search();
      const picks = await this.#pick(found);
      await this.#test(picks);
    } catch (error) {
      if (error instanceof Stopped) return false;
      throw error;
    }
    journal.write({ event: 'end' }, clockNow());
    journal.finish();
    return true;
  }

  async #search(): Promise<Map<string, FoundCandidate[]>> {
    const { methods } = this.#settings;
    const missing = methods.flatMap(({ candidates }) => candidates.filter(({ seed }) => seed !== undefined));
    let number = 0;
    const found = new Map<string, FoundCandidate[]>();
    for (const { name: method, candidates } of methods) {
      const those: FoundCandidate[] = [];
      for (const candidate of candidates) {
        const { name, search, seed } = candidate;
        let { architecture } = candidate;
        if (search !== undefined) {
          const run = seed === undefined ? search : `stage-1/${name}`;
          if (seed !== undefined) number++;
          const event = await this.#work.journaled(
            { event: 'searched', method, candidate: name, run },
            async () => {
              const folder = this.#folderOf(run);
              if (seed !== undefined) {
                this.watch.step({ stage: 1, run, number, of: missing.length, epochs: 0, epochsAfter: 0 });
                const like = resolve(this.#from, search);
                // What is evaluated on the data of the search may know better where that is.
                const isOnSame = this.runs.resultOf(like).dataChecksum === this.#settings.dataChecksum;
                const data = isOnSame ? taskNow(this.#settings.task, this.#place).data : this.#place.data;
                await this.#work.toEnd(folder, () => this.runs.beginAgain(like, folder, { seed, data }));
              }
              const { value = this.runs.resultOf(folder).value } = candidate;
              if (value === undefined) return { reason: 'the search has measured no architecture' };
              const its =
                candidate.architecture ?? begunArchitecture(await this.runs.findArchitecture(folder));
              return { value, architecture: its };
            },
          );
          architecture = event.architecture;
        }
        if (architecture !== undefined) those.push({ candidate, architecture });
      }
      found.set(method, those);
    }
    return found;
  }

  async #pick(found: ReadonlyMap<string, readonly FoundCandidate[]>): Promise<Map<string, FoundCandidate>> {
    const { methods, testSeeds, seed } = this.#settings;
    const all = methods.flatMap((method) => (found.get(method.name) ?? []).map((one) => ({ method, one })));
    const outcomes = new Map<string, number>();
    let better: 'higher' | 'lower' = 'higher';
    for (const [index, { method, one }] of all.entries()) {
      const { name } = one.candidate;
      const run = this.#trainingNamed(`stage-2/${name}`, method, one.architecture, seed, 'validation');
      const { epochs2: epochs } = method;
      const epochsAfter =
        sum(all.slice(index + 1), (later) => later.method.epochs2) +
        testSeeds * sum(methods, (later) => later.epochs);
      const step = { stage: 2, run, number: index + 1, of: all.length, epochs, epochsAfter } as const;
      const event = await this.#work.journaled(
        { event: 'trained', method: method.name, candidate: name, run },
        () => this.#train(step, method, one.architecture, seed, 'validation'),
      );
      if (typeof event.value !== 'number') continue;
      outcomes.set(name, event.value);
      better = this.runs.resultOf(this.#folderOf(run)).measure.better;
    }
    const picks = new Map<string, FoundCandidate>();
    for (const { name: method } of methods) {
      const measured = (found.get(method) ?? []).filter(({ candidate }) => outcomes.has(candidate.name));
      const goodness = ({ candidate: { name } }: FoundCandidate) =>
        (outcomes.get(name) as number) * (better === 'higher' ? 1 : -1);
      const best = measured.reduce<FoundCandidate | undefined>(
        (first, one) => (first === undefined || goodness(one) > goodness(first) ? one : first),
        undefined,
      );
      const picked =
        best === undefined ? {} : { candidate: best.candidate.name, architecture: best.architecture };
      this.journal.write({ event: 'picked', method, ...picked }, clockNow());
      if (best !== undefined) picks.set(method, best);
    }
    return picks;
  }

  /** Seed by seed, so that what is there when it is stopped can be compared. */
  async #test(picks: ReadonlyMap<string, FoundCandidate>): Promise<void> {
    const { methods, testSeeds, seed: first } = this.#settings;
    const tested = methods.filter(({ name }) => picks.has(name));
    const of = tested.length * testSeeds;
    let number = 0;
    for (let seed = first; seed < first + testSeeds; seed++)
      for (const [index, method] of tested.entries()) {
        number++;
        const { candidate, architecture } = picks.get(method.name) as FoundCandidate;
        const run = this.#trainingNamed(
          `stage-3/${method.name}-seed${seed}`,
          method,
          architecture,
          seed,
          'test',
        );
        const epochsAfter =
          sum(tested.slice(index + 1), ({ epochs }) => epochs) +
          (first + testSeeds - 1 - seed) * sum(tested, ({ epochs }) => epochs);
        const step = { stage: 3, run, number, of, epochs: method.epochs, epochsAfter } as const;
        await this.#work.journaled(
          { event: 'tested', method: method.name, candidate: candidate.name, run, seed },
          () => this.#train(step, method, architecture, seed, 'test'),
        );
      }
  }

  /** The folder of a training, or that of the same one for another candidate. */
  #trainingNamed(
    name: string,
    { training, spaceOptions }: EvaluatedMethod,
    architecture: Json,
    seed: number,
    judge: JudgedPart,
  ): string {
    const key = JSON.stringify([architecture, training, spaceOptions, seed, judge]);
    const known = this.#trainings.get(key) ?? name;
    this.#trainings.set(key, known);
    return known;
  }

  async #train(
    step: EvaluationStep,
    method: EvaluatedMethod,
    architecture: Json,
    seed: number,
    judge: JudgedPart,
  ): Promise<PartOutcome> {
    this.watch.step(step);
    return this.#work.train(this.#folderOf(step.run), step.run, {
      architecture,
      spaceOptions: method.spaceOptions,
      training: { ...method.training, epochs: step.epochs },
      seed,
      judge,
    });
  }

  #folderOf(run: string): string {
    return folderOfRun({ path: this.#path, from: this.#from }, run);
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Where a run lies that an event of an evaluation names. */
export function folderOfRun({ path, from }: Pick<EvaluationState, 'path' | 'from'>, run: string): string {
  if (/^stage-[123]\//.test(run)) return join(path, run);
  if (isAbsolute(run)) return run;
  return relative('.', resolve(from, run)) || '.';
}

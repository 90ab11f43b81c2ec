import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunsOfAllKinds } from '../experiments/runs-of-all-kinds.js';
import { trainedArchitecture, trainedNetwork } from '../experiments/training-run.js';
import { pointsOf, readTuning, TUNING } from '../experiments/tuning.js';
import { beginTuning, continueTuning, type TuningStep, tunedTraining } from '../experiments/tuning-run.js';
import { duration, valueText } from '../reports/figures.js';
import { tuningPage } from '../reports/tuning-report.js';
import { refuseAmendments } from '../runs/amendments.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { lockHolder } from '../runs/run-lock.js';
import type { Terminal } from '../terminal/terminal.js';
import type { GoingOn, KindOfRun, Said } from './kind-of-run.js';

/** Goes on with another run to its end; false where it was stopped. */
type GoOn = (path: string, terminal: Terminal, how: GoingOn) => Promise<boolean>;

/** `learningRate 0.05, decayEpoch 10` */
const optionsText = (options: Readonly<Record<string, unknown>>) =>
  Object.entries(options)
    .map(([path, value]) => `${path.slice(path.indexOf('.') + 1)} ${JSON.stringify(value)}`)
    .join(', ');

/** Which training it is, and how much time is left at the speed of those that are done. */
class TuningProgress {
  #begun = 0;
  #step: TuningStep | undefined;
  #epochs = 0;
  #seconds = 0;

  constructor(private readonly terminal: Terminal) {}

  begin(step: TuningStep): void {
    this.#step = step;
    this.#begun = performance.now();
    const { number, of, options, epochs, epochsAfter } = step;
    const left =
      this.#epochs === 0
        ? ''
        : `, about ${duration((this.#seconds / this.#epochs) * (epochs + epochsAfter))} left in all`;
    this.terminal.line(`training ${number} of ${of}: ${optionsText(options)}${left}`);
  }

  end({ run, reason }: JournalEvent): void {
    this.terminal.settle();
    if (typeof reason === 'string') this.terminal.line(`${run} failed: ${reason}`);
    else if (this.#step !== undefined) {
      this.#epochs += this.#step.epochs;
      this.#seconds += (performance.now() - this.#begun) / 1000;
    }
  }
}

/** What a grid search has come to; writes report.html into its folder. */
function show(path: string, interrupted = false): Said {
  const state = readTuning(path);
  const { settings, trained, chosen, tested, finished } = state;
  const [objective] = settings.objectives;
  const report = join(path, 'report.html');
  writeFileSync(report, tuningPage(state));
  const status = finished ? 'finished' : interrupted ? 'interrupted' : 'unfinished';
  const of = pointsOf(settings.grid).length;
  return {
    text: [
      `${path}: ${status}, ${trained.length} of ${of} trainings of the grid`,
      ...(chosen?.value === undefined
        ? []
        : [
            `best: ${optionsText(chosen.options)}; validation ${objective.name} ${valueText(objective, chosen.value)}`,
          ]),
      ...(tested?.value === undefined
        ? []
        : [`trained to the end: test ${objective.name} ${valueText(objective, tested.value)}`]),
      `report ${report}`,
      ...(finished ? [] : [`to go on: espalier resume ${path}`]),
    ].join('\n'),
    json: {
      run: path,
      status,
      measure: objective.name,
      trainings: trained.map(({ point, options, value, reason, run }) => ({
        point,
        options,
        value: value ?? null,
        reason: reason ?? null,
        run: join(path, run),
      })),
      chosen: chosen?.point ?? null,
      test: tested?.value ?? null,
      report,
    },
  };
}

async function status(path: string): Promise<Said> {
  const { settings, trained, finished } = readTuning(path);
  const running = lockHolder(path);
  const is = finished ? 'finished' : running === undefined ? 'stopped' : 'running';
  const of = pointsOf(settings.grid).length;
  return {
    text: `${path}: grid search, ${is}: ${trained.length} of ${of} trainings of the grid`,
    json: { run: path, status: is, pid: running?.pid ?? null, trained: trained.length, of },
  };
}

/**
 * The grid search of Zoph & Le 2016 after a search, whose trainings are runs of their own.
 *
 * @param runs the table of all kinds
 * @param goOn goes on with a run of any kind
 */
export function tuningKind(runs: RunsOfAllKinds, goOn: GoOn): KindOfRun {
  return {
    event: TUNING,
    name: 'grid search',
    architecture: async (path) => trainedArchitecture(tunedTraining(path)),
    network: async (path) => trainedNetwork(tunedTraining(path)),
    status,
    show: async (path) => show(path),
    async goOn(path, terminal, { data, amend } = {}) {
      refuseAmendments(
        amend,
        ['trials', 'epochs', 'timeoutSeconds', 'retryFailed'],
        'the points of a grid are trained alike; begin another grid search',
      );
      const progress = new TuningProgress(terminal);
      const finished = await continueTuning(
        path,
        {
          step: (step) => progress.begin(step),
          ended: (event) => progress.end(event),
          message: (text) => terminal.line(text),
          goOn: (run) => goOn(run, terminal, { data }),
        },
        runs,
        data,
      );
      return { finished, ...show(path, !finished) };
    },
    async beginAgain(path, out) {
      const { version: _, dataChecksum: __, objectives: ___, ...request } = readTuning(path).settings;
      await beginTuning(out, request);
    },
  };
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunsOfAllKinds } from '../experiments/runs-of-all-kinds.js';
import { trainedArchitecture, trainedNetwork } from '../experiments/trained-network.js';
import { pointsOf, readTuning, TUNING } from '../experiments/tuning.js';
import { beginTuning, continueTuning, type TuningStep, tunedTraining } from '../experiments/tuning-run.js';
import { valueText } from '../reports/figures.js';
import { tuningPage } from '../reports/tuning-report.js';
import { refuseAmendments } from '../runs/amendments.js';
import { lockHolder } from '../runs/run-lock.js';
import type { KindOfRun, Said } from './kind-of-run.js';
import { type GoOn, watchRuns } from './run-of-runs.js';

/** `learningRate 0.05, decayEpoch 10` */
const optionsText = (options: Readonly<Record<string, unknown>>) =>
  Object.entries(options)
    .map(([path, value]) => `${path.slice(path.indexOf('.') + 1)} ${JSON.stringify(value)}`)
    .join(', ');

const stepText = ({ number, of, options }: TuningStep) =>
  `training ${number} of ${of}: ${optionsText(options)}`;

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
      const watch = watchRuns(terminal, stepText, (run) => goOn(run, terminal, { data }));
      const finished = await continueTuning(path, watch, runs, data);
      return { finished, ...show(path, !finished) };
    },
    async beginAgain(path, out) {
      const { version: _, dataChecksum: __, objectives: ___, ...request } = readTuning(path).settings;
      await beginTuning(out, request);
    },
  };
}

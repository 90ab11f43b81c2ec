import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { BENCH, readBench } from '../experiments/bench.js';
import { beginBench, continueBench, requestOf } from '../experiments/bench-run.js';
import { InputError } from '../input-error.js';
import type { Measure } from '../measures/measure.js';
import { benchPage, benchText, regretCsv } from '../reports/bench-report.js';
import { type BenchedMethod, benchResults } from '../reports/bench-results.js';
import { duration } from '../reports/figures.js';
import { refuseAmendments } from '../runs/amendments.js';
import { replaceFile } from '../runs/atomic-file.js';
import { lockHolder } from '../runs/run-lock.js';
import { INTERRUPTED, interruptible } from '../terminal/interruption.js';
import type { Terminal } from '../terminal/terminal.js';
import type { KindOfRun, Said, WentOn } from './kind-of-run.js';

/** Searches of several strategies in a table of measured architectures. */
export const bench: KindOfRun = {
  event: BENCH,
  name: 'bench',
  async architecture(path) {
    throw new InputError(`${path}: a bench compares strategies, and has no architecture of its own`);
  },
  async status(path) {
    const { settings, searches, finished } = readBench(path);
    const running = lockHolder(path);
    const is = finished ? 'finished' : running === undefined ? 'stopped' : 'running';
    const strategies = settings.strategies.map(({ name }) => name);
    const of = settings.runs * strategies.length;
    return {
      text: `${path}: bench of ${strategies.join(', ')}, ${is}: ${searches.length} of ${of} searches`,
      json: { run: path, status: is, pid: running?.pid ?? null, strategies, searches: searches.length, of },
    };
  },
  show: async (path) => report(path),
  async goOn(path, terminal, { data, amend } = {}) {
    if (data !== undefined)
      throw new InputError(`--data ${data}: a bench trains nothing; it looks its trials up in a table`);
    refuseAmendments(
      amend,
      ['trials', 'epochs', 'timeoutSeconds', 'retryFailed'],
      'what a bench compares has the same settings; begin another one',
    );
    return goOnWith(path, terminal, availableParallelism());
  },
  async beginAgain(path, out) {
    const { settings } = readBench(path);
    await beginBench(out, requestOf(settings));
  },
};

/** Goes on to the end. @param processes that search at once; the results do not depend on their number */
export async function goOnWith(path: string, terminal: Terminal, processes: number): Promise<WentOn> {
  const interrupt = interruptible(terminal);
  const begun = performance.now();
  let first: number | undefined;
  let shown = 0;
  try {
    const finished = await continueBench(path, {
      signal: interrupt.signal,
      processes,
      message: (text) => terminal.line(text),
      searched(done, of) {
        first ??= done - 1;
        const now = performance.now();
        if (now - shown < (terminal.isLive ? LIVE_EVERY_MS : LINE_EVERY_MS) && done < of) return;
        shown = now;
        const rate = ((done - first) * 1000) / (now - begun);
        const text = `search ${done} of ${of}: ${rate.toFixed(1)} a second, ${duration((of - done) / rate)} left`;
        if (terminal.isLive) terminal.live(text);
        else terminal.line(text);
      },
    });
    terminal.settle();
    if (!finished) process.exitCode = INTERRUPTED;
    return { finished, ...report(path) };
  } finally {
    interrupt.done();
  }
}

const LIVE_EVERY_MS = 200;
const LINE_EVERY_MS = 5000;

/** Writes report.html and regret.csv, and says what is in them. */
function report(path: string): Said {
  const state = readBench(path);
  const methods = benchResults(state);
  const [page, csv] = [join(path, 'report.html'), join(path, 'regret.csv')];
  replaceFile(page, benchPage(state, methods));
  replaceFile(csv, regretCsv(methods));
  const tail = state.finished ? '' : `\nto go on: espalier resume ${path}`;
  return {
    text: `${benchText(state, methods)}\n\nreport ${page}\nregret by time ${csv}${tail}`,
    json: methods.map((method) => plain(method, state.settings.objectives[0])),
  };
}

/** A strategy for `--json`: percentages of measures that people read so; null is what there is not. */
function plain(method: BenchedMethod, { shown }: Measure) {
  const scale = shown === 'percent' ? 100 : 1;
  const { strategy, runs, empty, mean, deviation, quartiles, optimal, trials, secondsARun, against } = method;
  return {
    strategy,
    runs,
    empty,
    mean: mean * scale,
    std: deviation === undefined ? null : deviation * scale,
    quartiles: quartiles.map((value) => value * scale),
    optimal,
    trials,
    seconds_a_run: secondsARun,
    against:
      against === undefined
        ? null
        : {
            baseline: against.baseline,
            pairs: against.pairs,
            difference: against.test.difference * scale,
            interval: { low: against.interval.low * scale, high: against.interval.high * scale },
            p: against.test.p,
          },
  };
}

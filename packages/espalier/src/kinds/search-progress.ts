import { childName, countedIn } from '../reports/child-name.js';
import { count, duration, valueText } from '../reports/figures.js';
import { recentAverage } from '../reports/search-report.js';
import type { RunState } from '../runs/run-state.js';
import type { SearchNotice } from '../runs/search.js';
import type { Terminal } from '../terminal/terminal.js';

/** How far a child is, as its worker says. An estimator of one's own may say something else. */
interface ChildProgress {
  readonly epoch?: number;
  readonly epochs?: number;
  readonly step?: number;
  readonly stepsPerEpoch?: number;
  readonly loss?: number;
}

/** Shows a search as it goes: live lines on a terminal, a line a child elsewhere. */
export class SearchProgress {
  readonly #running = new Map<number, ChildProgress>();
  readonly #begun = performance.now();
  /** Trials that were measured since; a resumed search has results that cost it nothing. */
  #measured = 0;

  constructor(private readonly terminal: Terminal) {}

  take(notice: SearchNotice): void {
    switch (notice.kind) {
      case 'message':
        this.terminal.line(notice.text);
        return;
      case 'progress':
        this.#running.set(notice.trial, notice.progress as unknown as ChildProgress);
        this.#live();
        return;
      case 'restored':
        this.#state = notice.state;
        return;
      case 'event':
        this.#state = notice.state;
        if (notice.replayed) return;
        if (notice.event.event === 'result') this.#tell(notice.state);
    }
  }

  #state: RunState | undefined;

  #tell(state: RunState): void {
    const trial = state.results.at(-1);
    if (trial?.outcome === undefined) return;
    this.#running.delete(trial.trial);
    this.#measured++;
    const { outcome, epochs } = trial;
    const name = childName(state, trial.trial);
    if (outcome.status === 'failed') this.terminal.line(`${name} failed: ${outcome.reason}`);
    else if (!this.terminal.isLive) {
      const { objective } = state;
      const { params } = outcome.measures;
      const of = state.header.trials === undefined ? '' : ` of ${state.header.trials}`;
      this.terminal.line(
        (epochs === undefined ? `${name}${of}` : `training ${state.told}${of}, ${name}`) +
          `: ${objective.name} ${valueText(objective, outcome.measures[objective.name] as number)}` +
          `${params === undefined ? '' : `, ${count(params)} parameters`}; ${this.#summary(state)}`,
      );
    }
    this.#live();
  }

  /** Rate, time left, best so far, averages. */
  #summary(state: RunState): string {
    const rate = this.#measured / ((performance.now() - this.#begun) / 1000);
    const parts = [];
    if (this.#measured > 0) {
      parts.push(`${(rate * 60).toFixed(1)} a minute`);
      const left = this.#secondsLeft(state, rate);
      if (left !== undefined && left > 0) parts.push(`${duration(left)} left`);
    }
    const { best, objective } = state;
    if (best !== null) {
      parts.push(`best ${valueText(objective, best.value)} (${childName(state, best.trial)})`);
      parts.push(`average of the last ${valueText(objective, recentAverage(state) as number)}`);
    }
    const baseline = state.updates.at(-1)?.baseline;
    if (typeof baseline === 'number') parts.push(`reward baseline ${rewardText(baseline)}`);
    return parts.join(', ');
  }

  /** By the budget that is spent first, at the rate so far. */
  #secondsLeft({ header, told, cost, seconds }: RunState, rate: number): number | undefined {
    const left = [
      header.trials === undefined ? undefined : (header.trials - told) / rate,
      header.cost === undefined || cost === 0 ? undefined : ((header.cost - cost) * told) / cost / rate,
      header.seconds === undefined ? undefined : header.seconds - seconds,
    ].filter((one) => one !== undefined);
    return left.length === 0 ? undefined : Math.min(...left);
  }

  /** The share of the budget that is spent: of the one that is nearest to its end. */
  #share({ header, told, cost, seconds }: RunState): number {
    return Math.min(
      1,
      Math.max(
        told / (header.trials ?? Number.POSITIVE_INFINITY),
        cost / (header.cost ?? Number.POSITIVE_INFINITY),
        seconds / (header.seconds ?? Number.POSITIVE_INFINITY),
      ),
    );
  }

  #live(): void {
    const state = this.#state;
    if (!this.terminal.isLive || state === undefined) return;
    const { trials } = state.header;
    const width = 24;
    const filled = Math.round(width * this.#share(state));
    const lines = [
      `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${state.told}${trials === undefined ? '' : ` of ${trials}`} ` +
        `${countedIn(state)}${state.failed > 0 ? `, ${state.failed} failed` : ''}`,
      this.#summary(state),
      ...[...this.#running]
        .sort(([a], [b]) => a - b)
        .slice(0, MOST_LINES)
        .map(([trial, progress]) => `  child ${state.childOf(trial) + 1}: ${progressText(progress)}`),
    ];
    this.terminal.live(lines.join('\n'));
  }
}

/** Running children that are shown, a line each. */
const MOST_LINES = 16;

function progressText(progress: ChildProgress): string {
  const { epoch, epochs, step, stepsPerEpoch, loss } = progress;
  return loss === undefined
    ? JSON.stringify(progress)
    : `epoch ${epoch} of ${epochs}, step ${step} of ${stepsPerEpoch}, loss ${loss.toFixed(3)}`;
}

/** Rewards of language models are some millionths. */
function rewardText(reward: number): string {
  return reward === 0 || reward >= 0.001 ? reward.toFixed(3) : reward.toExponential(2);
}

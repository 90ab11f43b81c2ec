import { childName, countedIn } from '../reports/child-name.js';
import { count, duration, valueText } from '../reports/figures.js';
import { recentAverage } from '../reports/search-report.js';
import type { RunState } from '../runs/run-state.js';
import type { SearchNotice } from '../runs/search.js';
import { measuredValue, measureOf } from '../tasks/measure.js';
import type { Terminal } from './terminal.js';

/** How far a child is, as its worker says. */
interface ChildProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly loss: number;
}

/** Shows a search as it goes: live lines on a terminal, a line a child elsewhere. */
export class SearchProgress {
  readonly #running = new Map<number, ChildProgress>();
  readonly #begun = performance.now();
  /** Children that were trained since; a resumed search has results that cost it nothing. */
  #trained = 0;

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
    if (this.#running.delete(trial.trial)) this.#trained++;
    const { outcome, epochs } = trial;
    const name = childName(state, trial.trial);
    if (outcome.status === 'failed') this.terminal.line(`${name} failed: ${outcome.reason}`);
    else if (!this.terminal.isLive)
      this.terminal.line(
        (epochs === undefined
          ? `${name} of ${state.header.trials}`
          : `training ${state.told} of ${state.header.trials}, ${name}`) +
          `: ${measureOf(outcome).name} ${valueText(measureOf(outcome), measuredValue(outcome))}, ` +
          `${count(outcome.params as number)} parameters; ${this.#summary(state)}`,
      );
    this.#live();
  }

  /** Rate, time left, best so far, averages. */
  #summary(state: RunState): string {
    const rate = this.#trained / ((performance.now() - this.#begun) / 1000);
    const parts = [];
    if (this.#trained > 0) {
      parts.push(`${(rate * 60).toFixed(1)} a minute`);
      const left = state.header.trials - state.told;
      if (left > 0) parts.push(`${duration(left / rate)} left`);
    }
    const { best } = state;
    if (best !== null) {
      const measure = measureOf(best);
      parts.push(`best ${valueText(measure, measuredValue(best))} (${childName(state, best.trial)})`);
      parts.push(`average of the last ${valueText(measure, recentAverage(state) as number)}`);
    }
    const baseline = state.updates.at(-1)?.baseline;
    if (typeof baseline === 'number') parts.push(`reward baseline ${rewardText(baseline)}`);
    return parts.join(', ');
  }

  #live(): void {
    const state = this.#state;
    if (!this.terminal.isLive || state === undefined) return;
    const { trials } = state.header;
    const width = 24;
    const filled = Math.round((width * state.told) / trials);
    const lines = [
      `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${state.told} of ${trials} ${countedIn(state)}${state.failed > 0 ? `, ${state.failed} failed` : ''}`,
      this.#summary(state),
      ...[...this.#running]
        .sort(([a], [b]) => a - b)
        .map(
          ([trial, { epoch, epochs, step, stepsPerEpoch, loss }]) =>
            `  child ${state.childOf(trial) + 1}: epoch ${epoch} of ${epochs}, step ${step} of ${stepsPerEpoch}, loss ${loss.toFixed(3)}`,
        ),
    ];
    this.terminal.live(lines.join('\n'));
  }
}

/** Rewards of language models are some millionths. */
function rewardText(reward: number): string {
  return reward === 0 || reward >= 0.001 ? reward.toFixed(3) : reward.toExponential(2);
}

import type { RunState } from '../runs/run-state.js';

/** `child 7`; `child 7 after 4 epochs` where children are trained for different times. Children are counted from 1. */
export function childName(state: RunState, trial: number): string {
  const epochs = state.trials[trial]?.epochs;
  const name = `child ${state.childOf(trial) + 1}`;
  return epochs === undefined ? name : `${name} after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
}

/** What the trials of a search are called: a child that goes on is trained more than once. */
export function countedIn({ trials }: RunState): 'children' | 'trainings' {
  return trials.some(({ epochs }) => epochs !== undefined) ? 'trainings' : 'children';
}

import type { BandStep } from '../drawing/band-chart-svg.js';
import type { RunResult } from '../experiments/run-result.js';
import type { Direction } from '../statistics/summary.js';

type Course = RunResult['course'];

/** The best value up to each point where it gets better. */
function improvements(course: Course, better: Direction): Course {
  const isBetter = (one: number, other: number) => (better === 'higher' ? one > other : one < other);
  const steps: Course[number][] = [];
  for (const point of course) {
    const last = steps.at(-1);
    if (last === undefined || isBetter(point.value, last.value)) steps.push(point);
  }
  return steps;
}

/**
 * The best value so far by the hours spent, over runs: its mean, and the lowest and the highest one. It begins where all
 * runs have measured something; a run that has ended keeps its best.
 */
export function bestByCost(
  runs: readonly Pick<RunResult, 'course' | 'hours'>[],
  better: Direction,
): BandStep[] {
  const courses = runs.map(({ course }) => improvements(course, better)).filter((steps) => steps.length > 0);
  if (courses.length === 0) return [];
  const begin = Math.max(...courses.map(([first]) => (first as Course[number]).hours));
  const end = Math.max(begin, ...runs.map(({ hours }) => hours));
  const points = new Set([begin, ...courses.flat().map(({ hours }) => hours), end]);
  return [...points]
    .filter((x) => x >= begin)
    .sort((a, b) => a - b)
    .map((x) => {
      const values = courses.map(
        (steps) => (steps.findLast(({ hours }) => hours <= x) as Course[number]).value,
      );
      return {
        x,
        low: Math.min(...values),
        middle: values.reduce((sum, value) => sum + value, 0) / values.length,
        high: Math.max(...values),
      };
    });
}

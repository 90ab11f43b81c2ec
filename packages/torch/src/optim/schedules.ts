/** A learning rate for each step (or epoch) of a training, counted from 0. */
export type Schedule = (step: number) => number;

/** Half a cosine from `initial` to `final` over `steps` (Loshchilov & Hutter 2017, without restarts). */
export function cosineSchedule(initial: number, steps: number, final = 0): Schedule {
  return (step) =>
    final + ((initial - final) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))) / 2;
}

/** `initial`, times `factor` after every `every` steps. */
export function stepSchedule(initial: number, every: number, factor = 0.1): Schedule {
  return (step) => initial * factor ** Math.floor(step / every);
}

/** Rises in a line over the first `steps` (from 1/steps of the rate), then follows `schedule`. */
export function warmUp(schedule: Schedule, steps: number): Schedule {
  return (step) => schedule(step) * Math.min(1, (step + 1) / steps);
}
